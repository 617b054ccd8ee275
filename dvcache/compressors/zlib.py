"""Zlib: DEFLATE (RFC 1951) in the frame of RFC 1950, in that of gzip, or bare."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen, named

LEVELS: Final = range(-1, 10)
_WIDEST: Final = 15
_GZIP: Final = 16
"""What zlib adds to the window for the frame of gzip."""
_WINDOWS: Final = frozenset({*range(9, 16), *range(-15, -8), *range(25, 32)})
_WBITS: Final = named("COMPRESS_ZLIB_WBITS")


@dataclass(frozen=True, slots=True)
class ZlibCompressor:
    """The standard library's zlib.

    Raises:
        ConfigurationError: zlib does not know the level or the window.
    """

    level: int = field(default=6, metadata=LEVEL)
    """0 (stored) to 9 (smallest), or -1 for zlib's own choice."""
    wbits: int = field(default=15, metadata=_WBITS)
    """Base-two logarithm of the window: 9 to 15; negative without a frame, 25 to 31 in gzip's."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Bytes; the most that an entry may be, decompressed."""
    magic: bytes = field(init=False, repr=False)
    """What all output starts with; empty where there is no frame."""

    def __post_init__(self) -> None:
        check(self.level, LEVELS, "-1 to 9")
        check(self.wbits, _WINDOWS, "9 to 15, -15 to -9 or 25 to 31", _WBITS)
        # The second byte of zlib's own frame tells the level: what another level wrote must be read too.
        length = 0 if self.wbits < 0 else 2 if self.wbits > _GZIP else 1
        object.__setattr__(self, "magic", self.compress(b"")[:length])

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, of `COMPRESS_LEVEL` and `COMPRESS_ZLIB_WBITS`."""
        return cls(**chosen(cls, options))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        return zlib.compress(data, self.level, self.wbits)

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes, whatever the window that they were compressed with."""
        frame = _GZIP if self.wbits > _GZIP else 0
        wbits = -_WIDEST if self.wbits < 0 else _WIDEST + frame
        return bounds.decompressed(lambda: Inflater(wbits), data, self.max_size)


class Inflater:
    """Zlib's decompressor in the shape of the others.

    Args:
        wbits: window and frame, as zlib takes them.
    """

    __slots__ = ("_inflater", "needs_input")

    def __init__(self, wbits: int) -> None:
        self._inflater = zlib.decompressobj(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end of the frame."""
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return the next bytes. Without new `data`, those that are due."""
        piece = self._inflater.decompress(data or self._inflater.unconsumed_tail, max_length)
        self.needs_input = not self._inflater.unconsumed_tail and len(piece) < max_length
        return piece
