"""Test caches on a real cluster, in both modes: many keys, renames, leases, scripts, failing nodes."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dvcache import Container, Settings
from dvcache.clients.cluster import discovery
from dvcache.errors import AuthenticationError, CacheError, ServerError, TransportError
from dvcache.routing import replica_balancer
from dvcache.routing.slots import slot
from dvcache.testing.conformance import wired
from tests.support.cluster_load import THIRDS
from tests.support.clusters import Cluster, on_cluster
from tests.support.replication import calls, reset_calls, wait_caught_up
from tests.support.servers import PASSWORD, TlsProxy, wait_until

MODES = ["sync", "async"]


@pytest.fixture(params=MODES)
def make(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Any]:
    """Return a function that makes caches from settings, in one mode."""
    with wired(request.param, cluster.urls()) as make_cache:
        yield on_cluster(make_cache)


@pytest.fixture
def cache(make: Any) -> Any:
    return make()


@pytest.mark.full("large data, or many random ones")
def test_get_many_asks_every_primary_at_once(cache: Any, cluster: Cluster) -> None:
    data = {f"k{n}": n for n in range(1200)}
    assert cache.set_many(data, 60) == []
    assert cache.get_many([*data, *data, "none"]) == data
    assert min(node.raw("DBSIZE") for node in cluster.primaries) > 300
    assert sorted(cache.iter_keys("k*", itersize=50)) == sorted(data)
    assert cache.delete_pattern("k1*") == sum(key.startswith("k1") for key in data)
    assert cache.delete_many(data) == sum(not key.startswith("k1") for key in data)
    assert [node.raw("DBSIZE") for node in cluster.primaries] == [0, 0, 0]


@pytest.mark.full("waits for slow and hung servers")
@pytest.mark.parametrize("reads", ["primary", "replica"])
def test_other_nodes_are_asked_while_one_is_awaited(
    make: Any, cluster: Cluster, reads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_balancer, "CHECK_EVERY", 1000.0)
    cluster.wait_listed()
    cache = make(OPTIONS={"READ_FROM": reads})
    data = {f"k{n}": n for n in range(60)}
    cache.set_many(data)
    primaries = cluster.primaries
    nodes = primaries if reads == "primary" else [cluster.replica_of(each) for each in primaries]
    wait_until(lambda: sum(node.raw("DBSIZE") for node in nodes) == 60)
    first, *others = nodes
    keys = sorted(data, key=lambda key: slot(f":1:{key}".encode()))
    assert cache.get_many(keys) == data
    reset_calls(*others)
    with ThreadPoolExecutor(1) as threads:
        with first.paused():
            found = threads.submit(cache.get_many, keys)
            wait_until(lambda: sum(calls(node, "get") for node in others) > 30)
        assert found.result(10) == data


# Renames to another slot ---------------------------------------------------------------------------------------------


def test_entry_moves_with_its_value_and_its_lifetime(cache: Any) -> None:
    for n in range(10):
        cache.set(f"k{n}", {"n": n}, 100)
        before = cache.pttl(f"k{n}")
        assert cache.incr_version(f"k{n}") == 2
        assert cache.get(f"k{n}") is None
        assert cache.get(f"k{n}", version=2) == {"n": n}
        assert before - 5000 < cache.pttl(f"k{n}", version=2) <= before
    cache.set("forever", 1, None)
    cache.incr_version("forever")
    assert cache.ttl("forever", version=2) is None


def test_set_and_hash_move_too(cache: Any) -> None:
    for n in range(5):
        cache.sadd(f"s{n}", 1, "two")
        cache.expire(f"s{n}", 100)
        cache.incr_version(f"s{n}")
        assert cache.smembers(f"s{n}", version=2) == {1, "two"}
        assert 95 < cache.ttl(f"s{n}", version=2) <= 100


def test_counter_loses_no_count_while_its_slot_moves(cluster: Cluster) -> None:
    with Container(Settings.parse({"LOCATION": cluster.urls(), "OPTIONS": {"CLUSTER": True}})) as container:
        cache = container.cache()
        cache.set("n", 0, None)
        moved = threading.Event()
        counted = []

        def count() -> None:
            while not moved.is_set():
                try:
                    cache.incr("n")
                    counted.append(1)
                except ValueError:  # it was renamed
                    return

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(counted) < 50:
            pass
        cache.incr_version("n")
        moved.set()
        for thread in threads:
            thread.join()
        assert cache.get("n", version=2) == len(counted)


# Leases and scripts --------------------------------------------------------------------------------------------------


def test_lease_is_in_the_slot_of_its_entry_and_is_never_listed(make: Any, cluster: Cluster) -> None:
    cache = make(OPTIONS={"HERD": {"timeout": 100, "lease": 30}})
    names = [f"k{n}" for n in range(20)]
    cache.set_many(dict.fromkeys(names, 1), 0.001)
    time.sleep(0.01)
    assert cache.get_many(names) == {}
    stored = [key for node in cluster.primaries for key in node.raw("KEYS", "*")]
    leases = {key for key in stored if b":lease" in key}
    assert len(leases) == len(names)
    assert {slot(key) for key in leases} == {slot(f":1:{name}") for name in names}
    assert sorted(cache.keys("*")) == sorted(names)
    assert cache.delete_pattern("*") == len(names)
    assert [node.raw("DBSIZE") for node in cluster.primaries] == [0, 0, 0]


def test_scripts_are_found_on_every_node(cache: Any, cluster: Cluster) -> None:
    for tag in THIRDS:
        cache.set(f"{{{tag}}}", 1)
    for _ in range(2):
        for node in cluster.primaries:
            node.raw("SCRIPT", "FLUSH")
        for tag in THIRDS:
            cache.incr(f"{{{tag}}}")
    assert cache.get_many([f"{{{tag}}}" for tag in THIRDS]) == {f"{{{tag}}}": 3 for tag in THIRDS}


# Owners that fail ----------------------------------------------------------------------------------------------------


@pytest.mark.full("stops a node: 4 s")
@pytest.mark.parametrize("policy", ["plain", "herd"])
def test_owner_that_is_down_costs_only_its_own_keys(
    cluster: Cluster, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "PATIENCE", 0.1)
    herd = {"HERD": True} if policy == "herd" else {}
    names = [f"k{n}" for n in range(60)]
    gone = cluster.primaries[2]
    lost = [name for name in names if cluster.owner(slot(f":1:{name}")) is gone]
    kept = {name: 1 for name in names if name not in lost}
    with ExitStack() as stack:
        caches = []
        for mode in MODES:
            make = on_cluster(stack.enter_context(wired(mode, cluster.urls())))  # type: ignore[arg-type]  # a mode
            caches += [(make(OPTIONS=herd), make(OPTIONS={**herd, "IGNORE_EXCEPTIONS": True}))]
        for strict, forgiving in caches:
            assert strict.set_many(dict.fromkeys(names, 1)) == forgiving.set_many(dict.fromkeys(names, 1)) == []
        for node in cluster.nodes:
            node.raw("CONFIG", "SET", "cluster-require-full-coverage", "no")
        gone.kill()
        for strict, forgiving in caches:
            with pytest.raises(TransportError):
                strict.get_many(names)
            assert forgiving.get_many(names) == kept
            assert sorted(strict.set_many(dict.fromkeys(names, 1))) == sorted(lost)
            assert sorted(forgiving.set_many(dict.fromkeys(names, 1))) == sorted(lost)
            assert strict.get_many(kept) == kept
            with pytest.raises(TransportError):
                strict.set_many(dict.fromkeys(lost, 1))
            assert sorted(forgiving.set_many(dict.fromkeys(lost, 1))) == sorted(lost)


@pytest.mark.full("hangs a node: 7 s")
def test_owner_that_hangs_costs_only_the_claims_of_its_own_stale_entries(make: Any, cluster: Cluster) -> None:
    cluster.wait_listed()
    names = [f"{{{tag}}}" for tag in THIRDS]
    cache = make(OPTIONS={"READ_FROM": "replica", "SOCKET_TIMEOUT": 0.3, "HERD": {"timeout": 100}})
    cache.set_many(dict.fromkeys(names, "old"), 0.001)
    for tag in THIRDS:
        owner = cluster.owner(slot(tag))
        wait_caught_up(owner, [cluster.replica_of(owner)])
    with cluster.owner(slot(THIRDS[0])).paused():
        assert cache.get_many(names) == {names[0]: "old"}
        assert cache.get_many(names) == dict.fromkeys(names, "old")


# Settings ------------------------------------------------------------------------------------------------------------


@pytest.mark.full("starts a cluster: 3 s")
def test_password_is_used_for_every_node() -> None:
    with Cluster(password=PASSWORD) as cluster:
        for number, mode in enumerate(MODES):
            with wired(mode, cluster.urls()) as make:  # type: ignore[arg-type]  # a mode
                cache = on_cluster(make)()
                assert cache.set_many({f"k{n}": number for n in range(20)}) == []
                assert cache.get_many(["k1", "k2"]) == {"k1": number, "k2": number}
            plain = [node.url() for node in cluster.nodes]
            with wired(mode, plain) as make:  # type: ignore[arg-type]  # a mode
                assert on_cluster(make)(OPTIONS={"PASSWORD": PASSWORD}).get("k1") == number
                with pytest.raises(AuthenticationError):
                    on_cluster(make)(OPTIONS={"PASSWORD": "wrong"}).get("k1")


@pytest.mark.parametrize("mode", MODES)
def test_replica_works_as_the_only_seed(cluster: Cluster, mode: Any) -> None:
    with wired(mode, cluster.nodes[4].url()) as make:
        cache = on_cluster(make)()
        assert cache.set_many({"a": 1, "b": 2, "c": 3}) == []
        assert cache.get_many("abc") == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize("mode", MODES)
def test_database_that_a_cluster_lacks_is_refused_by_name(cluster: Cluster, mode: Any) -> None:
    with wired(mode, cluster.nodes[0].url(3)) as make, pytest.raises(CacheError, match="database 3"):
        on_cluster(make)().get("a")


@pytest.mark.parametrize("mode", MODES)
def test_cluster_node_used_as_a_single_server_names_the_missing_option(cluster: Cluster, mode: Any) -> None:
    with wired(mode, cluster.nodes[0].url()) as make:
        elsewhere = next(tag for tag in THIRDS if cluster.owner(slot(tag)) is not cluster.nodes[0])
        with pytest.raises(ServerError, match=r"OPTIONS\['CLUSTER'\] = True"):
            make().get(f"{{{elsewhere}}}")


def test_forked_child_has_connections_of_its_own(cluster: Cluster) -> None:
    with Container(Settings.parse({"LOCATION": cluster.urls(), "OPTIONS": {"CLUSTER": True}})) as container:
        cache, names = container.cache(), [f"k{n}" for n in range(30)]
        cache.set_many({name: name for name in names})
        asyncio.run(container.async_cache().get_many(names))
        child = os.fork()
        if child == 0:
            same = all(cache.get_many(names) == {name: name for name in names} for _ in range(50))
            same = same and asyncio.run(container.async_cache().get_many(names)) == {name: name for name in names}
            os._exit(0 if same else 1)
        assert all(cache.get_many(names) == {name: name for name in names} for _ in range(50))
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.full("starts a cluster: 4 s")
def test_tls_is_used_for_every_node(tmp_path: Path) -> None:
    with Cluster() as cluster, ExitStack() as stack:
        proxies = []
        for n, node in enumerate(cluster.primaries):
            folder = tmp_path / str(n)
            folder.mkdir()
            proxies.append(stack.enter_context(TlsProxy(node.port, folder)))
            node.raw("CONFIG", "SET", "cluster-announce-port", proxies[n].port)
        authorities = tmp_path / "authorities.pem"
        authorities.write_text("".join(proxy.ca_path.read_text() for proxy in proxies))
        ports = {proxy.port for proxy in proxies}
        asked = cluster.nodes[0]
        wait_until(lambda: {each[2][1] for each in asked.raw("CLUSTER", "SLOTS")} == ports)
        for mode in MODES:
            with wired(mode, f"valkeys://127.0.0.1:{proxies[0].port}") as make:  # type: ignore[arg-type]  # a mode
                trusting = {"CONNECTION_POOL_KWARGS": {"ssl_ca_certs": str(authorities)}}
                cache = on_cluster(make)(OPTIONS=trusting)
                assert cache.set_many({f"k{n}": n for n in range(30)}) == []
                assert cache.get_many(["k1", "k2", "k29"]) == {"k1": 1, "k2": 2, "k29": 29}
                with pytest.raises(TransportError, match="certificate"):
                    on_cluster(make)().get("k1")
