"""Test a primary with replicas: where reads and writes go, and the cost of a replica that hangs, dies or lags."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dvcache import Cache
from dvcache.errors import ConnectError, ReadOnlyError
from dvcache.routing import replica_lag
from dvcache.routing.replica_balancer import CHECK_EVERY
from dvcache.testing.conformance import MakeCache, wired
from tests.support.servers import free_port, wait_until
from tests.support.topologies import Node, Replication, calls, refusals, reset_calls

Make = Callable[..., Cache]


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def make(mode: Any, replication: Replication) -> Iterator[MakeCache]:
    with wired(mode, replication.urls()) as make:
        yield make


@pytest.fixture(autouse=True)
def _counted_from_here(replication: Replication) -> None:
    reset_calls(*replication.nodes)


@pytest.fixture
def cache(make: Make, replication: Replication) -> Cache:
    """Make a cache that has read from every replica, with one entry."""
    cache = make()
    cache.set("k", "v", None)
    replication.wait_in_sync()
    assert read(cache, 200) == {"v"}
    reset_calls(*replication.nodes)
    return cache


def read(cache: Cache, times: int) -> set[Any]:
    return {cache.get("k") for _ in range(times)}


def gets(*nodes: Node) -> list[int]:
    return [calls(node, "get") for node in nodes]


def read_by(cache: Cache, nodes: tuple[Node, ...], times: int = 200) -> list[int]:
    """Return how many of so many reads each node answered."""
    reset_calls(*nodes)
    assert read(cache, times) == {"v"}
    return gets(*nodes)


def test_replicas_share_the_reads(cache: Cache, replication: Replication) -> None:
    assert read(cache, 1000) == {"v"}
    primary, *replicas = gets(*replication.nodes)
    assert primary == 0
    assert sum(replicas) == 1000
    assert min(replicas) > 400


def test_writes_reach_the_primary_and_no_replica(cache: Cache, replication: Replication) -> None:
    cache.set("a", 1)
    cache.set_many({"b": 1, "c": [1]})
    cache.incr("a")
    cache.touch("a", 60)
    cache.get_or_set("d", 1)
    cache.delete("b")
    cache.delete_many(["c"])
    cache.clear()
    primary, *replicas = replication.nodes
    assert [calls(primary, name) for name in ("set", "msetex", "unlink", "pexpire", "flushdb")] == [2, 1, 2, 1, 1]
    assert [refusals(node, name) for node in replicas for name in ("set", "unlink", "pexpire", "flushdb")] == [0] * 8


def test_collections_are_written_on_the_primary_and_read_from_the_replicas(
    cache: Cache, replication: Replication
) -> None:
    cache.sadd("{s}a", 1, 2)
    cache.smove("{s}a", "{s}b", 1)
    cache.srem("{s}a", 2)
    cache.hset("h", "f", 1)
    cache.rpush("l", 1)
    cache.zadd("z", {"m": 1})
    replication.wait_in_sync()
    reset_calls(*replication.nodes)
    for _ in range(64):
        assert cache.smembers("{s}b") == {1}
        assert cache.hgetall("h") == {"f": 1}
        assert cache.lrange("l") == [1]
        assert cache.zrange("z", 0, -1) == ["m"]
    primary, *replicas = replication.nodes
    for name in ("smembers", "hgetall", "lrange", "zrange"):
        assert calls(primary, name) == 0
        assert sum(calls(replica, name) for replica in replicas) == 64
    assert cache.sscan("{s}b") == {1}
    assert calls(primary, "sscan") == 1


@pytest.mark.parametrize("fault", [Node.kill, Node.pause], ids=["dies", "hangs"])
def test_replica_that_stops_during_reads_causes_no_error(
    fault: Callable[[Node], None], make: Make, replication: Replication
) -> None:
    primary, stopped, other = replication.nodes
    cache = make(OPTIONS={"SOCKET_TIMEOUT": 0.2, "SOCKET_CONNECT_TIMEOUT": 0.2})
    cache.set("k", "v", None)
    replication.wait_in_sync()
    longest = 0.0
    for number in range(1000):
        if number == 300:
            fault(stopped)
        started = time.monotonic()
        assert cache.get("k") == "v"
        longest = max(longest, time.monotonic() - started)
    assert longest < 0.2 + 0.2 + 0.4  # one timeout, and a second one if the connection had to be opened again
    assert gets(primary) == [0]
    assert gets(other)[0] > 600


def test_replica_that_never_existed_causes_no_error(mode: Any, replication: Replication) -> None:
    primary, replica, _ = replication.urls()
    nobody = f"valkey://127.0.0.1:{free_port()}/0"
    with wired(mode, [primary, nobody, replica]) as make:
        cache = make()
        cache.set("k", "v")
        replication.wait_in_sync()
        assert read(cache, 100) == {"v"}
        assert gets(replication.primary) == [0]
    with wired(mode, [primary, nobody]) as make:
        assert read_by(make(), replication.nodes) == [200, 0, 0]


@pytest.mark.full("waits for a replica to follow again: 5 s")
def test_replica_without_its_primary_is_ejected_and_used_again(cache: Cache, replication: Replication) -> None:
    primary, cut, other = replication.nodes
    replication.cut_link(cut)
    wait_until(lambda: read_by(cache, replication.nodes)[1] == 0, 10 * CHECK_EVERY)
    assert read_by(cache, replication.nodes) == [0, 0, 200]
    replication.cut_link(other)
    wait_until(lambda: read_by(cache, replication.nodes)[0] == 200)
    replication.restore()
    wait_until(lambda: min(read_by(cache, (cut, other))) > 50)
    assert read_by(cache, (primary,)) == [0]


def test_replica_reads_may_be_turned_off(make: Make, replication: Replication) -> None:
    cache = make(OPTIONS={"READ_FROM": "primary"})
    cache.set("k", "v")
    assert read_by(cache, replication.nodes) == [200, 0, 0]


def test_replicas_that_accept_writes_are_written_to_without_a_primary(make: Make, replication: Replication) -> None:
    cache, strict = make(OPTIONS={"REPLICA_READ_ONLY": False}), make()
    primary, first, second = replication.nodes
    primary.kill()
    with pytest.raises(ConnectError):
        strict.set("k", "v")
    with pytest.raises(ReadOnlyError):
        cache.set("k", "v")
    first.raw("CONFIG", "SET", "replica-read-only", "no")
    try:
        assert cache.set("k", "v", 10)
        assert 0 < first.raw("PTTL", ":1:k") <= 10_000
        assert second.raw("EXISTS", ":1:k") == 0
    finally:
        first.raw("CONFIG", "SET", "replica-read-only", "yes")


@pytest.mark.full("waits for servers to change")
def test_primary_is_read_for_the_latest_write(mode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_lag, "MAX_LAG", 3600.0)  # a slow machine would eject it too early
    with Replication(replicas=1, lagging=1) as replication, wired(mode, replication.urls()) as make:
        assert replication.link is not None
        cache = make()
        cache.set("k", "old")
        cache.set("n", 1)
        replication.wait_in_sync()
        replication.link.delay = 3600
        for number in range(20):
            cache.set("k", number)
            assert cache.get("k") == "old"
            assert cache.get_or_set("k", "never") == number
            assert cache.incr("n") == 2 + number
            assert cache.get_or_set(f"new {number}", number) == number
            assert cache.get(f"new {number}") is None
        cache.set("f", 1.5)
        assert cache.incr("f", 0.5) == 2.0
        assert cache.keys("new *")
        replication.restore()


def test_scan_of_many_pages_finds_every_name_and_deletes_every_entry(make: Make, replication: Replication) -> None:
    cache = make(OPTIONS={"SCAN_COUNT": 20})
    names = {f"name:{number}" for number in range(1000)}
    cache.set_many(dict.fromkeys(names, 1))
    replication.wait_in_sync()
    assert set(cache.keys("name:*")) == names
    assert cache.delete_pattern("name:*", itersize=20) == len(names)
    replication.wait_in_sync()
    assert [node.raw("DBSIZE") for node in replication.nodes] == [0, 0, 0]
