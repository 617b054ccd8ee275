"""What compressors of a project's own inherit."""

from collections.abc import Mapping
from typing import Any

from django_valkey.exceptions import CompressorError


class BaseCompressor:
    """Makes bytes shorter.

    A project's own overrides `_compress` and `_decompress`, and may set `min_length` and `level`.

    Args:
        options: the alias's OPTIONS, with the global settings as defaults.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    @property
    def min_length(self) -> int:
        """Bytes; what is longer is compressed. `OPTIONS["COMPRESS_MIN_LENGTH"]`, or `CACHE_COMPRESS_MIN_LENGTH`."""
        length = self._options.get("COMPRESS_MIN_LENGTH")
        return 15 if length is None else int(length)

    @property
    def level(self) -> int | None:
        """How hard to try, None for the default. `OPTIONS["COMPRESS_LEVEL"]`, or `CACHE_COMPRESS_LEVEL`."""
        return self._options.get("COMPRESS_LEVEL")

    def compress(self, value: bytes) -> bytes:
        """Return the bytes, compressed where they are longer than the minimum."""
        return self._compress(value) if len(value) > self.min_length else value

    def decompress(self, value: bytes) -> bytes:
        """Return the original bytes.

        Raises:
            CompressorError: they were not compressed by this compressor.
        """
        try:
            return self._decompress(value)
        except Exception as error:
            raise CompressorError from error

    def _compress(self, value: bytes) -> bytes:
        raise NotImplementedError

    def _decompress(self, value: bytes) -> bytes:
        raise NotImplementedError
