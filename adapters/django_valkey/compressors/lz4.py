"""LZ4: the fastest to write and read. Needs the package `lz4`."""

from typing import Any

from django_valkey.compressors.base import CoreCompressor, Option
from dvcache.compressors import lz4


class Lz4Compressor(CoreCompressor):
    """Frame format of the package `lz4`."""

    core = lz4.Lz4Compressor
    block_size: Any = Option("COMPRESS_LZ4_BLOCK_SIZE", 0)
    content_checksum: Any = Option("COMPRESS_LZ4_CONTENT_CHECKSUM", False)
    block_linked: Any = Option("COMPRESS_LZ4_BLOCK_LINKED", True)
    store_size: Any = Option("COMPRESS_LZ4_STORE_SIZE", True)
