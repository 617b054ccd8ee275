"""Functions for keys and values, under django-valkey's names."""

import re
from collections.abc import Callable
from typing import Any, Final

from dvcache.codec import ValueCodec
from dvcache.protocols import Compressor, Serializer
from dvcache.types import StoredKey

__all__ = ["CacheKey", "decode", "default_reverse_key", "encode", "glob_escape", "make_key", "make_pattern"]

_GLOB: Final = re.compile(r"[*?\[\]\\]")


class CacheKey(StoredKey):
    """A stored key; operations use it unchanged."""

    __slots__ = ()

    def original_key(self) -> str:
        """Return the part after the last colon."""
        return self.rsplit(":", 1)[1]


def default_reverse_key(key: str) -> str:
    """Return the caller's key for a stored key. The prefix must not contain a colon."""
    # Prefix and version come first; the key itself may contain colons.
    return key.split(":", 2)[2]


def glob_escape(text: str) -> str:
    """Return a glob that matches exactly this text."""
    return _GLOB.sub(r"\\\g<0>", text)


def make_key(
    key: object, key_func: Callable[[Any, Any, Any], Any], version: int | None = None, prefix: str | None = None
) -> CacheKey:
    """Return the stored key made by a KEY_FUNCTION; return a stored key unchanged."""
    return key if isinstance(key, CacheKey) else CacheKey(key_func(key, prefix, version))


def make_pattern(
    pattern: str, key_func: Callable[[Any, Any, Any], Any], version: int | None = None, prefix: str | None = None
) -> CacheKey:
    """Return the glob over stored keys made by a KEY_FUNCTION, with prefix and version escaped."""
    if isinstance(pattern, CacheKey):
        return pattern
    return CacheKey(key_func(pattern, glob_escape(prefix or ""), glob_escape(str(version))))


def encode(value: object, serializer: Serializer, compressor: Compressor) -> bytes | float:
    """Return the stored form of a value: an exact int or float unchanged, anything else serialized and compressed.

    Args:
        value: the value to store.
        serializer: converts it to bytes.
        compressor: compresses the bytes, unless it finds them too short.
    """
    return value if type(value) is int or type(value) is float else compressor.compress(serializer.dumps(value))


def decode(value: bytes, serializer: Serializer, compressor: Compressor) -> object:
    """Return the value of stored bytes. Arguments are those of `encode`."""
    return ValueCodec(serializer, compressor, raise_undecodable=True).loads(value)
