"""No compression."""

from typing_extensions import override

from django_valkey.compressors.base import BaseCompressor
from dvcache.compressors import identity


class IdentityCompressor(BaseCompressor):
    """Returns bytes unchanged; the default."""

    compress = identity.IdentityCompressor.compress  # type: ignore[assignment]  # the codec recognizes this function and skips it

    @override
    def _compress(self, value: bytes) -> bytes:
        return value

    @override
    def _decompress(self, value: bytes) -> bytes:
        return value
