"""Run the parts of the conformance suite that store values with every compressor and with plain and signed pickles.

Commands work alike for every codec, and the rest of the suite runs with the default one; serializers that cannot
express every value are tested in `test_codec_pairs.py`.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.cache import Cache
from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import MakeCache, wired
from dvcache.testing.conformance.hashes import HashesConformance
from dvcache.testing.conformance.lists import ListsConformance
from dvcache.testing.conformance.many import ManyConformance
from dvcache.testing.conformance.sets import SetsConformance
from dvcache.testing.conformance.sorted_sets import SortedSetsConformance
from dvcache.testing.conformance.values import ValuesConformance

CODECS = [
    ("sync", "signed.SignedSerializer", "zstd.ZstdCompressor"),
    ("async", "signed.SignedSerializer", "brotli.BrotliCompressor"),
    ("sync", "pickle.PickleSerializer", "zlib.ZlibCompressor"),
    ("async", "pickle.PickleSerializer", "lz4.Lz4Compressor"),
    ("sync", "signed.SignedSerializer", "gzip.GzipCompressor"),
    ("async", "pickle.PickleSerializer", "bz2.Bz2Compressor"),
    ("sync", "pickle.PickleSerializer", "lzma.LzmaCompressor"),
]
COLLECTIONS = CODECS[:2]

pytestmark = pytest.mark.full("codecs are in the fast path by `test_codec_pairs.py`")


@pytest.fixture(params=CODECS, ids=" ".join)
def make_cache(request: pytest.FixtureRequest) -> Iterator[MakeCache]:
    mode, serializer, compressor = request.param
    options: dict[str, Any] = {
        "SERIALIZER": f"dvcache.serializers.{serializer}",
        "COMPRESSOR": f"dvcache.compressors.{compressor}",
        **({"SIGNING_KEYS": ["a secret"]} if "Signed" in serializer else {}),
    }
    with wired(mode, "valkey://production/1", pool_factory=MemoryPoolFactory()) as make:

        def make_cache(**settings: Any) -> Cache:
            return make(**settings | {"OPTIONS": options | settings.get("OPTIONS", {})})

        yield make_cache


class TestEntries(ValuesConformance, ManyConformance):
    """Entries with every codec."""


@pytest.mark.parametrize("make_cache", COLLECTIONS, ids=" ".join, indirect=True)
class TestMembers(HashesConformance, ListsConformance, SetsConformance, SortedSetsConformance):
    """Members of collections with every codec."""
