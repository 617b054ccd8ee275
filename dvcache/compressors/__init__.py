"""Compressors: shorten stored bytes and restore them.

`options` reads the settings of each, `bounds` limits decompression, `foreign` recognizes the entries of another
compressor. The others are imported from their modules when configured: `gzip.GzipCompressor`,
`bz2.Bz2Compressor`, `lzma.LzmaCompressor`, `lz4.Lz4Compressor`, `zstd.ZstdCompressor`, `brotli.BrotliCompressor`.
"""

from dvcache.compressors.identity import IdentityCompressor
from dvcache.compressors.zlib import ZlibCompressor

__all__ = ["IdentityCompressor", "ZlibCompressor"]
