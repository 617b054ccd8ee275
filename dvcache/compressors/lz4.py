"""LZ4: the fastest both ways. In its frame format. Needs the package `lz4`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

import lz4.frame

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen, named

_BLOCK_SIZE: Final = named("COMPRESS_LZ4_BLOCK_SIZE")
_CHECKSUM: Final = named("COMPRESS_LZ4_CONTENT_CHECKSUM")
_LINKED: Final = named("COMPRESS_LZ4_BLOCK_LINKED")
_STORE_SIZE: Final = named("COMPRESS_LZ4_STORE_SIZE")


@dataclass(frozen=True, slots=True)
class Lz4Compressor:
    """Python-lz4's frame format.

    Raises:
        ConfigurationError: lz4 does not know the level or the size of blocks.
    """

    level: int = field(default=0, metadata=LEVEL)
    """0 to 2 (fast), 3 to 16 (smaller), negative (faster still)."""
    block_size: int = field(default=lz4.frame.BLOCKSIZE_DEFAULT, metadata=_BLOCK_SIZE)
    """0 for the default of 64 kB, or 4 (64 kB) to 7 (4 MB)."""
    checksum: bool = field(default=False, metadata=_CHECKSUM)
    """Whether a checksum of the whole is written, and checked by readers."""
    linked: bool = field(default=True, metadata=_LINKED)
    """Whether blocks refer to earlier ones, which makes them smaller."""
    store_size: bool = field(default=True, metadata=_STORE_SIZE)
    """Whether the frame says how long the original is."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Bytes; the most that an entry may be, decompressed."""
    magic: ClassVar[bytes] = b"\x04\x22\x4d\x18"

    def __post_init__(self) -> None:
        check(self.level, range(-(2**16), 17), "at most 16")
        check(self.block_size, (0, 4, 5, 6, 7), "0, or 4 to 7", _BLOCK_SIZE)

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, of `COMPRESS_LEVEL` and `COMPRESS_LZ4_…`."""
        return cls(**chosen(cls, options))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        packed: bytes = lz4.frame.compress(
            data,
            compression_level=self.level,
            block_size=self.block_size,
            content_checksum=bool(self.checksum),
            block_linked=bool(self.linked),
            store_size=bool(self.store_size),
        )
        return packed

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes."""
        return bounds.decompressed(lz4.frame.LZ4FrameDecompressor, data, self.max_size)
