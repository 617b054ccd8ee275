r"""Glob patterns of the server: `*`, `?`, `[a-c]`, `[^a]` and `\` to escape the next character."""

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=256)
def glob(pattern: bytes) -> Callable[[bytes], bool]:
    """Return a predicate for keys that match. Only `*` itself and the empty pattern match an empty key."""
    if pattern == b"*":
        return lambda _: True
    matches = re.compile(_expression(pattern), re.DOTALL).fullmatch
    return lambda key: matches(key) is not None and bool(key or not pattern)


def _expression(pattern: bytes) -> bytes:
    """Return an equivalent regular expression that never backtracks into a matched `*`: the first match suffices."""
    first, *rest = _segments(pattern)
    if not rest:
        return first
    *middle, last = rest
    return first + b"".join(b"(?>.*?%b)" % segment for segment in middle if segment) + b".*" + last


def _segments(pattern: bytes) -> list[bytes]:
    """Return the parts between the stars, each as an expression of fixed length."""
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
    """Return the expression of a character class and the position after its `]`; `position` follows the `[`."""
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
    # An empty class matches nothing.
    return b"[%b]" % b"".join(b"\\x%02x" % member for member in sorted(members)) if members else b"(?!)", position + 1
