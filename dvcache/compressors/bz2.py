"""Bzip2: good ratio on text, slow to write and read."""

import bz2
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen


@dataclass(frozen=True, slots=True)
class Bz2Compressor:
    """The standard library's bz2.

    Raises:
        ConfigurationError: the level is invalid.
    """

    level: int = field(default=9, metadata=LEVEL)
    """Block size, 1 (100 kB) to 9 (900 kB)."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Maximum decompressed size of an entry in bytes."""
    magic: ClassVar[bytes] = b"BZh"

    def __post_init__(self) -> None:
        check(self.level, range(1, 10), "1 to 9")

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, configured by `COMPRESS_LEVEL`."""
        return cls(**chosen(cls, options))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        return bz2.compress(data, self.level)

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes."""
        return bounds.decompressed(bz2.BZ2Decompressor, data, self.max_size)
