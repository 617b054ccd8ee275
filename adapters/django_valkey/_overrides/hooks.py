"""Keys and values through a project's own hooks: make_key, make_pattern, encode, decode."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django_valkey.util import CacheKey
from dvcache import DecodeError, SerializationError
from dvcache.codec import ValueCodec
from dvcache.context import Codec, Context, Keys
from dvcache.effects import Op
from dvcache.keys import stored_bytes
from dvcache.types import Arg, Key, StoredKey


@dataclass(frozen=True, slots=True)
class HookedKeys:
    """Keys made by the hooks of a cache. A cache without own hooks calls those of its client."""

    keys: Keys
    cache: Any

    def key(self, key: Key, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the stored key."""
        # Named before, by the hook itself or by the project: naming it again would change it.
        if isinstance(key, StoredKey):
            return self.keys.key(key)
        if prefix is None:
            return _bytes(self.cache.make_and_validate_key(key, version=version), "make_key")
        # Django's make_and_validate_key takes no prefix.
        stored = self.cache.make_key(key, version=version, prefix=prefix)
        self.cache.validate_key(stored)
        return _bytes(stored, "make_key")

    def pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the glob over stored keys."""
        if isinstance(pattern, StoredKey):
            return self.keys.pattern(pattern)
        given = {} if prefix is None else {"prefix": prefix}
        return _bytes(self.cache.make_pattern(pattern, version=version, **given), "make_pattern")

    def everything(self) -> bytes:
        """Return the glob over all stored keys of this prefix, of any version."""
        return self.keys.everything()

    def original(self, stored: bytes, version: int | None = None) -> str:
        """Return the caller's key for a stored key."""
        return self.keys.original(stored, version)

    def originals(self, stored: Sequence[bytes], version: int | None = None) -> list[str]:
        """Return the caller's keys for the stored keys of one page."""
        return self.keys.originals(stored, version)


@dataclass(frozen=True, slots=True)
class HookedCodec:
    """Values encoded and decoded by the hooks of a cache."""

    codec: Codec
    cache: Any

    def dumps(self, value: object, /) -> bytes:
        """Return the stored bytes."""
        encoded = self.cache.encode(value)
        if type(encoded) is int or type(encoded) is float:
            return self.codec.dumps(encoded)
        if isinstance(encoded, str):
            return encoded.encode()
        if isinstance(encoded, bytes | bytearray | memoryview):
            return bytes(encoded)
        raise SerializationError(f"encode must return bytes, an int or a float, not {type(encoded).__name__}")

    def loads(self, data: bytes, default: object = None, /) -> object:
        """Return the value of stored bytes, or `default` for an entry that cannot be read."""
        try:
            return self.cache.decode(data)
        except Unreadable:
            return default
        except DecodeError:
            raise
        except Exception as error:
            if isinstance(self.codec, ValueCodec):
                return self.codec.missed(error, default)
            raise

    def missed(self, error: Exception, default: object) -> object:
        """Count an entry of another type than the caller named, and return `default`."""
        return self.codec.missed(error, default) if isinstance(self.codec, ValueCodec) else default


class Unreadable(DecodeError):
    """The codec cannot read the stored bytes; counted, and logged once per type of error."""


def encoded(codec: Codec, value: object) -> bytes | float:
    """Return a value as from django-valkey's `encode`: ints and floats unchanged, anything else as stored bytes."""
    return value if type(value) is int or type(value) is float else codec.dumps(value)


def decoded(codec: Codec, data: bytes) -> object:
    """Return the value of stored bytes.

    Raises:
        Unreadable: the bytes cannot be read.
    """
    value = codec.loads(data, _UNREADABLE)
    if value is _UNREADABLE:
        raise Unreadable("the entry cannot be read; the log has the reason")
    return value


def text(stored: bytes) -> CacheKey:
    """Return a stored key, or a glob over stored keys, as text."""
    return CacheKey(stored.decode("utf-8", "surrogateescape"))


_UNREADABLE: Final = object()


def left_to_codec(_: Context, stored: bytes, delta: int, creation: tuple[Arg, ...]) -> Op[Any]:  # noqa: ARG001  # as in Policy
    """Report that the script cannot add: only the user's hooks can read and write these numbers."""
    yield from ()
    return [None]


def _bytes(stored: object, hook: str) -> bytes:
    if isinstance(stored, str):
        return stored_bytes(stored)
    if isinstance(stored, bytes):
        return stored
    raise TypeError(f"{hook} must return text or bytes, not {type(stored).__name__}")
