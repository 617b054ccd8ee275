"""Serializers, compressors and integers for tests of codecs."""

from hypothesis import strategies as st

from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.protocols import Compressor, Serializer
from dvcache.serializers import JSONSerializer, PickleSerializer

SERIALIZERS: list[Serializer] = [PickleSerializer(), PickleSerializer(0), PickleSerializer(-1), JSONSerializer()]
COMPRESSORS: list[Compressor] = [
    IdentityCompressor(),
    *(ZlibCompressor(level, wbits) for level, wbits in ((6, 15), (0, 15), (9, 9), (6, -15), (6, 31))),
]
compressors = st.sampled_from(COMPRESSORS)

integers = st.integers(1, 200).flatmap(lambda bits: st.integers(-(2**bits), 2**bits))


class RawSerializer:
    """A serializer of bytes as they are, without a mark."""

    def dumps(self, value: object, /) -> bytes:
        assert isinstance(value, bytes)
        return value

    def loads(self, data: bytes, /) -> object:
        return data


class TextSerializer:
    """A serializer of text as UTF-8, in which numbers have no mark."""

    def dumps(self, value: object, /) -> bytes:
        return str(value).encode()

    def loads(self, data: bytes, /) -> object:
        return data.decode()
