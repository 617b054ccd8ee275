"""Compressors: bytes to fewer bytes and back."""

from dvcache.compressors.identity import IdentityCompressor
from dvcache.compressors.zlib import ZlibCompressor

__all__ = ["IdentityCompressor", "ZlibCompressor"]
