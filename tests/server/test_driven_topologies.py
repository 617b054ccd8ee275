"""Clusters and sentinels, each node by classes of a project's own."""

import time
from contextlib import ExitStack
from typing import Any, Literal

import pytest

from dvcache import Container, Settings
from dvcache.errors import ReadOnlyError, TransportError
from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import wired
from tests.clusters import Cluster
from tests.drivers import (
    Counted,
    OwnAsyncParser,
    OwnAsyncPool,
    OwnAsyncSentinelPool,
    OwnParser,
    OwnPool,
    OwnSentinelPool,
)
from tests.topologies import SentinelFleet

COLOURS: tuple[Literal["sync"], Literal["async"]] = ("sync", "async")
OWN_PARSER = {"sync": {"PARSER_CLASS": OwnParser}, "async": {"PARSER_CLS": OwnAsyncParser}}
OWN_POOL = {"sync": {"CONNECTION_POOL_CLASS": OwnPool}, "async": {"CONNECTION_POOL_CLASS": OwnAsyncPool}}
OWN_SENTINEL_POOL = {
    "sync": {"CONNECTION_POOL_CLASS": OwnSentinelPool},
    "async": {"CONNECTION_POOL_CLASS": OwnAsyncSentinelPool},
}


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("reads", ["primary", "replica"])
def test_every_node_of_a_cluster_is_reached_by_the_projects_pool(
    colour: Literal["sync", "async"], reads: str, cluster: Cluster
) -> None:
    Counted.reset()
    with wired(colour, cluster.urls()) as make:
        cache = make(OPTIONS={**OWN_POOL[colour], "CLUSTER": True, "READ_FROM": reads})
        data = {f"key:{number}": number for number in range(100)}
        assert cache.set_many(data) == []
        assert cache.get_many(list(data)).items() <= data.items()  # a replica may lag
        assert Counted.calls["get_connection"] >= 6
        assert cache.incr("key:1") == 2


@pytest.mark.parametrize("own", [{}, OWN_PARSER["sync"]], ids=["lean", "own parser"])
def test_releasing_reaches_the_pool_of_every_node_and_keeps_the_container_open(
    own: dict[str, Any], fleet: SentinelFleet
) -> None:
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


def test_releasing_where_nothing_is_connected_does_nothing() -> None:
    with Container(Settings.parse({"LOCATION": "valkey://h"}), pool_factory=MemoryPoolFactory()) as container:
        container.cache().set("a", 1)
        container.release()
        assert container.cache().get("a") == 1


def test_a_failover_is_followed_with_classes_of_the_projects_own(fleet: SentinelFleet) -> None:
    assert fleet.replication("service_name")
    service = {"SENTINELS": fleet.addresses, "CLIENT_CLASS": "django_valkey.client.SentinelClient"}
    ways = [(colour, own[colour]) for colour in COLOURS for own in (OWN_PARSER, OWN_SENTINEL_POOL)]
    Counted.reset()
    with ExitStack() as ending:
        caches = [
            ending.enter_context(wired(colour, "valkey://service_name/0"))(OPTIONS={**service, **own})
            for colour, own in ways
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
