"""Keys and values, by the names that django-valkey gives its functions."""

import re
from collections.abc import Callable
from typing import Any, Final

from dvcache.codec import ValueCodec
from dvcache.protocols import Compressor, Serializer
from dvcache.types import StoredKey

__all__ = ["CacheKey", "decode", "default_reverse_key", "encode", "glob_escape", "make_key", "make_pattern"]

_GLOB: Final = re.compile(r"[*?\[\]\\]")


class CacheKey(StoredKey):
    """A key as it is stored: operations take it as it is."""

    __slots__ = ()

    def original_key(self) -> str:
        """Return what follows the last colon."""
        return self.rsplit(":", 1)[1]


def default_reverse_key(key: str) -> str:
    """Return the caller's key of a stored one, where the prefix holds no colon."""
    return key.split(":", 2)[2]


def glob_escape(text: str) -> str:
    """Return a glob that matches the text alone."""
    return _GLOB.sub(r"\\\g<0>", text)


def make_key(
    key: object, key_func: Callable[[Any, Any, Any], Any], version: int | None = None, prefix: str | None = None
) -> CacheKey:
    """Return the stored key that a KEY_FUNCTION makes, or the very key if it is a stored one."""
    return key if isinstance(key, CacheKey) else CacheKey(key_func(key, prefix, version))


def make_pattern(
    pattern: str, key_func: Callable[[Any, Any, Any], Any], version: int | None = None, prefix: str | None = None
) -> CacheKey:
    """Return the glob over stored keys that a KEY_FUNCTION makes, in which prefix and version are literal."""
    if isinstance(pattern, CacheKey):
        return pattern
    return CacheKey(key_func(pattern, glob_escape(prefix or ""), glob_escape(str(version))))


def encode(value: object, serializer: Serializer, compressor: Compressor) -> bytes | float:
    """Return a value as it is stored: an exact int or float as it is, the rest serialized and compressed.

    Args:
        value: what to store.
        serializer: makes bytes of it.
        compressor: makes them shorter, where it finds them long enough.
    """
    return value if type(value) is int or type(value) is float else compressor.compress(serializer.dumps(value))


def decode(value: bytes, serializer: Serializer, compressor: Compressor) -> object:
    """Return the value of stored bytes. Arguments are those of `encode`."""
    return ValueCodec(serializer, compressor, raise_undecodable=True).loads(value)
