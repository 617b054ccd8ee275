"""Signed and compressed entries conform: commands mean the same whatever the bytes are."""

from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.cache import Cache
from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import CacheConformance, MakeCache, wired


class TestCodecs(CacheConformance):
    @pytest.fixture(params=[("sync", "zstd.ZstdCompressor"), ("async", "brotli.BrotliCompressor")], ids="-".join)
    def make_cache(self, request: pytest.FixtureRequest) -> Iterator[MakeCache]:
        colour, compressor = request.param
        options: dict[str, Any] = {
            "SERIALIZER": "dvcache.serializers.SignedSerializer",
            "COMPRESSOR": f"dvcache.compressors.{compressor}",
            "SIGNING_KEYS": ["a secret"],
        }
        with wired(colour, "valkey://production/1", pool_factory=MemoryPoolFactory()) as make_cache:

            def make(**settings: Any) -> Cache:
                return make_cache(**settings | {"OPTIONS": options | settings.get("OPTIONS", {})})

            yield make
