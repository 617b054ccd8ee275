"""Test clusters under Django: the backend and every other way to select one, its methods, and raw clients."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.core.cache import caches

from django_valkey._config import registry
from django_valkey.cluster_cache.cache import ClusterValkeyCache
from dvcache import Cache, NotSupportedError
from dvcache.routing.slots import slot
from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import Blocking, CacheConformance, MakeCache
from tests.django.conftest import Configure
from tests.selection import alternate
from tests.support.clusters import Cluster
from tests.support.topologies import calls

BACKEND = "django_valkey.cluster_cache.cache.ClusterValkeyCache"
SYNC, ASYNC = "django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"
CLIENT = "django_valkey.cluster_cache.client.DefaultClusterClient"
FACTORY = "django_valkey.cluster_cache.pool.ClusterConnectionFactory"
WAYS: list[dict[str, Any]] = [
    {"BACKEND": BACKEND},
    {"BACKEND": BACKEND, "OPTIONS": {"CLIENT_CLASS": "django_valkey.client.HerdClient"}},
    *({"BACKEND": backend, "OPTIONS": {"CLUSTER": True}} for backend in (SYNC, ASYNC)),
    *({"BACKEND": backend, "OPTIONS": {"CLIENT_CLASS": CLIENT}} for backend in (SYNC, ASYNC)),
    *({"BACKEND": backend, "OPTIONS": {"CONNECTION_FACTORY": FACTORY}} for backend in (SYNC, ASYNC)),
    {"BACKEND": SYNC, "OPTIONS": {"CLIENT_CLASS": "django_valkey.cluster_cache.client.default.DefaultClusterClient"}},
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "make_cache", ["a cluster in memory"])


@pytest.mark.full("the suite is in the fast path on a real cluster, and under Django")
class TestClusterValkeyCache(CacheConformance):
    @pytest.fixture
    def make_cache(self, request: pytest.FixtureRequest) -> Iterator[MakeCache]:
        mode, _ = request.param
        with registry.use(pool_factory=MemoryPoolFactory()), asyncio.Runner() as runner:

            def make_cache(**settings: Any) -> Cache:
                cache: Any = ClusterValkeyCache("valkey://nodes:7001", settings)
                return cast("Cache", cache if mode == "sync" else Blocking(cache, runner, "a"))

            yield make_cache


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_cluster_methods_exist_on_every_configuration_and_its_client(
    way: dict[str, Any], configured: Configure
) -> None:
    with configured("valkey://127.0.0.1:1", **way):
        cache: Any = caches["default"]
        for each in (cache, cache.client):
            found = each.keyslot("k")
            assert (asyncio.run(found) if way["BACKEND"] == ASYNC else found) == slot(b":1:k")
        assert asyncio.run(cache.akeyslot("k")) == slot(b":1:k")


def test_cluster_methods_are_absent_on_other_topologies(configured: Configure) -> None:
    with configured("valkey://127.0.0.1:1"):
        cache: Any = caches["default"]
        for name in ("keyslot", "akeyslot", "flushall", "nonsense"):
            with pytest.raises(AttributeError, match=name):
                getattr(cache, name)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_cluster_is_reached_by_every_configuration(
    way: dict[str, Any], cluster: Cluster, configured: Configure
) -> None:
    names = [f"k{n}" for n in range(30)]
    with configured(cluster.urls()[:1], **way):
        cache: Any = caches["default"]
        assert asyncio.run(cache.aset_many(dict.fromkeys(names, 1))) == []
        if way["BACKEND"] == ASYNC:
            assert asyncio.run(cache.get_many(names)) == dict.fromkeys(names, 1)
        else:
            assert cache.get_many(names) == dict.fromkeys(names, 1)
    counts = [node.raw("DBSIZE") for node in cluster.primaries]
    assert sum(counts) == len(names)
    assert min(counts) > 0


@pytest.fixture(params=["", "a"], ids=["sync", "async"])
def call(request: pytest.FixtureRequest, cluster: Cluster, configured: Configure) -> Iterator[Any]:
    """Return a function that calls a method of the cache by its name, in one mode."""
    prefix = request.param
    with configured(",".join(cluster.urls()), BACKEND=BACKEND, TIMEOUT=77), asyncio.Runner() as runner:
        cache = caches["default"]

        async def awaited(name: str, *args: Any, **kwargs: Any) -> Any:
            return await getattr(cache, f"a{name}")(*args, **kwargs)

        def call(name: str, *args: Any, **kwargs: Any) -> Any:
            if prefix:
                return runner.run(awaited(name, *args, **kwargs))
            return getattr(cache, name)(*args, **kwargs)

        yield call


def test_keyslot_agrees_with_the_server(call: Any, cluster: Cluster) -> None:
    for key in ("a", "{a}b", "größe"):
        assert call("keyslot", key) == cluster.nodes[0].raw("CLUSTER", "KEYSLOT", f":1:{key}")
    assert call("keyslot", "a", version=2) == cluster.nodes[0].raw("CLUSTER", "KEYSLOT", ":2:a")


def test_msetnx_stores_all_or_none(call: Any) -> None:
    assert call("msetnx", {"{t}a": 1, "{t}b": 2}) is True
    assert call("msetnx", {"{t}b": 3, "{t}c": 4}) is False
    assert call("get_many", ["{t}a", "{t}b", "{t}c"]) == {"{t}a": 1, "{t}b": 2}
    assert call("ttl", "{t}a") == 77


def test_msetnx_keys_must_be_in_one_slot(call: Any) -> None:
    for name, more in (("msetnx", {}), ("mset", {"atomic": True}), ("mset", {"nx": True})):
        with pytest.raises(NotSupportedError, match=r":1:a, :1:b .*braces"):
            call(name, {"a": 1, "b": 2}, **more)
    assert call("get_many", ["a", "b"]) == {}


def test_mset_is_atomic_in_one_slot_and_split_by_slot_otherwise(call: Any) -> None:
    data = {f"k{n}": n for n in range(20)}
    assert call("mset", data, 60) is True
    assert call("mset", {"{t}a": 1, "{t}b": 2}, 60) is True
    assert call("get_many", [*data, "{t}a", "{t}b"]) == {**data, "{t}a": 1, "{t}b": 2}
    assert {call("ttl", key) for key in (*data, "{t}a")} == {60}
    assert call("mset", data, atomic=False) == [True] * 20
    assert call("mset_nonatomic", {"a": 1, "b": 2}) == [True, True]
    assert call("mget_nonatomic", ["a", "b", "a", "none"]) == {"a": 1, "b": 2}
    assert call("mset", {"{t}a": 1}, 0) is True
    assert call("get", "{t}a") is None


def test_set_many_positional_timeout_is_a_timeout(call: Any) -> None:
    assert call("set_many", {"a": 1, "b": 2}, 60) == []
    assert (call("ttl", "a"), call("ttl", "b")) == (60, 60)


def test_keys_lists_the_keys_of_every_primary(call: Any) -> None:
    names = {f"k{n}" for n in range(50)}
    call("set_many", dict.fromkeys(names, 1))
    for arguments in ({}, {"pattern": "k*"}, {"search": "*"}, {"target_nodes": "default-node"}):
        assert set(call("keys", **arguments)) == names


def test_flushall_empties_every_primary(call: Any, cluster: Cluster) -> None:
    call("set_many", {f"k{n}": 1 for n in range(30)})
    assert call("flushall") is True
    assert [node.raw("DBSIZE") for node in cluster.primaries] == [0, 0, 0]
    assert call("flushall", asynchronous=True) is True
    assert call("invalidate_key_from_cache") is None


def test_readonly_reads_from_replicas_until_readwrite(call: Any, cluster: Cluster) -> None:
    call("set", "a", 1)
    primary = cluster.owner(call("keyslot", "a"))
    replica = cluster.replica_of(primary)
    cluster.wait_listed()
    before = calls(replica, "get")
    assert call("get", "a") == 1
    assert calls(replica, "get") == before
    assert call("readonly") is True
    assert [call("get", "a") for _ in range(3)] == [1, 1, 1]
    assert calls(replica, "get") == before + 3
    assert call("readwrite") is True
    assert call("get", "a") == 1
    assert calls(replica, "get") == before + 3
