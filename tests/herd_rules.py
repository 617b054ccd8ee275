"""The rules of the herd policy as a suite, for the in-memory server and for real ones, in both colours.

A world is one database and any number of processes: each `process()` is a cache of a container of its own.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Literal, cast

import pytest

from dvcache import Cache, Container, PoolFactory, Settings
from dvcache.clients.replicated import AsyncReadOnly, ReadOnly
from dvcache.testing import ManualClock
from dvcache.testing.conformance import Blocking
from dvcache.types import Arg

H: Final = 60_000
L: Final = 30_000
K: Final = b":1:k"
LEASE: Final = b":1:k:lease"

Raw = Callable[..., Any]


class World:
    """One database, and those who use it.

    Args:
        colour: of the processes' caches.
        location: the LOCATION.
        pool_factory: what reaches it; None for the one of production.
    """

    def __init__(
        self, colour: Literal["sync", "async"], location: str, stack: ExitStack, pool_factory: PoolFactory | None = None
    ) -> None:
        self.clock = ManualClock()
        """The clock of the processes, not of the server."""
        self._colour, self._location, self._factory = colour, location, pool_factory
        self._runner = stack.enter_context(asyncio.Runner())
        self._stack = stack
        self.plain = self.process(HERD=False)
        self._client = self.container(HERD=False).client()

    def container(self, **options: object) -> Container:
        settings = Settings.parse({"LOCATION": self._location, "OPTIONS": {"HERD": True, **options}})
        more: dict[str, Any] = {} if self._factory is None else {"pool_factory": self._factory}
        container = Container(settings, clock=self.clock, **more)
        self._stack.callback(lambda: self._runner.run(container.aclose()))
        return container

    def process(self, **options: object) -> Cache:
        return self._cache(self.container(**options))

    def reader(self) -> Cache:
        """A process that may only read."""
        whole = self.container()
        clients = {"client": ReadOnly(whole.client()), "async_client": AsyncReadOnly(whole.async_client())}
        return self._cache(Container(whole.settings, **clients, clock=self.clock))  # type: ignore[arg-type]  # by name

    def _cache(self, container: Container) -> Cache:
        if self._colour == "sync":
            return container.cache()
        return cast("Cache", Blocking(container.async_cache(), self._runner))

    def other(self) -> Cache:
        """A process that what is computed may use, on whatever loop it is."""
        return self.container().cache()

    def raw(self, *command: Arg) -> Any:
        [reply] = self._client.execute((command,))
        return reply

    def make_stale(self, *keys: str) -> None:
        for key in keys or ("k",):
            assert self.raw("PEXPIRE", f":1:{key}", H - 1000) == 1

    def is_stale(self) -> bool:
        return 0 <= int(self.raw("PTTL", K)) <= H

    def claim(self, token: bytes = b"another") -> None:
        """Have a process of another's hold the lease."""
        assert self.raw("SET", LEASE, token, "NX", "PX", L) == b"OK"

    def lapse(self) -> None:
        """Let the time of a lease pass."""
        self.raw("UNLINK", LEASE)
        self.clock.advance(L / 1000 + 1)

    def is_claimed(self) -> bool:
        return self.raw("EXISTS", LEASE) == 1


@contextmanager
def world_of(
    colour: Literal["sync", "async"], location: str, pool_factory: PoolFactory | None = None
) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(colour, location, stack, pool_factory)


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
"""What writes an entry that is stale."""

each_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


class HerdRules:
    """The rules by their numbers. A subclass has a fixture `world`."""

    @pytest.fixture
    def cache(self, world: World) -> Cache:
        world.raw("FLUSHDB")
        return world.process()

    # 1: a read asks for the entry and its lifetime; what is fresh is served

    def test_what_is_fresh_is_served_without_a_claim(self, world: World, cache: Cache) -> None:
        cache.set("k", "value", 100)
        assert cache.get("k") == "value"
        assert cache.get_many(["k"]) == {"k": "value"}
        assert cache.get_or_set("k", "other") == "value"
        assert not world.is_claimed()

    def test_an_entry_lives_its_timeout_and_then_the_herds_time(self, world: World, cache: Cache) -> None:
        cache.set("k", 1, 100)
        assert 100_000 + H - 5000 < world.raw("PTTL", K) <= 100_000 + H

    def test_what_lives_for_ever_is_never_stale(self, world: World, cache: Cache) -> None:
        cache.set("k", "value", None)
        assert world.raw("PTTL", K) == -1
        assert cache.get("k") == "value"
        assert not world.is_claimed()
        assert cache.ttl("k") is None

    # 2: what is stale is claimed

    def test_of_those_who_find_it_stale_one_misses_and_the_others_are_served(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        assert cache.get("k", "a miss") == "a miss"
        assert world.is_claimed()
        assert [cache.get("k", "a miss"), world.process().get("k", "a miss")] == ["old", "old"]
        cache.set("k", "new")
        assert not world.is_claimed()
        assert cache.get("k") == "new"

    def test_a_lease_that_lapsed_is_claimed_again(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        assert cache.get("k") is None
        world.lapse()
        assert cache.get("k") is None

    def test_of_many_entries_one_reader_misses_the_stale_ones(self, world: World, cache: Cache) -> None:
        cache.set_many({"a": None, "b": "old", "c": 3, "d": 4})
        world.make_stale("a", "c")
        assert cache.get_many("abcde") == {"b": "old", "d": 4}
        assert world.process().get_many("abcde") == {"a": None, "b": "old", "c": 3, "d": 4}
        assert world.process().mget("ac") == {"a": None, "c": 3}
        cache.set_many({"a": 1, "c": 2})
        assert cache.get_many("ac") == {"a": 1, "c": 2}

    # 3: every write drops the lease

    @each_write
    def test_every_write_drops_the_lease(self, world: World, cache: Cache, write: Callable[[Cache], object]) -> None:
        cache.set("k", 1)
        world.make_stale()
        world.claim()
        write(cache)
        assert not world.is_claimed()

    @each_write
    def test_what_was_written_during_a_computation_is_not_undone_by_its_result(
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

    # 4: publishing

    @pytest.mark.parametrize("state", ["stale", "missing"])
    def test_what_the_holder_computed_is_stored_and_the_lease_dropped(
        self, world: World, cache: Cache, state: str
    ) -> None:
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

    def test_who_lost_the_lease_stores_where_there_is_nothing_fresh_and_leaves_the_others_lease(
        self, world: World, cache: Cache
    ) -> None:
        def compute() -> str:
            world.lapse()
            world.claim()
            return "late"

        assert cache.get_or_set("k", compute) == "late"
        assert cache.get("k") == "late"
        assert world.is_claimed()

    def test_who_lost_the_lease_never_overwrites_what_is_newer(self, world: World, cache: Cache) -> None:
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
    def test_after_the_leases_time_only_what_was_claimed_is_replaced_and_a_warning_says_so(
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

    def test_a_plain_set_always_stores(self, world: World, cache: Cache) -> None:
        world.claim()
        assert cache.set("k", "value") is True
        assert cache.get("k") == "value"

    def test_get_or_set_with_a_timeout_of_zero_stores_nothing_and_drops_the_lease(
        self, world: World, cache: Cache
    ) -> None:
        assert cache.get_or_set("k", "value", 0) == "value"
        assert (world.raw("EXISTS", K), world.is_claimed()) == (0, False)

    # 5: who claims, who waits

    def test_get_never_claims_what_is_missing(self, world: World, cache: Cache) -> None:
        assert cache.get("k") is None
        assert cache.get_many(["k"]) == {}
        assert not world.is_claimed()

    @pytest.mark.parametrize("state", ["stale", "missing"])
    def test_who_raises_drops_the_lease(self, world: World, cache: Cache, state: str) -> None:
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

    def test_what_cannot_be_stored_drops_the_lease(self, world: World, cache: Cache) -> None:
        with pytest.raises(TypeError, match="serialize"):
            cache.get_or_set("k", lambda: lambda: None)
        assert not world.is_claimed()

    def test_who_has_waited_long_enough_computes_without_the_lease(self, world: World) -> None:
        world.raw("FLUSHDB")
        world.claim()
        patient = world.process(HERD={"wait": 0.03})
        assert patient.get_or_set("k", "own") == "own"
        assert world.process().get("k") == "own"

    def test_who_is_called_to_compute_may_ask_for_the_same_entry(self, world: World, cache: Cache) -> None:
        inner = world.other()

        def compute() -> object:
            return "outer " + str(inner.get("k"))

        assert cache.get_or_set("k", compute) == "outer None"

    # 6: a stale entry is none, but is there

    def test_to_writes_that_ask_a_stale_entry_is_none(self, world: World, cache: Cache) -> None:
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

    def test_a_fresh_entry_is_counted_touched_and_let_expire_with_the_herds_time(
        self, world: World, cache: Cache
    ) -> None:
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

    def test_has_key_agrees_with_those_who_are_served_and_never_claims(self, world: World, cache: Cache) -> None:
        cache.set("k", 1)
        world.make_stale()
        assert cache.has_key("k") is True
        assert not world.is_claimed()

    def test_what_is_left_of_a_stale_entry_is_nothing(self, world: World, cache: Cache) -> None:
        cache.set("k", 1)
        world.make_stale()
        assert (cache.ttl("k"), cache.pttl("k")) == (0, 0)

    def test_a_stale_entry_is_deleted_and_moved_as_it_is(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        assert cache.incr_version("k") == 2
        assert cache.get("k", version=2) is None
        assert world.process().get("k", version=2) == "old"
        assert cache.delete("k", version=2) is True

    # 7: leases are not shown

    def test_no_scan_shows_a_lease_and_no_count_counts_it(self, world: World, cache: Cache) -> None:
        cache.set_many({"k": 1, "l": 2})
        world.make_stale("k", "l")
        cache.get_many(["k", "l"])
        assert world.raw("EXISTS", LEASE, b":1:l:lease") == 2
        assert sorted(cache.keys("*")) == sorted(cache.iter_keys("*")) == ["k", "l"]
        assert sorted(cache.scan_page("*")[1]) == ["k", "l"]
        assert cache.delete_pattern("k") == 1
        assert not world.is_claimed()
        assert cache.delete_pattern("*") == 1
        assert world.raw("DBSIZE") == 0

    def test_a_pattern_deletes_the_lease_of_what_is_being_computed(self, world: World, cache: Cache) -> None:
        other = world.other()

        def compute() -> str:
            assert other.delete_pattern("k*") == 0
            return "computed before"

        assert cache.get_or_set("k", compute) == "computed before"
        assert cache.has_key("k") is False

    # 8: entries of others

    def test_an_entry_of_a_plain_cache_with_less_than_the_herds_time_is_missed_once(
        self, world: World, cache: Cache
    ) -> None:
        world.plain.set("k", "plain", 30)
        assert cache.get("k") is None
        assert [cache.get("k"), world.process().get("k")] == ["plain", "plain"]

    def test_a_plain_cache_reads_what_a_herd_stores(self, world: World, cache: Cache) -> None:
        for value in (None, 5, [1], "text"):
            cache.set("k", value)
            assert world.plain.get("k", "a miss") == value

    # values of every kind

    @pytest.mark.parametrize("value", [None, 0, 7, 1.5, "", "text", [1, {"a": None}], True, "x" * 5000])
    @pytest.mark.parametrize("serializer", ["pickle.PickleSerializer", "json.JSONSerializer"])
    @pytest.mark.parametrize("compressor", ["identity.IdentityCompressor", "zlib.ZlibCompressor"])
    def test_values_of_every_kind_are_served_stale_and_recomputed(
        self, world: World, value: object, serializer: str, compressor: str
    ) -> None:
        world.raw("FLUSHDB")
        codec = {
            "SERIALIZER": f"dvcache.serializers.{serializer}",
            "COMPRESSOR": f"dvcache.compressors.{compressor}",
        }
        first, second = world.process(**codec), world.process(**codec)
        first.set("k", value)
        world.make_stale()
        assert first.get("k", "a miss") == "a miss"
        assert second.get("k", "a miss") == second.get_or_set("k", "computed") == value
        assert json.dumps(second.get_many(["k"])) == json.dumps({"k": value})
        world.lapse()
        assert second.get_or_set("k", lambda: value) == value
        assert world.plain.get("k", "a miss") == value if "pickle" in serializer else True
        assert not world.is_claimed()
        assert not world.is_stale()

    def test_an_entry_that_cannot_be_decoded_is_computed_once(self, world: World, cache: Cache) -> None:
        world.raw("SET", K, b"\x80\xff junk")
        assert cache.get("k", "a miss") == "a miss"
        assert cache.get_or_set("k", "new") == "new"
        assert cache.get("k") == "new"
        assert not world.is_claimed()

    def test_a_cache_that_may_not_write_serves_what_is_stale(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        read_only = world.reader()
        assert [read_only.get("k"), read_only.get_many(["k"])] == ["old", {"k": "old"}]
        assert not world.is_claimed()
