"""Zlib: DEFLATE (RFC 1951) in the zlib format (RFC 1950), the gzip format (RFC 1952), or raw."""

from typing import Any

from django_valkey.compressors.base import CoreCompressor, Option
from dvcache.compressors import zlib


class ZlibCompressor(CoreCompressor):
    """The standard library's zlib."""

    core = zlib.ZlibCompressor
    wbits: Any = Option("COMPRESS_ZLIB_WBITS", 15)
