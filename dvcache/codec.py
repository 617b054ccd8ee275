"""Codec: values to the bytes that are stored, and back.

::

    exact int, exact float      their text, never compressed
    anything else               serialized, then compressed where that is longer than the minimum and becomes smaller

    text of a number            that number; told by its first byte and its length
    anything else               decompressed if it is compressed, then deserialized

What is stored carries no header, so the two readings must not meet: a value whose stored bytes would be read as another
number is refused, and bytes that would be read as compressed are compressed.

What the configured pair cannot read may be of former settings: then the other compressors are tried whose magic it
begins with, and the fallback serializers. What is too large to be decompressed is not tried again.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from dvcache.compressors import bounds, foreign
from dvcache.compressors.bounds import TooLarge
from dvcache.compressors.identity import IdentityCompressor
from dvcache.errors import DecodeError, SerializationError, TooLargeError
from dvcache.protocols import Compressor, Serializer

logger = logging.getLogger(__name__)

DIGITS: Final = 4300
"""The longest int that is stored as text: Python's own bound on reading one."""

_NUMERIC: Final = frozenset(b"-0123456789in")
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]+)?|(-?inf|nan)")
_ZERO: Final = ord("0")


TYPES: Final = 256
"""Types of values that are remembered to be readable."""

_PLAIN: Final[frozenset[type]] = frozenset({str, bytes, bool, type(None)})
"""Types whose values hold nothing that a serializer could fail to read."""


class Unsuitable(TypeError):
    """A compressor returned something else than it should."""


class ValueCodec:
    """Stores ints and floats as text, so that the server can count, and all else through serializer and compressor.

    Args:
        serializer: for everything but an exact int or float.
        compressor: tried on what is longer than `min_length`. One with `magic` reads only what starts so.
        min_length: bytes; what is no longer is stored as it is.
        alias: the alias, for errors and the log.
        raise_undecodable: whether an entry that cannot be read raises `DecodeError` instead of being a miss.
        fallbacks: serializers to try on entries that `serializer` cannot read.
        max_size: bytes; what is longer is not compressed, since no compressor would read it.
        max_value_size: bytes; a value whose stored form is longer is refused.
        others: of `max_size`, the compressors to try on entries that the configured pair cannot read; each has a
            `magic`. Called when the first such entry is met.
        unwrap: of what the serializer made, the value: for entries that another library stored in an envelope.

    Attributes:
        undecodable: how many entries could not be read.
    """

    __slots__ = (
        *("undecodable", "_alias", "_compressor", "_fallbacks", "_kinds", "_magic", "_max_size", "_max_value_size"),
        *("_min_length", "_others", "_plain", "_raises", "_readable", "_serializer", "_unwrap"),
    )

    def __init__(
        self,
        serializer: Serializer,
        compressor: Compressor,
        min_length: int = 15,
        alias: str = "default",
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
        self._alias, self._raises = alias, raise_undecodable
        self._fallbacks, self._max_size, self._others, self._unwrap = fallbacks, max_size, others, unwrap
        self._plain = getattr(type(compressor), "compress", None) is IdentityCompressor.compress
        self._magic = _magic(compressor)
        self._kinds: set[type[Exception]] = set()
        self._readable: set[type] = set(_PLAIN)

    def dumps(self, value: object, /) -> bytes:
        """Return the stored bytes.

        Raises:
            SerializationError: the value cannot be stored.
        """
        kind = type(value)
        if kind is int:
            try:
                text = repr(value).encode()
            except ValueError:  # more digits than this process may write
                return self._serialized(value)
            return text if len(text) <= DIGITS else self._serialized(value)
        if kind is float:
            return repr(value).encode()
        return self._serialized(value)

    def loads(self, data: bytes, default: object = None, /) -> object:
        """Return the value of stored bytes, or `default` for an entry that cannot be read.

        Raises:
            DecodeError: it cannot be read, and the codec was told to raise.
        """
        if data and data[0] in _NUMERIC and (number := _number(data)) is not None:
            return number
        try:
            value = self._serializer.loads(data if self._plain else self._decompressed(data))
        except Exception as error:  # noqa: BLE001  # whatever a serializer raises for bytes that are not its own
            return self._recovered(data, default, error)
        return value if self._unwrap is None else self._unwrap(value)

    def missed(self, error: Exception, default: object) -> object:
        """Count an entry that cannot be read, and return `default`.

        Raises:
            DecodeError: the codec was told to raise.
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
        if data and data[0] in _NUMERIC and (number := _number(data)) is not None and not _same(number, value):
            message = f"a {type(value).__name__} would be read as a number; use a serializer that marks its values"
            raise SerializationError(self._located(message))
        if len(data) > self._max_value_size:
            limit = f"OPTIONS['MAX_VALUE_SIZE'] is {self._max_value_size}"
            message = f"a {type(value).__name__} of {len(data)} bytes is longer than a server takes; {limit}"
            raise TooLargeError(self._located(message))
        return data

    def _check(self, value: object, data: bytes) -> None:
        """Read back what was serialized, of the first value of each type."""
        kind = type(value)
        try:
            self._serializer.loads(data)
        except Exception as error:
            message = f"{_kind(self._serializer)} cannot read what it wrote of a {kind.__name__}"
            raise SerializationError(self._located(message)) from error
        if len(self._readable) >= TYPES:
            self._readable = set(_PLAIN)
        self._readable.add(kind)

    def _packed(self, data: bytes) -> bytes:
        packed = self._compressor.compress(data)
        if type(packed) is not bytes:
            raise Unsuitable(f"{_kind(self._compressor)}.compress must return bytes, not {_kind(packed)}")
        if len(packed) < len(data) and not packed.startswith(self._magic):
            raise Unsuitable(f"{_kind(self._compressor)}.compress must return what begins with its magic")
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
            message = f"{_kind(self._compressor)} would read it as other bytes, and cannot compress it"
            raise SerializationError(self._located(message))
        return packed

    def _reads_as_compressed(self, data: bytes) -> bool:
        try:
            return self._decompressed(data) is not data
        except (TooLarge, Unsuitable):
            return True

    def _decompressed(self, data: bytes) -> bytes:
        """Return the very bytes that were given where they are not compressed."""
        if data.startswith(self._magic):
            try:
                plain = self._compressor.decompress(data)
            except TooLarge:
                raise
            except Exception:  # noqa: BLE001  # whatever a compressor raises for bytes that are not its own
                return data
            if type(plain) is bytes:
                return plain
            if isinstance(plain, bytes | bytearray | memoryview):
                return bytes(plain)
            raise Unsuitable(f"{_kind(self._compressor)}.decompress must return bytes, not {_kind(plain)}")
        return data

    def _recovered(self, data: bytes, default: object, error: Exception) -> object:
        """Return the value that other codecs than the configured pair read, or `default`; `error` is that pair's."""
        try:
            value = self._read_otherwise(data, error)
        except Exception as reason:  # noqa: BLE001  # one of those above
            return self.missed(reason, default)
        return value if self._unwrap is None else self._unwrap(value)

    def _read_otherwise(self, data: bytes, error: Exception) -> object:
        if isinstance(error, TooLarge | Unsuitable):
            raise error
        readings = [*self._readings(data)]
        for serializer in (self._serializer, *self._fallbacks):
            for plain in readings:
                try:
                    return serializer.loads(plain)
                except Exception:  # noqa: BLE001, S112  # the error of the configured codec is the one that is told
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
                except Exception:  # noqa: BLE001, S112  # not its own after all
                    continue

    def _note(self, error: Exception) -> str:
        self.undecodable += 1
        reason = f"{_kind(error)}: {error}" if isinstance(error, TooLarge) else _kind(error)
        fault = (
            str(error) if isinstance(error, Unsuitable) else f"{_kind(self._serializer)} cannot read an entry: {reason}"
        )
        message = self._located(fault)
        if type(error) not in self._kinds:
            self._kinds.add(type(error))
            logger.warning("%s; it counts as a miss, and so will others, without a word", message)
        return message

    def _located(self, message: str) -> str:
        return f"CACHES[{self._alias!r}]: {message}"


def _kind(value: object) -> str:
    return type(value).__name__


def _number(data: bytes) -> int | float | None:
    """Return the number that the bytes are the text of, or None."""
    if len(data) > DIGITS + 1:
        return None
    try:
        if data.isdigit() and data[0] != _ZERO:
            return int(data)
        found = _NUMBER.fullmatch(data)
        if found is None:
            return None
        return int(data) if found.lastindex is None else float(data)
    except ValueError:  # more digits than this process may read
        return None


def _same(number: float, value: object) -> bool:
    try:
        return bool(number == value)
    except Exception:  # noqa: BLE001  # a comparison of the user's
        return False


def _magic(compressor: Compressor) -> bytes:
    magic = getattr(compressor, "magic", b"")
    return magic if isinstance(magic, bytes) else b""
