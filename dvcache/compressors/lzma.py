"""LZMA: the best ratio, slow to write. In the xz format, the older .lzma format, or raw."""

import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeAlias

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen, named, refuse

Filters: TypeAlias = Sequence[Mapping[str, Any]]
"""A filter chain, as for `lzma.LZMACompressor`."""

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
        ConfigurationError: the level, the format or the filters are invalid.
    """

    level: int = field(default=4, metadata=LEVEL)
    """Preset, 0 (fastest) to 9 (smallest), optionally with `lzma.PRESET_EXTREME`. Not used with filters."""
    format: int = field(default=lzma.FORMAT_XZ, metadata=_FORMAT)
    """`lzma.FORMAT_XZ`, `FORMAT_ALONE`, or `FORMAT_RAW` (needs filters)."""
    check: int = field(default=-1, metadata=_CHECK)
    """Integrity check of the xz format, such as `lzma.CHECK_CRC32`; -1 for the default of the format."""
    filters: Filters | None = field(default=None, metadata=_FILTERS)
    memory: int = field(default=128 * 2**20, metadata=_MEMLIMIT)
    """Memory limit of the decompressor in bytes: preset 9 needs 65 MiB. No effect on FORMAT_RAW."""
    read_format: int | None = field(default=None, metadata=_READ_FORMAT)
    """Format to read; None for xz and .lzma, or for FORMAT_RAW if `format` is that."""
    read_filters: Filters | None = field(default=None, metadata=_READ_FILTERS)
    """Filters to read FORMAT_RAW with; None for `filters`."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Maximum decompressed size of an entry in bytes."""

    def __post_init__(self) -> None:
        check(self.level, _PRESETS, "0 to 9")
        check(self.memory, range(1, 2**63), "a number of bytes", _MEMLIMIT)
        # lzma checks its arguments only when used; wrong options must fail at start-up, not at the first entry.
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
        """Magic number of the format that is read; empty unless that is xz."""
        return _XZ if self._reads in {lzma.FORMAT_AUTO, lzma.FORMAT_XZ} and self.format == lzma.FORMAT_XZ else b""

    @property
    def _reads(self) -> int:
        if self.read_format is not None:
            return self.read_format
        return lzma.FORMAT_RAW if self.format == lzma.FORMAT_RAW else lzma.FORMAT_AUTO

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, configured by `COMPRESS_LEVEL`, `COMPRESS_LZMA_…`, `DECOMPRESS_LZMA_…`."""
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
