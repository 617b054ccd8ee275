"""Gzip: DEFLATE (RFC 1951) in the gzip format (RFC 1952)."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen
from dvcache.compressors.zlib import LEVELS, Inflater

_WBITS: Final = 31
"""Zlib's largest window (15), plus 16 for the gzip format."""


@dataclass(frozen=True, slots=True)
class GzipCompressor:
    """The standard library's gzip, without a timestamp: equal values are stored as equal bytes.

    Raises:
        ConfigurationError: the level is invalid.
    """

    level: int = field(default=9, metadata=LEVEL)
    """0 (stored) to 9 (smallest), or -1 for zlib's default."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Maximum decompressed size of an entry in bytes."""
    magic: ClassVar[bytes] = b"\x1f\x8b"

    def __post_init__(self) -> None:
        check(self.level, LEVELS, "-1 to 9")

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, configured by `COMPRESS_LEVEL`."""
        return cls(**chosen(cls, options))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        return zlib.compress(data, self.level, _WBITS)

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes."""
        return bounds.decompressed(lambda: Inflater(_WBITS), data, self.max_size)
