"""get_or_set_many: values stored meanwhile, claims of the herd policy, errors, coroutine functions, ignored errors."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from dvcache import Cache, ConnectError, Container, ServerError, Settings
from dvcache.effects import OnPrimary, Op
from dvcache.policies.side_by_side import together
from dvcache.testing import ManualClock, MemoryPoolFactory

PLAIN: dict[str, Any] = {}
HERD: dict[str, Any] = {"HERD": {"timeout": 100, "lease": 30, "wait": 5}}
POLICIES = pytest.mark.parametrize("options", [PLAIN, HERD], ids=["plain", "herd"])


def container(clock: ManualClock | None = None, **options: Any) -> Container:
    settings = Settings.parse({"LOCATION": "valkey://nowhere", "TIMEOUT": 10, "OPTIONS": options}, alias="pages")
    clock = clock or ManualClock()
    return Container(settings, pool_factory=MemoryPoolFactory(clock), clock=clock)


def ones(keys: Sequence[str]) -> dict[str, int]:
    return dict.fromkeys(keys, 1)


@POLICIES
def test_value_stored_meanwhile_is_kept_and_returned(options: dict[str, Any]) -> None:
    cache = container(**options).cache()

    def load(keys: list[str]) -> dict[str, str]:
        cache.set("a", "theirs")
        return dict.fromkeys(keys, "mine")

    assert cache.get_or_set_many(["a", "b"], load) == {"a": "theirs", "b": "mine"}
    assert cache.get_many(["a", "b"]) == {"a": "theirs", "b": "mine"}


@POLICIES
def test_value_stored_meanwhile_is_kept_by_a_coroutine(options: dict[str, Any]) -> None:
    async def main() -> None:
        cache = container(**options).async_cache()

        async def load(keys: list[str]) -> dict[str, str]:
            await cache.set("a", "theirs")
            return dict.fromkeys(keys, "mine")

        assert await cache.get_or_set_many(["a", "b"], load) == {"a": "theirs", "b": "mine"}
        assert await cache.get_many(["a", "b"]) == {"a": "theirs", "b": "mine"}

    asyncio.run(main())


@POLICIES
def test_entry_that_cannot_be_decoded_is_computed_and_overwritten(options: dict[str, Any]) -> None:
    made = container(**options)
    cache = made.cache()
    made.client().execute((("SET", cache.make_key("a"), b"no pickle", "PX", 10**6),))
    assert cache.get_or_set_many(["a", "b"], ones) == {"a": 1, "b": 1}
    assert cache.get_many(["a", "b"]) == {"a": 1, "b": 1}


def test_coroutine_function_needs_an_asynchronous_cache() -> None:
    async def load(keys: list[str]) -> dict[str, int]:
        return ones(keys)

    with pytest.raises(TypeError, match="a synchronous cache cannot await"):
        container().cache().get_or_set_many(["a"], load)


@POLICIES
def test_round_trips_do_not_grow_with_the_keys(options: dict[str, Any]) -> None:
    made = container(**options)
    trips: list[int] = []

    class Counting:
        """Counts round trips."""

        def execute(self, batch: Any, until: float | None = None, /) -> Any:
            trips.append(len(batch))
            return made.client().execute(batch, until)

        def close(self) -> None:
            """Do nothing."""

    cache = Cache(made.context(), Counting())
    for count in (2, 50):
        trips.clear()
        cache.get_or_set_many([f"{count}-{number}" for number in range(count)], ones)
        assert len(trips) == (4 if options and count == 2 else 3 if options else 2), trips


class TestHerd:
    """Claims of single entries."""

    def stale(self) -> tuple[Cache, ManualClock]:
        clock = ManualClock()
        cache = container(clock, **HERD).cache()
        cache.set_many({"a": "old", "b": "old"})
        clock.advance(20)
        cache.set("fresh", "new")
        return cache, clock

    def test_stale_entries_are_recomputed_by_one_caller(self) -> None:
        cache, _ = self.stale()
        asked: list[list[str]] = []

        def load(keys: list[str]) -> dict[str, str]:
            asked.append(keys)
            if len(asked) == 1:
                other = cache.get_or_set_many(["a", "b", "c", "fresh"], load)
                assert other == {"a": "old", "b": "old", "c": "new", "fresh": "new"}
            return dict.fromkeys(keys, "new")

        found = cache.get_or_set_many(["a", "b", "fresh"], load)
        assert found == {"a": "new", "b": "new", "fresh": "new"}
        assert asked == [["a", "b"], ["c"]]
        assert cache.get_many("ab") == {"a": "new", "b": "new"}

    def test_leases_are_dropped_if_the_function_raises(self) -> None:
        cache, _ = self.stale()

        def fail(_: list[str]) -> dict[str, str]:
            raise LookupError

        with pytest.raises(LookupError):
            cache.get_or_set_many(["a", "b"], fail)
        assert self.names(cache) == {b":1:a", b":1:b", b":1:fresh"}
        assert cache.get_or_set_many(["a", "b"], ones) == {"a": 1, "b": 1}

    def test_leases_of_keys_that_were_left_out_are_dropped(self) -> None:
        cache, _ = self.stale()
        assert cache.get_or_set_many(["a", "b", "none"], lambda _: {"a": "new"}) == {"a": "new"}
        assert self.names(cache) == {b":1:a", b":1:b", b":1:fresh"}

    def test_value_deleted_meanwhile_is_not_stored(self) -> None:
        cache, _ = self.stale()

        def load(keys: list[str]) -> dict[str, str]:
            cache.delete("a")
            return dict.fromkeys(keys, "older")

        assert cache.get_or_set_many(["a", "b"], load) == {"a": "older", "b": "older"}
        assert cache.get_many("ab") == {"b": "older"}

    def names(self, cache: Cache) -> set[bytes]:
        [names] = cache._client.execute((("KEYS", "*"),))
        return set(names)


class Down:
    """A client whose server is down."""

    def execute(self, _: Any, __: float | None = None, /) -> list[Any]:
        raise ConnectError("refused")

    def close(self) -> None:
        """Do nothing."""


class AsyncDown(Down):
    """The same for event loops."""

    async def execute(self, _: Any, __: float | None = None, /) -> list[Any]:  # type: ignore[override]
        raise ConnectError("refused")


@POLICIES
def test_values_are_computed_once_if_errors_are_ignored(options: dict[str, Any]) -> None:
    settings = Settings.parse({"LOCATION": "valkey://nowhere", "OPTIONS": {"IGNORE_EXCEPTIONS": True, **options}})
    asked: list[list[str]] = []

    def load(keys: list[str]) -> dict[str, int]:
        asked.append(keys)
        return ones(keys)

    with Container(settings, client=Down(), async_client=AsyncDown()) as made:
        assert made.cache().get_or_set_many(["a", "b"], load) == {"a": 1, "b": 1}
        assert asyncio.run(made.async_cache().get_or_set_many(["a", "b"], load)) == {"a": 1, "b": 1}
        assert asked == [["a", "b"]] * 2
        assert {name for _, name in made.ignored_errors()} == {"ConnectError"}
        assert made.cache().ping() is False
        assert asyncio.run(made.async_cache().ping()) is False
        assert made.ignored_errors()["ping", "ConnectError"] == 2


def test_ping_without_a_server_names_it_and_the_alias() -> None:
    settings = Settings.parse({"LOCATION": "valkey://127.0.0.1:1/2"}, alias="pages")
    with Container(settings) as made:
        with pytest.raises(ConnectError, match=r"alias pages, server valkey://127.0.0.1:1/2, command PING"):
            made.cache().ping()
        with pytest.raises(ConnectError, match=r"alias pages, server valkey://127.0.0.1:1/2, command PING"):
            asyncio.run(made.async_cache().ping())


def op(name: str, ended: list[str], *, primary: bool = False) -> Op[object]:
    try:
        [first] = yield (("GET", name),)
        if first is None:
            return None
        [second] = yield OnPrimary((("GET", first),)) if primary else (("GET", first),)
        return second
    finally:
        ended.append(name)


class TestTogether:
    """Operations side by side."""

    def test_batches_of_operations_are_joined(self) -> None:
        ended: list[str] = []
        found = _driven(together([op("a", ended), op("b", ended, primary=True), op("c", ended)], 2))
        assert found == [b"a2", b"b2", None]
        assert sorted(ended) == ["a", "b", "c"]

    def test_error_of_one_operation_is_raised_after_the_others(self) -> None:
        ended: list[str] = []
        with pytest.raises(ServerError, match="wrong"):
            _driven(together([op("wrong", ended), op("a", ended)], 9))
        assert sorted(ended) == ["a", "wrong"]


def _driven(flow: Op[Any]) -> Any:
    """Perform an operation on a table of replies."""
    replies: dict[Any, Any] = {"a": b"x", "b": b"y", "c": None, b"x": b"a2", b"y": b"b2", "wrong": ServerError("wrong")}
    try:
        effect: Any = flow.send(None)
        while True:
            batch = getattr(effect, "batch", effect)
            assert len(batch) <= 2
            effect = flow.send([replies[command[1]] for command in batch])
    except StopIteration as stop:
        return stop.value
