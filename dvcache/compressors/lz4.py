"""LZ4 in its frame format: the fastest to write and read. Needs the package `lz4`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self

import lz4.frame

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen, named

_BLOCK_SIZE: Final = named("COMPRESS_LZ4_BLOCK_SIZE")
_CHECKSUM: Final = named("COMPRESS_LZ4_CONTENT_CHECKSUM")
_LINKED: Final = named("COMPRESS_LZ4_BLOCK_LINKED")
_STORE_SIZE: Final = named("COMPRESS_LZ4_STORE_SIZE")


@dataclass(frozen=True, slots=True)
class Lz4Compressor:
    """Frame format of the package `lz4`.

    Raises:
        ConfigurationError: the level or the block size is invalid.
    """

    level: int = field(default=0, metadata=LEVEL)
    """0 to 2 (fast), 3 to 16 (smaller), negative (faster still)."""
    block_size: int = field(default=lz4.frame.BLOCKSIZE_DEFAULT, metadata=_BLOCK_SIZE)
    """0 for the default of 64 kB, or 4 (64 kB) to 7 (4 MB)."""
    checksum: bool = field(default=False, metadata=_CHECKSUM)
    """Store a checksum of the content, which readers verify."""
    linked: bool = field(default=True, metadata=_LINKED)
    """Let blocks refer to earlier ones, for a better ratio."""
    store_size: bool = field(default=True, metadata=_STORE_SIZE)
    """Store the original size in the frame."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Maximum decompressed size of an entry in bytes."""
    magic: ClassVar[bytes] = b"\x04\x22\x4d\x18"

    def __post_init__(self) -> None:
        check(self.level, range(-(2**16), 17), "at most 16")
        check(self.block_size, (0, 4, 5, 6, 7), "0, or 4 to 7", _BLOCK_SIZE)

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, configured by `COMPRESS_LEVEL` and `COMPRESS_LZ4_…`."""
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
        new: Any = lz4.frame.LZ4FrameDecompressor
        return bounds.decompressed(new, data, self.max_size)
