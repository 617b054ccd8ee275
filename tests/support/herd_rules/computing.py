"""Rules 4 and 5: a computed value is stored as far as the lease allows; claims and waits."""

from collections.abc import Callable

import pytest

from dvcache import Cache
from tests.support.herd_rules.world import H, K, World


class ComputingRules:
    """The rules of get_or_set."""

    # 4: publishing

    @pytest.mark.parametrize("state", ["stale", "missing"])
    def test_computed_value_is_stored_and_the_lease_dropped(self, world: World, cache: Cache, state: str) -> None:
        if state == "stale":
            cache.set("k", "old")
            world.make_stale()
        held: list[bool] = []

        def compute() -> str:
            held.append(world.is_claimed())
            return "new"

        assert cache.get_or_set("k", compute, 100) == "new"
        assert held == [True]
        assert not world.is_claimed()
        assert cache.get("k") == "new"
        assert 99_000 < (cache.pttl("k") or 0) <= 100_000

    def test_lost_lease_stores_over_nothing_fresh_and_keeps_the_new_lease(self, world: World, cache: Cache) -> None:
        def compute() -> str:
            world.lapse()
            world.claim()
            return "late"

        assert cache.get_or_set("k", compute) == "late"
        assert cache.get("k") == "late"
        assert world.is_claimed()

    def test_lost_lease_never_overwrites_a_newer_value(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        other = world.other()

        def compute() -> str:
            world.lapse()
            assert other.get_or_set("k", lambda: "newer") == "newer"
            world.claim()
            return "late"

        assert cache.get_or_set("k", compute) == "newer"
        assert other.get("k") == "newer"

    @pytest.mark.parametrize(
        ("change", "stored"),
        [
            (lambda _: None, "late"),
            (lambda world: world.raw("UNLINK", K), "late"),
            (lambda world: world.raw("SET", K, "7", "PX", H * 2), 7),
        ],
        ids=["nothing was written", "it went", "another one was written"],
    )
    def test_expired_lease_replaces_only_the_claimed_value_with_a_warning(
        self,
        world: World,
        cache: Cache,
        caplog: pytest.LogCaptureFixture,
        change: Callable[[World], object],
        stored: object,
    ) -> None:
        cache.set("k", "old")
        world.make_stale()

        def compute() -> str:
            world.lapse()
            change(world)
            return "late"

        assert cache.get_or_set("k", compute) == stored
        assert world.plain.get("k") == stored
        assert "longer lease" in caplog.text
        assert "late" not in caplog.text

    def test_plain_set_always_stores(self, world: World, cache: Cache) -> None:
        world.claim()
        assert cache.set("k", "value") is True
        assert cache.get("k") == "value"

    def test_get_or_set_with_a_timeout_of_zero_drops_the_lease_unstored(self, world: World, cache: Cache) -> None:
        assert cache.get_or_set("k", "value", 0) == "value"
        assert (world.raw("EXISTS", K), world.is_claimed()) == (0, False)

    # 5: claims and waits

    def test_get_never_claims_a_missing_entry(self, world: World, cache: Cache) -> None:
        assert cache.get("k") is None
        assert cache.get_many(["k"]) == {}
        assert not world.is_claimed()

    @pytest.mark.parametrize("state", ["stale", "missing"])
    def test_failed_computation_drops_the_lease(self, world: World, cache: Cache, state: str) -> None:
        if state == "stale":
            cache.set("k", "old")
            world.make_stale()

        def fail() -> str:
            assert world.is_claimed()
            raise LookupError

        for _ in range(2):
            with pytest.raises(LookupError):
                cache.get_or_set("k", fail)
            assert not world.is_claimed()
        assert world.process().get_or_set("k", "new") == "new"

    def test_unstorable_value_drops_the_lease(self, world: World, cache: Cache) -> None:
        with pytest.raises(TypeError, match="serialize"):
            cache.get_or_set("k", lambda: lambda: None)
        assert not world.is_claimed()

    def test_waiter_past_its_limit_computes_without_the_lease(self, world: World) -> None:
        world.raw("FLUSHDB")
        world.claim()
        patient = world.process(HERD={"wait": 0.03})
        assert patient.get_or_set("k", "own") == "own"
        assert world.process().get("k") == "own"

    def test_function_of_get_or_set_may_get_the_same_entry(self, world: World, cache: Cache) -> None:
        inner = world.other()

        def compute() -> object:
            return "outer " + str(inner.get("k"))

        assert cache.get_or_set("k", compute) == "outer None"
