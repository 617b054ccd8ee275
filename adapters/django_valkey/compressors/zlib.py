"""Zlib: DEFLATE (RFC 1951) in the frame of RFC 1950, in that of gzip, or bare."""

from functools import cached_property
from typing import Any

from typing_extensions import override

from django_valkey.compressors.base import BaseCompressor
from dvcache.compressors import zlib


class ZlibCompressor(BaseCompressor):
    """The standard library's zlib."""

    @property
    def wbits(self) -> int:
        """Size of the window. `OPTIONS["COMPRESS_ZLIB_WBITS"]`, or the global setting of that name."""
        wbits: Any = self._options.get("COMPRESS_ZLIB_WBITS")
        return 15 if wbits is None else wbits

    @cached_property
    def _zlib(self) -> zlib.ZlibCompressor:
        return zlib.ZlibCompressor(6 if self.level is None else self.level, self.wbits)

    @property
    def magic(self) -> bytes:
        """What all output starts with; empty where there is no frame."""
        return self._zlib.magic

    @override
    def _compress(self, value: bytes) -> bytes:
        return self._zlib.compress(value)

    @override
    def _decompress(self, value: bytes) -> bytes:
        return self._zlib.decompress(value)
