"""No compression."""

from typing_extensions import override

from django_valkey.compressors.base import BaseCompressor
from dvcache.compressors import identity


class IdentityCompressor(BaseCompressor):
    """Leaves bytes as they are; the default."""

    compress = identity.IdentityCompressor.compress  # type: ignore[assignment]  # by it the codec sees that there is no work

    @override
    def _compress(self, value: bytes) -> bytes:
        return value

    @override
    def _decompress(self, value: bytes) -> bytes:
        return value
