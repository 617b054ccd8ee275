"""LZMA: the best ratio, slow to write."""

from typing import Any

from django_valkey.compressors.base import CoreCompressor, Option
from dvcache.compressors import lzma


class LzmaCompressor(CoreCompressor):
    """The standard library's lzma."""

    core = lzma.LzmaCompressor
    format: Any = Option("COMPRESS_LZMA_FORMAT", 1)
    check: Any = Option("COMPRESS_LZMA_CHECK", -1)
    filters: Any = Option("COMPRESS_LZMA_FILTERS")
    memlimit: Any = Option("DECOMPRESS_LZMA_MEMLIMIT")
    decomp_format: Any = Option("DECOMPRESS_LZMA_FORMAT")
    decomp_filters: Any = Option("DECOMPRESS_LZMA_FILTERS")
