r"""The server's glob patterns: `*`, `?`, `[a-c]`, `[^a]` and `\` before a character that means itself."""

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=256)
def glob(pattern: bytes) -> Callable[[bytes], bool]:
    """Return the test whether a key matches. An empty key matches only `*` itself and the empty pattern."""
    if pattern == b"*":
        return lambda _: True
    matches = re.compile(_expression(pattern), re.DOTALL).fullmatch
    return lambda key: matches(key) is not None and bool(key or not pattern)


def _expression(pattern: bytes) -> bytes:
    """Return a regular expression that never goes back behind a `*` that was satisfied: the first fit is enough."""
    first, *rest = _segments(pattern)
    if not rest:
        return first
    *middle, last = rest
    return first + b"".join(b"(?>.*?%b)" % segment for segment in middle if segment) + b".*" + last


def _segments(pattern: bytes) -> list[bytes]:
    """Return what stands between the stars, each as an expression of fixed length."""
    segments, position = [b""], 0
    while position < len(pattern):
        character = pattern[position : position + 1]
        position += 1
        if character == b"*":
            segments.append(b"")
        elif character == b"?":
            segments[-1] += b"."
        elif character == b"[":
            expression, position = _class(pattern, position)
            segments[-1] += expression
        else:
            if character == b"\\" and position < len(pattern):
                character = pattern[position : position + 1]
                position += 1
            segments[-1] += re.escape(character)
    return segments


def _class(pattern: bytes, position: int) -> tuple[bytes, int]:
    """Return the expression of a class whose `[` stands before the position, and the position behind its `]`."""
    negated = pattern[position : position + 1] == b"^"
    position += negated
    members: set[int] = set()
    while position < len(pattern) and pattern[position] != ord("]"):
        left = len(pattern) - position
        if pattern[position] == ord("\\") and left > 1:
            members.add(pattern[position + 1])
            position += 2
        elif left > 2 and pattern[position + 1] == ord("-"):  # noqa: PLR2004  # a range takes three characters
            start, end = sorted((pattern[position], pattern[position + 2]))
            members.update(range(start, end + 1))
            position += 3
        else:
            members.add(pattern[position])
            position += 1
    if negated:
        members = set(range(256)) - members
    # An expression that nothing matches, where the class is empty.
    return b"[%b]" % b"".join(b"\\x%02x" % member for member in sorted(members)) if members else b"(?!)", position + 1
