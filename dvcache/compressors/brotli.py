"""Brotli (RFC 7932): good ratio on short text. Needs the package `brotli`, 1.2 or later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

import brotli

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen, named
from dvcache.errors import ConfigurationError

_MODE: Final = named("COMPRESS_BROTLI_MODE")
_WINDOW: Final = named("COMPRESS_BROTLI_LGWIN")
_BLOCK: Final = named("COMPRESS_BROTLI_LGBLOCK")
_BLOCKS: Final = frozenset({0, *range(16, 25)})


@dataclass(frozen=True, slots=True)
class BrotliCompressor:
    """Google's brotli. The format has no magic number, so readers have to try.

    Raises:
        ConfigurationError: the level, window or block size is invalid, or brotli is older than 1.2.
    """

    level: int = field(default=4, metadata=LEVEL)
    """Quality, 0 (fastest) to 11 (smallest, a hundred times slower than 4)."""
    mode: str = field(default="GENERIC", metadata=_MODE)
    """Type of the values: "TEXT" or "FONT"; anything else means "GENERIC"."""
    window: int = field(default=22, metadata=_WINDOW)
    """Base-2 logarithm of the window size, 10 to 24."""
    block: int = field(default=0, metadata=_BLOCK)
    """Base-2 logarithm of the block size, 16 to 24, or 0 for brotli's choice."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Maximum decompressed size of an entry in bytes."""
    magic: ClassVar[bytes] = b""

    def __post_init__(self) -> None:
        check(self.level, range(12), "0 to 11")
        check(self.window, range(10, 25), "10 to 24", _WINDOW)
        check(self.block, _BLOCKS, "0, or 16 to 24", _BLOCK)
        if not hasattr(brotli.Decompressor, "can_accept_more_data"):
            raise ConfigurationError("this brotli cannot limit the decompressed size; pip install 'dvcache[brotli]'")

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, configured by `COMPRESS_LEVEL` and `COMPRESS_BROTLI_…`."""
        return cls(**chosen(cls, options))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        mode = {"TEXT": brotli.MODE_TEXT, "FONT": brotli.MODE_FONT}.get(self.mode.upper(), brotli.MODE_GENERIC)
        packed: bytes = brotli.compress(data, mode=mode, quality=self.level, lgwin=self.window, lgblock=self.block)
        return packed

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes."""
        return bounds.decompressed(_Decompressor, data, self.max_size)


class _Decompressor:
    """Adapts brotli's decompressor to `bounds.Decompressor`. Brotli itself rejects bytes after the frame."""

    __slots__ = ("_decompressor",)

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    @property
    def unused_data(self) -> bytes:
        return b""

    @property
    def eof(self) -> bool:
        return bool(self._decompressor.is_finished())

    @property
    def needs_input(self) -> bool:
        return bool(self._decompressor.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece: bytes = self._decompressor.process(data, output_buffer_limit=max_length)
        return piece
