"""Zlib: DEFLATE (RFC 1951) in the frame of RFC 1950, in that of gzip, or bare."""

from typing import Any

from django_valkey.compressors.base import CoreCompressor, Option
from dvcache.compressors import zlib


class ZlibCompressor(CoreCompressor):
    """The standard library's zlib."""

    core = zlib.ZlibCompressor
    wbits: Any = Option("COMPRESS_ZLIB_WBITS", 15)
