"""Test transactions in place of scripts, on a server before Valkey 8.1 that refuses scripts."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pytest

from dvcache import AsyncCache, Cache, Container, NotSupportedError, ServerError, Settings
from dvcache.effects import Transaction
from dvcache.error_replies import reply_error
from dvcache.errors import TryAgainError
from dvcache.routing.slots import slot
from dvcache.testing.conformance import Blocking
from dvcache.types import Batch, Command
from tests.support.clusters import Cluster
from tests.support.servers import PASSWORD, Server, user

KEY = b":1:counter"


def refusal(command: Command) -> ServerError | None:
    if command[0] in {"EVAL", "EVALSHA"}:
        return reply_error("NOPERM User x has no permissions to run the 'evalsha' command")
    return reply_error("ERR syntax error") if "IFEQ" in command else None


def refusals(batch: Batch) -> list[ServerError | None] | None:
    """Return the replies of an older server to a user without scripts; None if it performs the command."""
    found = [refusal(command) for command in batch]
    return found if any(found) else None


@dataclass
class Older:
    """A client of a server before Valkey 8.1, for a user without scripts."""

    client: Any

    def execute(self, batch: Batch, _until: float | None = None, /) -> Any:
        return refusals(batch) or self.client.execute(batch)


@dataclass
class AsyncOlder:
    """The same for asynchronous code."""

    client: Any

    async def execute(self, batch: Batch, _until: float | None = None, /) -> Any:
        return refusals(batch) or await self.client.execute(batch)


POOLS: dict[str, dict[str, Any]] = {
    "our own pools": {},
    "a pool of the project's": {"CONNECTION_POOL_CLASS": "valkey.BlockingConnectionPool"},
    "a herd": {"HERD": True},
}


@pytest.fixture(params=POOLS)
def container(request: pytest.FixtureRequest, server: Server) -> Iterator[Container]:
    with Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": POOLS[request.param]})) as made:
        yield made


def test_increments_of_threads_are_not_lost(container: Container) -> None:
    cache = Cache(container.context(), Older(container.client()))  # type: ignore[arg-type]  # nobody closes it
    cache.set("counter", 0, 100)
    threads = [threading.Thread(target=lambda: [cache.incr("counter") for _ in range(10)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.get("counter") == 80
    assert 0 < (cache.ttl("counter") or 0) <= 100


def test_increments_of_tasks_are_not_lost_and_locks_exclude_each_other(container: Container) -> None:
    async def scenario() -> None:
        async with container:
            cache = AsyncCache(container.context(), AsyncOlder(container.async_client()))  # type: ignore[arg-type]  # as above
            await cache.set("counter", 0)
            await asyncio.gather(*(cache.incr("counter") for _ in range(12)))
            assert await cache.get("counter") == 12
            async with cache.get_lock("l", timeout=60) as lock:
                assert await lock.extend(60)
                assert await lock.owned()
            assert not await lock.locked()

    asyncio.run(scenario())


# In a cluster -------------------------------------------------------------------------------------------------------


Execute: TypeAlias = Callable[[Batch], Any]


@pytest.fixture(params=["sync", "async"])
def clustered(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[tuple[Any, Execute]]:
    """Yield a cache of either mode on a cluster of older servers, without scripts, and a runner of batches."""
    options = {"CLUSTER": True, "SOCKET_TIMEOUT": 0.5}
    container = Container(Settings.parse({"LOCATION": cluster.urls(), "OPTIONS": options}))
    with asyncio.Runner() as runner:
        if request.param == "sync":
            client = Older(container.client())
            yield Cache(container.context(), client), client.execute  # type: ignore[arg-type]  # as above
        else:
            aclient = AsyncOlder(container.async_client())
            cache = AsyncCache(container.context(), aclient)  # type: ignore[arg-type]  # as above
            yield Blocking(cache, runner), lambda batch: runner.run(aclient.execute(batch))
        runner.run(container.aclose())


def test_cluster_transaction_follows_its_slot(clustered: tuple[Any, Execute], cluster: Cluster) -> None:
    cache, execute = clustered
    source = cluster.owner(slot(KEY))
    target = next(node for node in cluster.primaries if node is not source)
    source.raw("SET", KEY, 1)

    def add(found: bytes | None) -> Batch:
        assert found is not None
        return (("SET", KEY, int(found) + 1),)

    assert execute(Transaction(KEY, add)) == [True, [b"OK"]], "nobody has told of the nodes yet"
    cluster.move(slot(KEY), target)
    try:
        assert execute(Transaction(KEY, add)) == [True, [b"OK"]]
        assert cache.incr("counter") == 4
    finally:
        cluster.move(slot(KEY), source)
    assert cache.incr("counter") == 5
    assert source.raw("GET", KEY) == b"5"


def test_slot_that_does_not_arrive_in_time_is_an_error_and_nothing_written(
    clustered: tuple[Any, Execute], cluster: Cluster
) -> None:
    counting, _ = clustered
    source = cluster.owner(slot(KEY))
    target = next(node for node in cluster.primaries if node is not source)
    source.raw("SET", KEY, 1)
    assert counting.incr("counter") == 2
    target.raw("CLUSTER", "SETSLOT", slot(KEY), "IMPORTING", source.id)
    source.raw("CLUSTER", "SETSLOT", slot(KEY), "MIGRATING", target.id)
    source.raw("MIGRATE", target.host, target.port, KEY, 0, 5000)
    with pytest.raises(TryAgainError, match=rf"slot {slot(KEY)} is migrating to another node"):
        counting.incr("counter")
    for node in (target, source):
        node.raw("CLUSTER", "SETSLOT", slot(KEY), "NODE", target.id)
    try:
        assert counting.incr("counter") == 3
    finally:
        cluster.move(slot(KEY), source)


# Guarantees of a transaction ----------------------------------------------------------------------------------------


def test_concurrent_write_is_kept_and_the_connection_is_discarded(server: Server) -> None:
    def decide(found: bytes | None) -> Batch:
        assert found == b"1"
        server.raw("SET", "k", 2)
        return (("SET", "k", 3),)

    with Container(Settings.parse({"LOCATION": server.url()})) as container:
        server.raw("SET", "k", 1)
        client = container.client()
        assert client.execute(Transaction("k", decide)) == [True, None]
        assert client.execute(Transaction("k", lambda _: ())) == [True, None]
        assert client.execute((("GET", "k"),)) == [b"2"]
        assert client.execute(Transaction("k", lambda _: (("SET", "k", 4), ("GET", "k")))) == [True, [b"OK", b"4"]]


@pytest.mark.parametrize("denied", ["watch", "multi", "exec"])
def test_user_without_transaction_permission_gets_an_error_unwritten(server: Server, denied: str) -> None:
    user(server, "poor", f"+@all -eval -evalsha -{denied}")
    with Container(Settings.parse({"LOCATION": server.url(0, "poor", PASSWORD)})) as container:
        cache = Cache(container.context(), Older(container.client()))  # type: ignore[arg-type]  # as above
        cache.set("counter", 1)
        with pytest.raises(NotSupportedError, match=r"\+eval"):
            cache.incr("counter")
        assert cache.get("counter") == 1
        assert cache.set("counter", 2)


def test_client_without_transactions_is_reported(server: Server) -> None:
    with Container(Settings.parse({"LOCATION": server.url()})) as container:
        older = Older(container.client())
        plain = replace(older, client=Plain(older.client))
        cache = Cache(container.context(), plain)  # type: ignore[arg-type]  # as above
        cache.set("counter", 1)
        with pytest.raises(NotSupportedError, match="WATCH, MULTI and EXEC"):
            cache.incr("counter")
        assert cache.get("counter") == 1


@dataclass
class Plain:
    """A client that passes on plain batches only."""

    client: Any

    def execute(self, batch: Batch, _until: float | None = None, /) -> Any:
        return self.client.execute(tuple(iter(batch)))
