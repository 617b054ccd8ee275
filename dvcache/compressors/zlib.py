"""Zlib: DEFLATE (RFC 1951) in the zlib format (RFC 1950), the gzip format (RFC 1952), or raw."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen, named

LEVELS: Final = range(-1, 10)
_WIDEST: Final = 15
_GZIP: Final = 16
"""Added to `wbits` for the gzip format."""
_WINDOWS: Final = frozenset({*range(9, 16), *range(-15, -8), *range(25, 32)})
_WBITS: Final = named("COMPRESS_ZLIB_WBITS")


@dataclass(frozen=True, slots=True)
class ZlibCompressor:
    """The standard library's zlib.

    Raises:
        ConfigurationError: the level or the window size is invalid.
    """

    level: int = field(default=6, metadata=LEVEL)
    """0 (stored) to 9 (smallest), or -1 for zlib's default."""
    wbits: int = field(default=15, metadata=_WBITS)
    """Base-2 logarithm of the window size: 9 to 15; negative for raw DEFLATE, 25 to 31 for the gzip format."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Maximum decompressed size of an entry in bytes."""
    magic: bytes = field(init=False, repr=False)
    """First bytes of all output; empty for raw DEFLATE."""

    def __post_init__(self) -> None:
        check(self.level, LEVELS, "-1 to 9")
        check(self.wbits, _WINDOWS, "9 to 15, -15 to -9 or 25 to 31", _WBITS)
        # In the zlib format the second byte depends on the level. Entries of other levels must be recognised too, so
        # only the first byte counts.
        length = 0 if self.wbits < 0 else 2 if self.wbits > _GZIP else 1
        object.__setattr__(self, "magic", self.compress(b"")[:length])

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, configured by `COMPRESS_LEVEL` and `COMPRESS_ZLIB_WBITS`."""
        return cls(**chosen(cls, options))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        return zlib.compress(data, self.level, self.wbits)

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes, compressed with any window size."""
        frame = _GZIP if self.wbits > _GZIP else 0
        wbits = -_WIDEST if self.wbits < 0 else _WIDEST + frame
        return bounds.decompressed(lambda: Inflater(wbits), data, self.max_size)


class Inflater:
    """Adapts zlib's decompressor to `bounds.Decompressor`.

    Args:
        wbits: window size and format, as in zlib.
    """

    __slots__ = ("_inflater", "needs_input")

    def __init__(self, wbits: int) -> None:
        self._inflater = zlib.decompressobj(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """True at the end of the frame."""
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        """Input after the end of the frame."""
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return the next output; with empty `data`, from input already given."""
        piece = self._inflater.decompress(data or self._inflater.unconsumed_tail, max_length)
        # After a full piece zlib may hold more output although it has consumed all input.
        self.needs_input = not self._inflater.unconsumed_tail and len(piece) < max_length
        return piece
