"""Brotli (RFC 7932): good ratio on short text. Needs the package `brotli`."""

from typing import Any

from django_valkey.compressors.base import CoreCompressor, Option
from dvcache.compressors import brotli


class BrotliCompressor(CoreCompressor):
    """Google's brotli."""

    core = brotli.BrotliCompressor
    mode: Any = Option("COMPRESS_BROTLI_MODE", "GENERIC")
    lgwin: Any = Option("COMPRESS_BROTLI_LGWIN", 22)
    lgblock: Any = Option("COMPRESS_BROTLI_LGBLOCK", 0)
