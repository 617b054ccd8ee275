"""Test clusters and sentinels with custom classes for each node."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Literal

import pytest

from dvcache import Container, Settings
from dvcache.errors import ConfigurationError, ReadOnlyError, TransportError
from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import wired
from tests.support.clusters import Cluster
from tests.support.custom_pools import (
    Counted,
    ForeignConnection,
    OwnAsyncConnection,
    OwnAsyncParser,
    OwnAsyncPool,
    OwnAsyncSentinelPool,
    OwnConnection,
    OwnParser,
    OwnPool,
    OwnSentinelPool,
)
from tests.support.replication import calls, clients, refusals, reset_calls
from tests.support.servers import wait_until
from tests.support.shards import Shards
from tests.support.topologies import SentinelFleet

pytestmark = pytest.mark.full("waits for clusters and services to change")

MODES: tuple[Literal["sync"], Literal["async"]] = ("sync", "async")
DEADLINE = 1.0
OWN_PARSER = {"sync": {"PARSER_CLASS": OwnParser}, "async": {"PARSER_CLS": OwnAsyncParser}}
OWN_POOL = {"sync": {"CONNECTION_POOL_CLASS": OwnPool}, "async": {"CONNECTION_POOL_CLASS": OwnAsyncPool}}
OWN_SENTINEL_POOL = {
    "sync": {"CONNECTION_POOL_CLASS": OwnSentinelPool},
    "async": {"CONNECTION_POOL_CLASS": OwnAsyncSentinelPool},
}


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_cluster_nodes_are_all_reached_by_the_custom_pool(mode: Literal["sync", "async"], cluster: Cluster) -> None:
    Counted.reset()
    with wired(mode, cluster.urls()) as make:
        cache = make(OPTIONS={**OWN_POOL[mode], "CLUSTER": True})
        data = {f"key:{number}": number for number in range(100)}
        assert cache.set_many(data) == []
        assert cache.get_many(list(data)) == data
        assert Counted.calls["get_connection"] >= 6
        assert cache.incr("key:1") == 2


def greet(connection: Any) -> None:
    connection.on_connect()
    connection.send_command("CLIENT", "SETNAME", "greeted")
    connection.read_response()


async def agreet(connection: Any) -> None:
    await connection.on_connect()
    await connection.send_command("CLIENT", "SETNAME", "greeted")
    await connection.read_response()


GREET = {"sync": greet, "async": agreet}
WAYS: dict[str, dict[str, Any]] = {
    "a pool": OWN_POOL,
    "a parser": OWN_PARSER,
    "a connection": {
        "sync": {"CONNECTION_POOL_KWARGS": {"connection_class": OwnConnection}},
        "async": {"CONNECTION_POOL_KWARGS": {"connection_class": OwnAsyncConnection}},
    },
    "a greeting": {mode: {"CONNECTION_POOL_KWARGS": {"valkey_connect_func": GREET[mode]}} for mode in MODES},
    "a pool with a greeting": {
        mode: {**OWN_POOL[mode], "CONNECTION_POOL_KWARGS": {"valkey_connect_func": GREET[mode]}} for mode in MODES
    },
}


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("way", WAYS)
def test_cluster_replicas_answer_reads_of_custom_classes(
    way: str, mode: Literal["sync", "async"], cluster: Cluster
) -> None:
    primaries, replicas = cluster.primaries, [cluster.replica_of(each) for each in cluster.primaries]
    cluster.wait_listed()
    keys = [f"key:{number}" for number in range(30)]
    with wired(mode, cluster.urls()) as make:
        cache = make(OPTIONS={**WAYS[way][mode], "CLUSTER": True, "READ_FROM": "replica"})
        reset_calls(*cluster.nodes)
        for key in keys:
            cache.get(key)
        cache.get_many(keys)
        asked = [calls(node, "get") for node in replicas]
        named = [any(each["name"] == "greeted" for each in clients(node)) for node in cluster.nodes]
    assert (sum(asked), min(asked) > 0) == (60, True)
    assert [calls(node, "get") + refusals(node, "get") for node in primaries] == [0, 0, 0]
    assert [node for node, found in zip(cluster.nodes, named, strict=True) if found and node in replicas] == (
        [node for node in cluster.nodes if node in replicas] if "greeting" in way else []
    )


def test_connection_that_cannot_send_readonly_is_reported(cluster: Cluster) -> None:
    cluster.wait_listed()
    own = {"CONNECTION_POOL_KWARGS": {"connection_class": ForeignConnection}, "CLUSTER": True}
    with wired("sync", cluster.urls()) as make:
        cache = make(OPTIONS=own)
        assert (cache.set("a", 1), cache.get("a")) == (True, 1)
        reading = make(OPTIONS={**own, "READ_FROM": "replica"})
        with pytest.raises(ConfigurationError, match=r"takes no .valkey_connect_func..*READ_FROM"):
            reading.get("a")


AT_ONCE: dict[str, dict[str, dict[str, Any]]] = {
    "a pool": OWN_POOL,
    "a parser": OWN_PARSER,
    "RESP3": {mode: {"CONNECTION_POOL_KWARGS": {"protocol": 3}} for mode in MODES},
    "a breaker": {mode: {**OWN_POOL[mode], "IGNORE_EXCEPTIONS": True} for mode in MODES},
}


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("way", AT_ONCE)
def test_other_shards_are_asked_while_one_is_awaited(way: str, mode: Literal["sync", "async"], shards: Shards) -> None:
    first, *others = shards.servers
    with wired(mode, shards.urls) as make:
        cache = make(OPTIONS={**AT_ONCE[way][mode], "SHARDED": True})
        data = {f"key:{number}": number for number in range(100)}
        cache.set_many(data)
        names = shards.names()[0]
        keys = sorted(data, key=lambda key: f":1:{key}".encode() not in names)
        reset_calls(*others)
        with ThreadPoolExecutor(1) as threads:
            with first.paused():
                found = threads.submit(cache.get_many, keys)
                wait_until(lambda: [calls(each, "mget") for each in others] == [1, 1])
            assert found.result(10) == data


@pytest.mark.parametrize("own", [OWN_POOL["sync"], OWN_PARSER["sync"]], ids=["pool", "parser"])
def test_hung_shards_are_awaited_at_once_and_late_replies_are_dropped(own: dict[str, Any], shards: Shards) -> None:
    with wired("sync", shards.urls) as make:
        cache = make(OPTIONS={**own, "SHARDED": True, "SOCKET_TIMEOUT": DEADLINE})
        data = {f"key:{number}": number for number in range(100)}
        cache.set_many(data)
        with shards.servers[0].paused(), shards.servers[1].paused():
            began = time.monotonic()
            with pytest.raises(TransportError):
                cache.get_many([*data, "missing"])
            assert time.monotonic() - began < 1.9 * DEADLINE
        assert all(cache.get_many([key]) == {key: value} for key, value in data.items())


@pytest.mark.parametrize("own", [{}, OWN_PARSER["sync"]], ids=["lean", "own parser"])
def test_release_reaches_the_pool_of_every_node_and_closes_nothing(own: dict[str, Any], fleet: SentinelFleet) -> None:
    nodes = fleet.replication("service_name").nodes
    service = {"SENTINELS": fleet.addresses, "CLIENT_CLASS": "django_valkey.client.SentinelClient"}
    options = {**service, **own, "CONNECTION_POOL_KWARGS": {"client_name": "released"}}

    def connected() -> int:
        return sum(node.raw("CLIENT", "LIST").count(b"name=released ") for node in nodes)

    with Container(Settings.parse({"LOCATION": "valkey://service_name/0", "OPTIONS": options})) as container:
        for _ in range(2):
            assert container.cache().set("a", 1)
            for _ in range(4):
                container.cache().get("a")
            assert connected() >= 2
            container.release()
            fleet.primary("service_name").wait_until(lambda: connected() == 0)


def test_release_without_connections_does_nothing() -> None:
    with Container(Settings.parse({"LOCATION": "valkey://h"}), pool_factory=MemoryPoolFactory()) as container:
        container.cache().set("a", 1)
        container.release()
        assert container.cache().get("a") == 1


@pytest.mark.full("waits for Sentinel to elect a primary")
def test_failover_is_followed_with_custom_classes(fleet: SentinelFleet) -> None:
    assert fleet.replication("service_name")
    service = {"SENTINELS": fleet.addresses, "CLIENT_CLASS": "django_valkey.client.SentinelClient"}
    ways = [(mode, own[mode]) for mode in MODES for own in (OWN_PARSER, OWN_SENTINEL_POOL)]
    Counted.reset()
    with ExitStack() as ending:
        caches = [
            ending.enter_context(wired(mode, "valkey://service_name/0"))(OPTIONS={**service, **own})
            for mode, own in ways
        ]
        assert all(cache.set(f"{number}", "before") for number, cache in enumerate(caches))
        primary = fleet.failover("service_name")
        for number, cache in enumerate(caches):
            give_up = time.monotonic() + 20
            while not written(cache, f"{number}"):
                assert time.monotonic() < give_up
                time.sleep(0.05)
        assert [primary.raw("EXISTS", f":1:{number}") for number in range(4)] == [1] * 4
        assert {*Counted.calls} == {"read_response", "get_connection"}


def written(cache: Any, key: str) -> bool:
    try:
        return bool(cache.set(key, "after"))
    except (TransportError, ReadOnlyError):
        return False
