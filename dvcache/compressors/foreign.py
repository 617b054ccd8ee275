"""Compressors of other settings: they read what was stored before the compressor was changed."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from dvcache.compressors.options import MAX_SIZE
from dvcache.errors import ConfigurationError
from dvcache.protocols import Compressor

_FORMATS: Final = (
    *("zstd.ZstdCompressor", "lz4.Lz4Compressor", "gzip.GzipCompressor"),
    *("zlib.ZlibCompressor", "lzma.LzmaCompressor", "bz2.Bz2Compressor"),
)
"""Those with a magic: their entries are told from others by their first bytes."""


@cache
def available(max_size: int) -> tuple[Compressor, ...]:
    """Return a compressor for each format that has a magic, and whose package is installed.

    Args:
        max_size: bytes; the most that an entry may be, decompressed.
    """
    return tuple(_available(max_size))


def _available(max_size: int) -> Iterator[Compressor]:
    for path in _FORMATS:
        module, _, name = path.partition(".")
        try:
            found = getattr(import_module(f"dvcache.compressors.{module}"), name)
            yield found.from_options({MAX_SIZE["option"]: max_size})
        except (ImportError, ConfigurationError):
            continue
