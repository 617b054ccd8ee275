"""Codec: convert values to stored bytes and back.

::

    exact int, exact float      stored as text, never compressed
    anything else               serialized, then compressed if longer than the minimum and smaller when compressed

    text of a number            read as that number; recognized by its first byte and its length
    anything else               decompressed if compressed, then deserialized

Stored entries have no header, so the two readings must not overlap: a value whose bytes would be read as another number
is refused, and bytes that would be read as compressed are compressed.

An entry that the configured pair cannot read may have been stored with earlier settings: the codec then tries the other
compressors whose magic matches, and the fallback serializers. An entry too large to decompress is not tried again.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from dvcache.compressors import bounds, foreign
from dvcache.compressors.bounds import TooLarge
from dvcache.compressors.identity import IdentityCompressor
from dvcache.errors import DecodeError, SerializationError, TooLargeError
from dvcache.number_text import DIGITS, NUMERIC, is_same, number_of
from dvcache.places import place
from dvcache.protocols import Compressor, Serializer
from dvcache.value_types import WrongType

logger = logging.getLogger(__name__)

TYPES: Final = 256
"""Maximum number of value types remembered as readable."""

_PLAIN: Final[frozenset[type]] = frozenset({str, bytes, bool, type(None)})
"""Types whose values contain nothing that a serializer could fail to read."""


class Unsuitable(TypeError):
    """A compressor returned something other than compressed bytes."""


class ValueCodec:
    """Store ints and floats as text, so that the server can count, and other values through serializer and compressor.

    Args:
        serializer: for everything but an exact int or float.
        compressor: for data longer than `min_length`. If it has `magic`, only data with that prefix is decompressed.
        min_length: bytes; shorter or equal data is not compressed.
        alias: the alias, for errors and the log.
        where: the name of its settings in them; empty to name the cache by its alias.
        raise_undecodable: whether an unreadable entry raises `DecodeError` instead of being a miss.
        fallbacks: serializers to try on entries that `serializer` cannot read.
        max_size: bytes; longer data is not compressed, since no compressor would read it back.
        max_value_size: bytes; a value whose stored form is longer is refused.
        others: takes `max_size`; returns the compressors, each with `magic`, to try on entries that the configured pair
            cannot read. Called for the first such entry.
        unwrap: takes the deserialized object and returns the value, for entries that another library wrapped.

    Attributes:
        undecodable: number of entries that could not be read, or had another type than the caller named.
    """

    __slots__ = (
        *("undecodable", "_compressor", "_fallbacks", "_kinds", "_magic", "_max_size", "_max_value_size", "_place"),
        *("_min_length", "_others", "_plain", "_raises", "_readable", "_serializer", "_unwrap"),
    )

    def __init__(
        self,
        serializer: Serializer,
        compressor: Compressor,
        min_length: int = 15,
        alias: str = "default",
        where: str = "",
        *,
        raise_undecodable: bool = False,
        fallbacks: Sequence[Serializer] = (),
        max_size: int = bounds.DEFAULT,
        max_value_size: int = bounds.DEFAULT,
        others: Callable[[int], Sequence[Compressor]] = foreign.available,
        unwrap: Callable[[object], object] | None = None,
    ) -> None:
        self.undecodable = 0
        self._max_value_size = max_value_size
        self._serializer, self._compressor, self._min_length = serializer, compressor, min_length
        self._place, self._raises = place(alias, where), raise_undecodable
        self._fallbacks, self._max_size, self._others, self._unwrap = fallbacks, max_size, others, unwrap
        self._plain = getattr(type(compressor), "compress", None) is IdentityCompressor.compress
        self._magic = _magic(compressor)
        self._kinds: set[type[Exception] | str] = set()
        self._readable: set[type] = set(_PLAIN)

    def dumps(self, value: object, /) -> bytes:
        """Return the bytes to store.

        Raises:
            SerializationError: the value cannot be stored.
        """
        # Exact types only: a bool or an IntEnum stored as a number would be read back as another type.
        kind = type(value)
        if kind is int:
            try:
                text = repr(value).encode()
            except ValueError:  # exceeds sys.set_int_max_str_digits
                return self._serialized(value)
            return text if len(text) <= DIGITS else self._serialized(value)
        if kind is float:
            return repr(value).encode()
        return self._serialized(value)

    def loads(self, data: bytes, default: object = None, /) -> object:
        """Return the value of stored bytes, or `default` if they cannot be read.

        Raises:
            DecodeError: the bytes cannot be read, and `raise_undecodable` is set.
        """
        if data and data[0] in NUMERIC and (number := number_of(data)) is not None:
            return number
        try:
            value = self._serializer.loads(data if self._plain else self._decompressed(data))
        except Exception as error:  # noqa: BLE001  # serializers raise arbitrary exceptions for foreign bytes
            return self._recovered(data, default, error)
        return value if self._unwrap is None else self._unwrap(value)

    def missed(self, error: Exception, default: object) -> object:
        """Count an unreadable entry and return `default`.

        Raises:
            DecodeError: `raise_undecodable` is set.
        """
        message = self._note(error)
        if self._raises:
            raise DecodeError(message) from error
        return default

    def _serialized(self, value: object) -> bytes:
        try:
            data = self._serializer.dumps(value)
        except Exception as error:
            message = f"{_kind(self._serializer)} cannot serialize a {type(value).__name__}"
            raise SerializationError(self._located(message)) from error
        if type(data) is not bytes:
            message = f"{_kind(self._serializer)}.dumps must return bytes, not {type(data).__name__}"
            raise SerializationError(self._located(message))
        if type(value) not in self._readable:
            self._check(value, data)
        if not self._plain:
            data = self._compressed(data)
        if data and data[0] in NUMERIC and (number := number_of(data)) is not None and not is_same(number, value):
            message = f"a {type(value).__name__} would be read as a number; use a serializer that marks its values"
            raise SerializationError(self._located(message))
        if len(data) > self._max_value_size:
            limit = f"OPTIONS['MAX_VALUE_SIZE'] is {self._max_value_size}"
            message = f"a {type(value).__name__} of {len(data)} bytes exceeds the limit: {limit}"
            raise TooLargeError(self._located(message))
        return data

    def _check(self, value: object, data: bytes) -> None:
        """Verify that the first value of each type can be read back."""
        kind = type(value)
        try:
            self._serializer.loads(data)
        except Exception as error:
            message = f"{_kind(self._serializer)} cannot read back a {kind.__name__} that it serialized"
            raise SerializationError(self._located(message)) from error
        # A program may create types without end; forgetting them costs one more check each.
        if len(self._readable) >= TYPES:
            self._readable = set(_PLAIN)
        self._readable.add(kind)

    def _packed(self, data: bytes) -> bytes:
        packed = self._compressor.compress(data)
        if type(packed) is not bytes:
            raise Unsuitable(f"{_kind(self._compressor)}.compress must return bytes, not {_kind(packed)}")
        if len(packed) < len(data) and not packed.startswith(self._magic):
            raise Unsuitable(f"{_kind(self._compressor)}.compress must return data that begins with its magic")
        return packed

    def _compressed(self, data: bytes) -> bytes:
        try:
            if self._min_length < len(data) <= self._max_size:
                packed = self._packed(data)
                if len(packed) < len(data):
                    return packed
            if not self._reads_as_compressed(data):
                return data
            packed = self._packed(data)
        except Unsuitable as error:
            raise SerializationError(self._located(str(error))) from error
        except Exception as error:
            message = f"{_kind(self._compressor)} cannot compress: {type(error).__name__}"
            raise SerializationError(self._located(message)) from error
        if packed == data or len(data) > self._max_size:
            message = f"{_kind(self._compressor)} would decompress the value to other bytes, and cannot compress it"
            raise SerializationError(self._located(message))
        return packed

    def _reads_as_compressed(self, data: bytes) -> bool:
        try:
            return self._decompressed(data) is not data
        except (TooLarge, Unsuitable):
            return True

    def _decompressed(self, data: bytes) -> bytes:
        """Return the decompressed data, or the same object if it is not compressed."""
        if data.startswith(self._magic):
            try:
                plain = self._compressor.decompress(data)
            except TooLarge:
                raise
            except Exception:  # noqa: BLE001  # compressors raise arbitrary exceptions for foreign bytes
                return data
            if type(plain) is bytes:
                return plain
            if isinstance(plain, bytes | bytearray | memoryview):
                return bytes(plain)
            raise Unsuitable(f"{_kind(self._compressor)}.decompress must return bytes, not {_kind(plain)}")
        return data

    def _recovered(self, data: bytes, default: object, error: Exception) -> object:
        """Return the value that another codec can read, or `default`; `error` is the configured pair's."""
        try:
            # A change of SERIALIZER or COMPRESSOR must not empty the cache: entries of the former settings stay
            # readable.
            value = self._read_otherwise(data, error)
        except Exception as reason:  # noqa: BLE001  # from any serializer or compressor
            return self.missed(reason, default)
        return value if self._unwrap is None else self._unwrap(value)

    def _read_otherwise(self, data: bytes, error: Exception) -> object:
        if isinstance(error, TooLarge | Unsuitable | WrongType):
            raise error
        readings = [*self._readings(data)]
        for serializer in (self._serializer, *self._fallbacks):
            for plain in readings:
                try:
                    return serializer.loads(plain)
                except Exception:  # noqa: BLE001, S112  # the configured codec's error is reported
                    continue
        raise error

    def _readings(self, data: bytes) -> Iterator[bytes]:
        plain = self._decompressed(data)
        if plain is not data:
            yield plain
        yield data
        for compressor in self._others(self._max_size):
            if data.startswith(_magic(compressor)):
                try:
                    yield compressor.decompress(data)
                except TooLarge:
                    raise
                except Exception:  # noqa: BLE001, S112  # not this compressor's data
                    continue

    def _note(self, error: Exception) -> str:
        self.undecodable += 1
        reason = f"{_kind(error)}: {error}" if isinstance(error, TooLarge) else _kind(error)
        fault = (
            str(error)
            if isinstance(error, Unsuitable | WrongType)
            else f"{_kind(self._serializer)} cannot read an entry: {reason}"
        )
        message = self._located(fault)
        kind = str(error) if isinstance(error, WrongType) else type(error)
        if kind not in self._kinds and len(self._kinds) < TYPES:
            self._kinds.add(kind)
            logger.warning("%s; treated as a miss; further errors of this type are counted but not logged", message)
        return message

    def _located(self, message: str) -> str:
        return f"{self._place}: {message}"


def _kind(value: object) -> str:
    return type(value).__name__


def _magic(compressor: Compressor) -> bytes:
    magic = getattr(compressor, "magic", b"")
    return magic if isinstance(magic, bytes) else b""
