"""Zlib: DEFLATE (RFC 1951) in the frame of RFC 1950, in that of gzip, or bare."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from dvcache.errors import ConfigurationError

_WIDEST: Final = 15
_GZIP: Final = 16
"""What zlib adds to the window for the frame of gzip."""
_WINDOWS: Final = frozenset({*range(9, 16), *range(-15, -8), *range(25, 32)})


@dataclass(frozen=True, slots=True)
class ZlibCompressor:
    """The standard library's zlib.

    Raises:
        ConfigurationError: zlib does not know the level or the window.
    """

    level: int = 6
    """0 (stored) to 9 (smallest), or -1 for zlib's own choice."""
    wbits: int = 15
    """Base-two logarithm of the window: 9 to 15; negative without a frame, 25 to 31 in gzip's."""
    magic: bytes = field(init=False, repr=False)
    """What all output starts with; empty where there is no frame."""

    def __post_init__(self) -> None:
        if self.level not in range(-1, 10):
            raise ConfigurationError(f"must be -1 to 9, not {self.level}", key="OPTIONS['COMPRESS_LEVEL']")
        if self.wbits not in _WINDOWS:
            message = f"must be 9 to 15, -15 to -9 or 25 to 31, not {self.wbits}"
            raise ConfigurationError(message, key="OPTIONS['COMPRESS_ZLIB_WBITS']")
        # The second byte of zlib's own frame tells the level: what another level wrote must be read too.
        length = 0 if self.wbits < 0 else 2 if self.wbits > _GZIP else 1
        object.__setattr__(self, "magic", self.compress(b"")[:length])

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, of `COMPRESS_LEVEL` and `COMPRESS_ZLIB_WBITS`."""
        return cls(_whole(options, "COMPRESS_LEVEL", 6), _whole(options, "COMPRESS_ZLIB_WBITS", 15))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        return zlib.compress(data, self.level, self.wbits)

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes, whatever the window that they were compressed with."""
        frame = _GZIP if self.wbits > _GZIP else 0
        return zlib.decompress(data, -_WIDEST if self.wbits < 0 else _WIDEST + frame)


def _whole(options: Mapping[str, object], name: str, default: int) -> int:
    value = options.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"must be a whole number, not {type(value).__name__}", key=f"OPTIONS[{name!r}]")
    return value
