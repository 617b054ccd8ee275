"""Compressors: bytes to fewer bytes and back.

Each of the others is in its module, which is imported where it is configured: `gzip.GzipCompressor`,
`bz2.Bz2Compressor`, `lzma.LzmaCompressor`, `lz4.Lz4Compressor`, `zstd.ZstdCompressor`, `brotli.BrotliCompressor`.
"""

from dvcache.compressors.identity import IdentityCompressor
from dvcache.compressors.zlib import ZlibCompressor

__all__ = ["IdentityCompressor", "ZlibCompressor"]
