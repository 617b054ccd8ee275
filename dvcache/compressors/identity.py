"""No compression."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class IdentityCompressor:
    """Returns bytes unchanged. The codec skips the call altogether."""

    @classmethod
    def from_options(cls, _options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias; it reads no option."""
        return cls()

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes."""
        return data

    def decompress(self, data: bytes, /) -> bytes:
        """Return the bytes."""
        return data
