"""Compressors for entries that were stored under another COMPRESSOR setting."""

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
"""Formats with a magic number, recognised by the first bytes of an entry."""


@cache  # a failed import is slow, and this runs for every entry that the own compressor cannot read
def available(max_size: int) -> tuple[Compressor, ...]:
    """Return a compressor for each format with a magic number whose package is installed.

    Args:
        max_size: maximum decompressed size in bytes.
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
