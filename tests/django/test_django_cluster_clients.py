"""Test clients of a cluster in Django: raw ones, the argument `client=`, threads, and settings that are refused."""

import asyncio
import inspect
from typing import Any, cast

import pytest
import valkey.asyncio.cluster
import valkey.cluster
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured

import django_valkey
from django_valkey import async_cache
from django_valkey._methods.generated.clusters import AsyncClusters, Clusters, ClustersCoroutines
from django_valkey.cluster_cache.cache import ClusterValkeyCache
from django_valkey.cluster_cache.client import AsyncDefaultClusterClient, DefaultClusterClient
from django_valkey.cluster_cache.pool import ClusterConnectionFactory
from dvcache import NotSupportedError, TransportError
from dvcache.pools.sync_pool import SyncPool
from tests.django.conftest import Configure
from tests.support.clusters import Cluster
from tests.support.topologies import calls

BACKEND = "django_valkey.cluster_cache.cache.ClusterValkeyCache"
SYNC, ASYNC = "django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"
CLIENT = "django_valkey.cluster_cache.client.DefaultClusterClient"


def test_raw_cluster_client_of_valkey_py_is_available_in_both_modes(cluster: Cluster, configured: Configure) -> None:
    async def scenario() -> None:
        client = await async_cache.get_valkey_connection("default")
        assert isinstance(client, valkey.asyncio.cluster.ValkeyCluster)
        try:
            assert await client.get(":1:a") == b"1"
        finally:
            await client.aclose()

    with configured(cluster.urls(), BACKEND=BACKEND):
        caches["default"].set("a", 1)
        client = django_valkey.get_valkey_connection("default")
        assert isinstance(client, valkey.cluster.ValkeyCluster)
        assert client.get(":1:a") == b"1"
        assert django_valkey.get_valkey_connection("default") is client
        assert isinstance(caches["default"].client, DefaultClusterClient)
        assert isinstance(caches["default"].client.connection_factory, ClusterConnectionFactory)
        caches["default"].client.disconnect(client=client)
        asyncio.run(scenario())
    with configured(cluster.urls(), BACKEND=ASYNC, OPTIONS={"CLIENT_CLASS": CLIENT}):
        assert isinstance(caches["default"].client, AsyncDefaultClusterClient)
        asyncio.run(scenario())


def test_cluster_client_argument_is_used_by_the_call(cluster: Cluster, configured: Configure) -> None:
    values = {f"k{n}": [n] for n in range(30)}
    with (
        configured("valkey://127.0.0.1:1", BACKEND=BACKEND),
        valkey.cluster.ValkeyCluster.from_url(cluster.urls()[0]) as raw,
    ):
        cache: Any = caches["default"]
        assert cache.set_many(values, 60, client=raw) == []
        assert cache.get_many(list(values), client=raw) == values
        assert sorted(cache.iter_keys("k*", client=raw)) == sorted(values)
        assert cache.incr_version("k1", client=raw) == 2
        assert cache.get("k1", version=2, client=raw) == [1]
        with cache.get_lock("k1", timeout=60, client=raw) as lock:
            assert lock.owned()
        assert cache.delete_pattern("*", client=raw) == 29
        with pytest.raises(NotSupportedError, match="braces"):
            cache.sinter("a", "b", client=raw)
        with pytest.raises(TransportError):
            cache.get("k1")
        raw.nodes_manager.nodes_cache.pop(f"127.0.0.1:{cluster.owner(cache.keyslot('k2')).port}")
        assert cache.set("k2", 1, client=raw)  # to a node unknown to the client
        with raw.pipeline() as pipeline:
            assert cache.set("k2", 2, client=pipeline) is pipeline
            assert pipeline.execute() == [True]
        with pytest.raises(NotSupportedError, match="without client="):
            asyncio.run(cache.aget("k1", client=valkey.asyncio.cluster.ValkeyCluster(cluster.nodes[0].host)))


def test_cluster_client_argument_is_called_as_a_cluster_on_any_alias(cluster: Cluster, configured: Configure) -> None:
    before = sum(calls(node, "msetex") for node in cluster.nodes)
    with (
        configured("valkey://127.0.0.1:1", BACKEND="django_valkey.cache.ValkeyCache", OPTIONS={"HERD": True}),
        valkey.cluster.ValkeyCluster.from_url(cluster.urls()[0]) as raw,
    ):
        cache: Any = caches["default"]
        assert cache.set_many({"{a}1": 1, "{a}2": 2}, 60, client=raw) == []
        assert [cache.get_or_set(name, lambda: 3, 60, client=raw) for name in "abc"] == [3, 3, 3]
        assert cache.get_many(["{a}1", "{a}2", *"abc"], client=raw) == {"{a}1": 1, "{a}2": 2, "a": 3, "b": 3, "c": 3}
    assert sum(calls(node, "msetex") for node in cluster.nodes) == before


def test_every_thread_has_the_same_pools(cluster: Cluster, configured: Configure) -> None:
    with configured(cluster.urls(), BACKEND=BACKEND):
        first, second = ClusterValkeyCache(cluster.urls(), {}), ClusterValkeyCache(cluster.urls(), {})
        assert first._client is second._client
        first.set("a", 1)
        nodes = cast("Any", first._client).primary.routing.nodes
        assert all(isinstance(pool, SyncPool) for pool in nodes.view.primaries)


@pytest.mark.parametrize(
    ("location", "options", "words"),
    [
        ("unix:///run/valkey.sock", {}, "cannot reach a cluster"),
        ("embedded://", {}, "cannot reach a cluster"),
        ("valkey://a?is_master=0", {}, "is_master has no effect in a cluster"),
        (["valkey://a", "valkeys://b"], {}, "the same scheme"),
        (["valkey://a/1", "valkey://b/2"], {}, "the same scheme, database"),
        (["valkey://u:p@a", "valkey://u:q@b"], {}, "and credentials in each URL"),
        ("valkey://a", {"CLUSTER": False}, "contradicts"),
        ("valkey://a", {"CLIENT_CLASS": "django_valkey.client.SentinelClient"}, "needs no sentinels"),
        ("", {}, "a URL is missing"),
    ],
)
def test_unsupported_cluster_settings_are_refused_when_the_cache_is_built(
    location: object, options: dict[str, Any], words: str, configured: Configure
) -> None:
    with configured(location, BACKEND=BACKEND, OPTIONS=options), pytest.raises(ImproperlyConfigured, match=words):
        caches["default"]


def test_cluster_methods_take_the_same_arguments_in_both_modes() -> None:
    names = [name for name in vars(Clusters) if not name.startswith("_")]
    assert {"keyslot", "mset", "flushall"} < {*names}
    assert names == [name for name in vars(AsyncClusters) if not name.startswith("_")]
    assert [f"a{name}" for name in names] == [name for name in vars(ClustersCoroutines) if not name.startswith("_")]
    for name in names:
        method = getattr(ClusterValkeyCache, name)
        assert method is getattr(DefaultClusterClient, name) is getattr(Clusters, name)
        for counterpart in (getattr(ClusterValkeyCache, f"a{name}"), getattr(AsyncDefaultClusterClient, name)):
            assert inspect.signature(counterpart) == inspect.signature(method)
            assert inspect.iscoroutinefunction(counterpart)


def test_cluster_down_returns_empty_values_with_ignored_errors(configured: Configure) -> None:
    with configured("valkey://127.0.0.1:1", BACKEND=BACKEND, OPTIONS={"IGNORE_EXCEPTIONS": True}):
        cache: Any = caches["default"]
        assert cache.get_many(["a", "b"]) == cache.mget_nonatomic(["a"]) == {}
        assert cache.set_many({"a": 1, "b": 2}) == ["a", "b"]
        assert cache.mset_nonatomic({"a": 1, "b": 2}) == [False, False]
        assert (cache.msetnx({"a": 1}), cache.flushall(), cache.mset({"a": 1, "b": 2})) == (False, False, False)
        assert cache.keys("*") == []
        assert asyncio.run(cache.amsetnx({"a": 1})) is False
    with configured("valkey://127.0.0.1:1", BACKEND=BACKEND), pytest.raises(TransportError, match="no node of the"):
        caches["default"].get("a")
