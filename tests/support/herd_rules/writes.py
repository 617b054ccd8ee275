"""Rules 3 and 6: every write drops the lease; conditional writes treat a stale entry as missing."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from dvcache import Cache
from tests.support.herd_rules.world import H, K, World

WRITES: Final[dict[str, Callable[[Cache], object]]] = {
    "set": lambda cache: cache.set("k", "written"),
    "set for ever": lambda cache: cache.set("k", "written", None),
    "set nx": lambda cache: cache.set("k", "written", nx=True),
    "set get": lambda cache: cache.set("k", "written", get=True),
    "set with a timeout of 0": lambda cache: cache.set("k", "written", 0),
    "add": lambda cache: cache.add("k", "written"),
    "set_many": lambda cache: cache.set_many({"k": "written", "other": 1}),
    "mset": lambda cache: cache.mset({"k": "written"}),
    "delete": lambda cache: cache.delete("k"),
    "delete_many": lambda cache: cache.delete_many(["k", "other"]),
    "incr": lambda cache: cache.incr("k", default=1),
    "decr of a float": lambda cache: cache.decr("k", 0.5, default=1.0),
    "incr_version": lambda cache: cache.incr_version("k"),
    "touch with a timeout of 0": lambda cache: cache.touch("k", 0),
    "expire_at a moment that has passed": lambda cache: cache.expire_at("k", 1),
    "delete_pattern": lambda cache: cache.delete_pattern("k*"),
    "clear": lambda cache: cache.clear(),
}
"""Writes to a stale entry."""

each_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


class WriteRules:
    """The rules of writes."""

    # 3: every write drops the lease

    @each_write
    def test_every_write_drops_the_lease(self, world: World, cache: Cache, write: Callable[[Cache], object]) -> None:
        cache.set("k", 1)
        world.make_stale()
        world.claim()
        write(cache)
        assert not world.is_claimed()

    @each_write
    def test_write_during_a_computation_is_not_undone_by_its_result(
        self, world: World, cache: Cache, write: Callable[[Cache], object]
    ) -> None:
        cache.set("k", 1)
        world.make_stale()
        other = world.other()
        there: list[Any] = []

        def compute() -> str:
            write(other)
            there.append(world.raw("GET", K))
            return "computed"

        found = cache.get_or_set("k", compute)
        assert world.raw("GET", K) == there[0]
        assert found == "computed" if there == [None] else found == other.get("k")

    # 6: a stale entry counts as missing, but exists

    def test_stale_entry_is_missing_for_conditional_writes(self, world: World, cache: Cache) -> None:
        def stale(value: object = 1) -> None:
            cache.set("k", value)
            world.make_stale()

        stale()
        for delta in (1, 0.5):
            with pytest.raises(ValueError, match="not found"):
                cache.incr("k", delta)
        assert [cache.touch("k", 100), cache.touch("k", None), cache.expire("k", 5)] == [False, False, False]
        assert [cache.expire_at("k", world.clock() + 1000), cache.persist("k")] == [False, False]
        assert [cache.set("k", 2, xx=True), cache.set("k", 2, xx=True, get=True)] == [False, None]
        assert world.is_stale()
        assert cache.add("k", "added") is True
        assert [cache.add("k", 3), cache.get("k")] == [False, "added"]
        stale()
        assert cache.set("k", 2, nx=True, get=True) is None
        assert cache.set("k", 3, nx=True, get=True) == 2
        stale()
        assert cache.set("k", 2, get=True) is None
        for delta in (1, 0.5):
            stale()
            assert cache.incr("k", delta, default=10, timeout=100) == 10 + delta
            assert cache.get("k") == 10 + delta
            assert cache.ttl("k") in {99, 100}

    def test_fresh_entry_is_counted_touched_and_expired_with_the_herd_timeout(self, world: World, cache: Cache) -> None:
        cache.set("k", 1, 100)
        assert [cache.incr("k"), cache.incr("k", 0.5), cache.get("k")] == [2, 2.5, 2.5]
        assert 95_000 + H < world.raw("PTTL", K) <= 100_000 + H
        assert cache.touch("k", 200) is True
        assert 195_000 + H < world.raw("PTTL", K) <= 200_000 + H
        assert cache.touch("k", None) is True
        assert cache.ttl("k") is None
        assert cache.expire("k", 300) is True
        assert cache.ttl("k") == 300
        assert cache.persist("k") is True
        assert cache.persist("k") is False

    def test_entry_of_another_type_may_be_fresh_or_stale(self, world: World, cache: Cache) -> None:
        world.raw("SADD", K, "member")
        assert [cache.add("k", 1), cache.expire("k", 100), cache.persist("k")] == [False, True, True]
        assert cache.touch("k", 100) is True
        assert cache.ttl("k") in {99, 100}
        world.make_stale()
        assert [cache.touch("k", 100), cache.expire("k", 100), cache.persist("k")] == [False, False, False]
        assert [cache.has_key("k"), cache.ttl("k"), world.is_claimed()] == [True, 0, False]
        assert cache.add("k", 1) is True
        assert cache.get("k") == 1

    def test_has_key_agrees_with_served_callers_and_never_claims(self, world: World, cache: Cache) -> None:
        cache.set("k", 1)
        world.make_stale()
        assert cache.has_key("k") is True
        assert not world.is_claimed()

    def test_ttl_of_a_stale_entry_is_none(self, world: World, cache: Cache) -> None:
        cache.set("k", 1)
        world.make_stale()
        assert (cache.ttl("k"), cache.pttl("k")) == (0, 0)

    def test_stale_entry_is_deleted_and_renamed_as_it_is(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        assert cache.incr_version("k") == 2
        assert cache.get("k", version=2) is None
        assert world.process().get("k", version=2) == "old"
        assert cache.delete("k", version=2) is True
