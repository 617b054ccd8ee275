"""LZMA: the smallest, and slow to write. In the frame of xz, in the older one, or bare."""

import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeAlias

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen, named, refuse

Filters: TypeAlias = Sequence[Mapping[str, Any]]
"""A chain of filters, as `lzma.LZMACompressor` takes it."""

_XZ: Final = b"\xfd7zXZ\x00"
_PRESETS: Final = frozenset(range(10)) | {level | lzma.PRESET_EXTREME for level in range(10)}
_FORMAT: Final = named("COMPRESS_LZMA_FORMAT")
_CHECK: Final = named("COMPRESS_LZMA_CHECK")
_FILTERS: Final = named("COMPRESS_LZMA_FILTERS")
_MEMLIMIT: Final = named("DECOMPRESS_LZMA_MEMLIMIT")
_READ_FORMAT: Final = named("DECOMPRESS_LZMA_FORMAT")
_READ_FILTERS: Final = named("DECOMPRESS_LZMA_FILTERS")


@dataclass(frozen=True, slots=True)
class LzmaCompressor:
    """The standard library's lzma.

    Raises:
        ConfigurationError: lzma does not take the level, the format or the filters.
    """

    level: int = field(default=4, metadata=LEVEL)
    """The preset, 0 (fastest) to 9 (smallest), perhaps with `lzma.PRESET_EXTREME`. Filters take its place."""
    format: int = field(default=lzma.FORMAT_XZ, metadata=_FORMAT)
    """`lzma.FORMAT_XZ`, `FORMAT_ALONE` or `FORMAT_RAW`, which needs filters."""
    check: int = field(default=-1, metadata=_CHECK)
    """The integrity check of xz, such as `lzma.CHECK_CRC32`; -1 for the format's own."""
    filters: Filters | None = field(default=None, metadata=_FILTERS)
    memory: int = field(default=128 * 2**20, metadata=_MEMLIMIT)
    """Bytes that the decompressor itself may take: a preset of 9 needs 65 MiB. Nothing bounds it for FORMAT_RAW."""
    read_format: int | None = field(default=None, metadata=_READ_FORMAT)
    """What is read; None for xz and the older frame, or FORMAT_RAW where that is written."""
    read_filters: Filters | None = field(default=None, metadata=_READ_FILTERS)
    """For FORMAT_RAW; None for those that it is written with."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Bytes; the most that an entry may be, decompressed."""

    def __post_init__(self) -> None:
        check(self.level, _PRESETS, "0 to 9")
        check(self.memory, range(1, 2**63), "a number of bytes", _MEMLIMIT)
        written = _FORMAT if self.filters is None else _FILTERS
        try:
            sample = self.compress(b"")
        except (lzma.LZMAError, ValueError, TypeError, OverflowError, MemoryError) as error:
            raise refuse(error, written) from error
        if self.read_format is not None or self.format == lzma.FORMAT_RAW:
            try:
                self.decompress(sample)
            except Exception as error:
                raise refuse(error, _READ_FORMAT if self.read_filters is None else _READ_FILTERS) from error

    @property
    def magic(self) -> bytes:
        """What all that is read starts with; empty where that is not the frame of xz."""
        return _XZ if self._reads in {lzma.FORMAT_AUTO, lzma.FORMAT_XZ} and self.format == lzma.FORMAT_XZ else b""

    @property
    def _reads(self) -> int:
        if self.read_format is not None:
            return self.read_format
        return lzma.FORMAT_RAW if self.format == lzma.FORMAT_RAW else lzma.FORMAT_AUTO

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, of `COMPRESS_LEVEL`, `COMPRESS_LZMA_…` and `DECOMPRESS_LZMA_…`."""
        return cls(**chosen(cls, options))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        filters: Any = self.filters
        preset = self.level if filters is None and self.format != lzma.FORMAT_RAW else None
        return lzma.compress(data, self.format, self.check, preset, filters)

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes."""
        return bounds.decompressed(self._decompressor, data, self.max_size)

    def _decompressor(self) -> lzma.LZMADecompressor:
        if self._reads != lzma.FORMAT_RAW:
            return lzma.LZMADecompressor(self._reads, self.memory)
        filters: Any = self.filters if self.read_filters is None else self.read_filters
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
