"""Keys: the caller's name of an entry, and the name that it is stored under."""

import re
from collections.abc import Sequence
from typing import Final, cast

from dvcache.errors import NotSupportedError
from dvcache.quantities import numbered
from dvcache.types import Key, KeyFunction, ReverseKeyFunction, StoredKey

_GLOB: Final = re.compile(r"[*?\[\]\\]")
_PROBE: Final = "dvcache-probe"
_ODD_PROBE: Final = "dvcache probe/%:É\n"
"""Holds what key functions like to rewrite: a blank, a percent sign, an upper-case letter, a control character."""


class PrefixedKeys:
    """Names entries `prefix:version:key`, or as a KEY_FUNCTION of the user's does.

    Every prefix, version and key counts as given: an empty prefix, version 0 and the key `""` are names like others.
    A key that is bytes is named as Django names it, by its Python literal; a memoryview stands for its bytes; a
    `StoredKey` has its name already.
    Stored keys that are no UTF-8 are read and written with Python's surrogateescape, so that none is lost.

    Args:
        prefix: the alias's KEY_PREFIX.
        version: the alias's VERSION.
        key_function: called with (key, prefix, version); returns text or bytes.
        reverse: of a stored key's text, the caller's key.
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
            ValueError: the key has no bytes, or those of another text.
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

    def pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the glob over stored keys, in which prefix and version are literal.

        Raises:
            ValueError: the pattern is None or empty; every key of the alias is `"*"`.
        """
        if not pattern:
            raise ValueError("a pattern is needed; '*' stands for every key of this prefix and version")
        if isinstance(pattern, StoredKey):
            return stored_bytes(pattern)
        around = _literal(self._prefix if prefix is None else prefix)
        return self._named(pattern, around, self._version if version is None else version)

    def everything(self) -> bytes:
        """Return the glob over every stored key of the own prefix, of any version.

        Raises:
            NotSupportedError: the KEY_FUNCTION does not keep prefixes apart.
        """
        prefix = _literal(self._prefix)
        if self._function is None:
            return stored_bytes(f"{prefix}:[-0-9]*:*")
        try:
            found = self._named("*", prefix, cast("int", "*"))
            kept = _PROBE.encode() in self.key(_PROBE)
        except Exception as error:
            raise NotSupportedError("the KEY_FUNCTION takes no pattern for a version") from error
        if not kept or b"*" not in found or not found.strip(b"*") or stored_bytes(prefix) not in found:
            raise NotSupportedError("the KEY_FUNCTION does not keep the keys of a prefix apart from others")
        return found

    def original(self, stored: bytes, version: int | None = None) -> str:
        """Return the caller's name of a stored key; a key that is not of this prefix and version is returned whole.

        Raises:
            NotSupportedError: the KEY_FUNCTION cannot be reversed, and there is no REVERSE_KEY_FUNCTION.
        """
        return self.originals([stored], version)[0]

    def originals(self, stored: Sequence[bytes], version: int | None = None) -> list[str]:
        """Return the caller's names of stored keys, as `original`.

        The KEY_FUNCTION is asked anew each time: what it puts around a key may be another tenant's by now.
        """
        if self._reverse is not None:
            return [self._reverse(_text(each)) for each in stored]
        if not stored:
            return []
        number = self._version if version is None else numbered(version)
        if self._function is None:
            head, tail = stored_bytes(f"{self._prefix}:{number}:"), b""
        else:
            head, tail = self._probed(number)
        inner = [_inner(each, head, tail) for each in stored]
        return [_text(each if name is None else name) for each, name in zip(stored, inner, strict=True)]

    def _named(self, key: str | bytes | int, prefix: str, version: int) -> bytes:
        if type(version) is not int:
            version = numbered(version)
        if self._function is None:
            # The literal of bytes is spelt out, since formatting them is a BytesWarning under `python -b`.
            name = repr(key) if isinstance(key, bytes) else str(key)
            return stored_bytes(f"{prefix}:{version}:{name}")
        stored = self._function(key, prefix, version)
        if isinstance(stored, bytes):
            return stored
        if isinstance(stored, str):
            return stored_bytes(stored)
        raise TypeError(f"KEY_FUNCTION must return text or bytes, not {type(stored).__name__}")

    def _probed(self, version: int) -> tuple[bytes, bytes]:
        """Return what the key function puts before and after a key, found by asking it."""
        head, found, tail = self.key(_PROBE, version).partition(_PROBE.encode())
        if not found or not self._reverses(head, tail, version):
            raise NotSupportedError("the KEY_FUNCTION cannot be reversed; configure a REVERSE_KEY_FUNCTION")
        return head, tail

    def _reverses(self, head: bytes, tail: bytes, version: int) -> bool:
        """Say whether cutting head and tail off a stored key gives a name of the same entry, for odd keys too."""
        stored = self.key(_ODD_PROBE, version)
        inner = _inner(stored, head, tail)
        return inner is not None and self.key(_text(inner), version) == stored


def _inner(stored: bytes, head: bytes, tail: bytes) -> bytes | None:
    if len(stored) < len(head) + len(tail) or not stored.startswith(head) or not stored.endswith(tail):
        return None
    return stored[len(head) : len(stored) - len(tail)]


def _literal(text: object) -> str:
    """Escape what a glob of the server's would understand."""
    return _GLOB.sub(r"\\\g<0>", str(text))


def stored_bytes(text: str) -> bytes:
    """Return the bytes that a name is stored under: UTF-8, in which lone surrogates stand for bytes that are none.

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
    if _text(stored) != text:
        raise ValueError("a key cannot hold lone surrogates that stand for the bytes of another key")
    return stored


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")
