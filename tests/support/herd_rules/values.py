"""Entries of every kind are served stale and recomputed."""

import json
from typing import Final

import pytest

from dvcache import Cache, serializers
from tests.support.herd_rules.world import K, World

VALUES: Final = (None, 0, 7, 1.5, "", "text", [1, {"a": None}], True, "x" * 5000)

SERIALIZERS: Final = (
    *serializers.__all__,
    "msgpack.MSGPackSerializer",
    "msgspec.MsgSpecJsonSerializer",
    "msgspec.MsgSpecMsgPackSerializer",
)


class ValueRules:
    """Rules for stored values of every kind."""

    @pytest.mark.parametrize("serializer", SERIALIZERS)
    @pytest.mark.parametrize("compressor", ["IdentityCompressor", "ZlibCompressor"])
    def test_values_of_every_kind_are_served_stale_and_recomputed(
        self, world: World, serializer: str, compressor: str
    ) -> None:
        world.raw("FLUSHDB")
        codec = {
            "SERIALIZER": f"dvcache.serializers.{serializer}",
            "COMPRESSOR": f"dvcache.compressors.{compressor}",
            "SIGNING_KEYS": ["a key that is long enough for all"],
        }
        first, second = world.process(**codec), world.process(**codec)
        for value in VALUES:
            first.set("k", value)
            world.make_stale()
            assert first.get("k", "a miss") == "a miss"
            assert second.get("k", "a miss") == second.get_or_set("k", "computed") == value
            assert json.dumps(second.get_many(["k"])) == json.dumps({"k": value})
            world.lapse()
            assert second.get_or_set("k", lambda value=value: value) == value
            assert world.plain.get("k", "a miss") == value if serializer == "PickleSerializer" else True
            assert not world.is_claimed()
            assert not world.is_stale()

    def test_undecodable_entry_is_computed_once(self, world: World, cache: Cache) -> None:
        world.raw("SET", K, b"\x80\xff junk")
        assert cache.get("k", "a miss") == "a miss"
        assert cache.get_or_set("k", "new") == "new"
        assert cache.get("k") == "new"
        assert not world.is_claimed()
