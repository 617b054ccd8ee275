"""Clusters and sentinels, each node by classes of a project's own."""

import time
from contextlib import ExitStack
from typing import Any, Literal

import pytest

from dvcache.errors import ReadOnlyError, TransportError
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
