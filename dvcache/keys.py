"""Keys: convert between the caller's keys and stored keys."""

import re
from collections.abc import Sequence
from typing import Final, cast

from dvcache.errors import NotSupportedError
from dvcache.numeric_arguments import plain_version
from dvcache.types import Key, KeyFunction, ReverseKeyFunction, StoredKey

_GLOB: Final = re.compile(r"[*?\[\]\\]")
_PROBE: Final = "dvcache-probe"
_ODD_PROBE: Final = "dvcache probe/%:É\n"
"""Contains characters that key functions tend to rewrite: blank, percent sign, upper case, control character."""


class PrefixedKeys:
    """Name entries `prefix:version:key`, or as the user's KEY_FUNCTION does.

    An empty prefix, version 0 and the key `""` are valid. As in Django, a bytes key is named by its Python literal; a
    memoryview stands for its bytes; a `StoredKey` is used unchanged. Stored keys that are not UTF-8 are decoded and
    encoded with surrogateescape, so that none is lost.

    Args:
        prefix: the alias's KEY_PREFIX.
        version: the alias's VERSION.
        key_function: called with (key, prefix, version); returns text or bytes.
        reverse: takes a stored key's text, returns the caller's key.
    """

    __slots__ = ("_function", "_head", "_prefix", "_reverse", "_version")

    def __init__(
        self,
        prefix: str,
        version: int,
        key_function: KeyFunction | None = None,
        reverse: ReverseKeyFunction | None = None,
    ) -> None:
        self._prefix, self._version = prefix, version
        self._function, self._reverse = key_function, reverse
        self._head = f"{prefix}:{version}:"

    def key(self, key: Key, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the stored key.

        Raises:
            ValueError: the key cannot be encoded, or its bytes would be those of another key.
        """
        if type(key) is str and version is None and prefix is None and self._function is None:
            try:
                return (self._head + key).encode()
            except UnicodeEncodeError:
                return stored_bytes(self._head + key)
        if isinstance(key, StoredKey):
            return stored_bytes(key)
        if isinstance(key, memoryview):
            key = key.tobytes()
        return self._named(
            key, self._prefix if prefix is None else prefix, self._version if version is None else version
        )

    def with_options(self, prefix: str | None = None, version: int | None = None) -> "PrefixedKeys":
        """Return keys with another prefix or version; None keeps that of these keys."""
        return PrefixedKeys(
            self._prefix if prefix is None else prefix,
            self._version if version is None else plain_version(version),
            self._function,
            self._reverse,
        )

    def pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the glob over stored keys, with prefix and version escaped.

        Raises:
            ValueError: the pattern is None or empty; use `"*"` for every key of the alias.
        """
        if not pattern:
            raise ValueError("a pattern is needed; '*' matches every key of this prefix and version")
        if isinstance(pattern, StoredKey):
            return stored_bytes(pattern)
        around = _literal(self._prefix if prefix is None else prefix)
        return self._named(pattern, around, self._version if version is None else version)

    def everything(self) -> bytes:
        """Return the glob over every stored key of this prefix, of any version.

        Raises:
            NotSupportedError: the KEY_FUNCTION does not keep prefixes apart.
        """
        prefix = _literal(self._prefix)
        # A version is an int. `*` alone would also match keys of a longer prefix: of `a:b` for `a`.
        if self._function is None:
            return stored_bytes(f"{prefix}:[-0-9]*:*")
        try:
            found = self._named("*", prefix, cast("int", "*"))
            # A KEY_FUNCTION that hashes keys leaves no text of them to match.
            kept = _PROBE.encode() in self.key(_PROBE)
        except Exception as error:
            raise NotSupportedError("the KEY_FUNCTION does not accept a pattern as version") from error
        if not kept or b"*" not in found or not found.strip(b"*") or stored_bytes(prefix) not in found:
            raise NotSupportedError("the KEY_FUNCTION does not keep the keys of a prefix apart from others")
        return found

    def original(self, stored: bytes, version: int | None = None) -> str:
        """Return the caller's key of a stored key; one of another prefix or version is returned whole.

        Raises:
            NotSupportedError: the KEY_FUNCTION cannot be reversed, and there is no REVERSE_KEY_FUNCTION.
        """
        return self.originals([stored], version)[0]

    def originals(self, stored: Sequence[bytes], version: int | None = None) -> list[str]:
        """Return the caller's keys of stored keys, as `original` does.

        The KEY_FUNCTION is called each time: the text it puts around a key may depend on the current tenant.
        """
        if self._reverse is not None:
            return [self._reverse(key_text(each)) for each in stored]
        if not stored:
            return []
        number = self._version if version is None else plain_version(version)
        if self._function is None:
            head, tail = stored_bytes(f"{self._prefix}:{number}:"), b""
        else:
            head, tail = self._probed(number)
        inner = [_inner(each, head, tail) for each in stored]
        return [key_text(each if name is None else name) for each, name in zip(stored, inner, strict=True)]

    def _named(self, key: str | bytes | int, prefix: str, version: int) -> bytes:
        if type(version) is not int:
            version = plain_version(version)
        if self._function is None:
            # repr() rather than a format: formatting bytes is a BytesWarning under `python -b`.
            name = repr(key) if isinstance(key, bytes) else str(key)
            return stored_bytes(f"{prefix}:{version}:{name}")
        stored = self._function(key, prefix, version)
        if isinstance(stored, bytes):
            return stored
        if isinstance(stored, str):
            return stored_bytes(stored)
        raise TypeError(f"KEY_FUNCTION must return text or bytes, not {type(stored).__name__}")

    def _probed(self, version: int) -> tuple[bytes, bytes]:
        """Return the bytes that the key function puts before and after a key, found with a probe key."""
        head, found, tail = self.key(_PROBE, version).partition(_PROBE.encode())
        if not found or not self._reverses(head, tail, version):
            raise NotSupportedError("the KEY_FUNCTION cannot be reversed; configure a REVERSE_KEY_FUNCTION")
        return head, tail

    def _reverses(self, head: bytes, tail: bytes, version: int) -> bool:
        """Return True if removing head and tail from a stored key gives a name of the same entry, even for odd keys."""
        stored = self.key(_ODD_PROBE, version)
        inner = _inner(stored, head, tail)
        return inner is not None and self.key(key_text(inner), version) == stored


def _inner(stored: bytes, head: bytes, tail: bytes) -> bytes | None:
    if len(stored) < len(head) + len(tail) or not stored.startswith(head) or not stored.endswith(tail):
        return None
    return stored[len(head) : len(stored) - len(tail)]


def _literal(text: object) -> str:
    """Escape the characters that are special in the server's globs."""
    return _GLOB.sub(r"\\\g<0>", str(text))


def stored_bytes(text: str) -> bytes:
    """Return the bytes of a stored key: UTF-8, with lone surrogates standing for bytes that are not UTF-8.

    Raises:
        ValueError: a surrogate stands for no byte, or several stand for the UTF-8 of another text.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    try:
        stored = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        reason = f"the lone surrogate U+{code:04X}, which is half a character and has no bytes"
        raise ValueError(f"a key cannot hold {reason}") from None
    if key_text(stored) != text:
        raise ValueError("a key cannot hold lone surrogates that stand for the bytes of another key")
    return stored


def key_text(stored: bytes) -> str:
    """Return the text of a stored key; bytes that are not UTF-8 become lone surrogates."""
    return stored.decode("utf-8", "surrogateescape")
