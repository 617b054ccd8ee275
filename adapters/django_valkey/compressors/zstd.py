"""Zstandard (RFC 8878): fast, with a good ratio. Needs `backports.zstd` before Python 3.14."""

from typing import Any

from django_valkey.compressors.base import CoreCompressor, Option
from dvcache.compressors import zstd


class ZStdCompressor(CoreCompressor):
    """The standard library's zstd, or its backport."""

    core = zstd.ZstdCompressor
    options: Any = Option("COMPRESS_ZSTD_OPTIONS")
    zstd_dict: Any = Option("COMPRESS_ZSTD_DICT")
    decomp_options: Any = Option("DECOMPRESS_ZSTD_OPTIONS")
    decomp_zstd_dict: Any = Option("DECOMPRESS_ZSTD_DICT")
