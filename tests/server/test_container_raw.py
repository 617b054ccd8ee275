"""Clients of valkey-py from a container: on each topology, in both modes, closed with the container."""

import asyncio
import gc
from typing import Any

import pytest
import valkey
import valkey.asyncio
import valkey.asyncio.cluster
import valkey.cluster

from dvcache import ClosedError, Container, NotSupportedError, Settings
from dvcache.testing import MemoryPoolFactory
from tests.support.clusters import Cluster
from tests.support.servers import PASSWORD, Server, TlsProxy, user, wait_until
from tests.support.topologies import Replication, SentinelFleet


def container(location: Any, **options: Any) -> Container:
    return Container(Settings.parse({"LOCATION": location, "OPTIONS": options}))


def info(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.info("replication")
    return found


def test_raw_client_reads_the_entries_and_runs_pipelines(server: Server) -> None:
    with container(server.url(1)) as made:
        cache, raw = made.cache(), made.raw()
        cache.set("a", 7)
        assert isinstance(raw, valkey.Valkey)
        assert raw.get(cache.make_key("a")) == b"7"
        with raw.pipeline() as pipeline:
            pipeline.incr(cache.make_key("a"))
            pipeline.rpush("queue", "job")
            assert pipeline.execute() == [8, 1]
        assert cache.get("a") == 8
        assert made.raw().connection_pool is raw.connection_pool


def test_async_raw_client_reads_the_entries_and_runs_pipelines(server: Server) -> None:
    async def main(made: Container) -> None:
        cache, raw = made.async_cache(), await made.async_raw()
        await cache.set("a", 7)
        assert isinstance(raw, valkey.asyncio.Valkey)
        assert await raw.get(cache.make_key("a")) == b"7"
        async with raw.pipeline() as pipeline:
            pipeline.incr(cache.make_key("a"))
            assert await pipeline.execute() == [8]
        assert (await made.async_raw()).connection_pool is raw.connection_pool

    with container(server.url(1)) as made:
        asyncio.run(main(made))
        asyncio.run(main(made))
        gc.collect()


def test_raw_clients_are_closed_with_their_container(own_server: Server) -> None:
    async def main() -> None:
        made, before = container(own_server.url()), own_server.connections()
        raw, asynchronous = made.raw(), await made.async_raw()
        assert raw.ping()
        assert await asynchronous.ping()
        assert own_server.connections() == before + 2
        await made.aclose()
        await asyncio.to_thread(wait_until, lambda: own_server.connections() == before)
        with pytest.raises(ClosedError):
            made.raw()
        with pytest.raises(ClosedError):
            await made.async_raw()

    asyncio.run(main())


def test_raw_client_has_credentials_and_tls(server: Server, tls_proxy: TlsProxy) -> None:
    user(server, "raw", "+get")
    with container(tls_proxy.url(1), USERNAME="raw", PASSWORD=PASSWORD) as made:
        raw = made.raw()
        assert raw.get("a") is None
        assert PASSWORD not in repr(raw)
        with pytest.raises(valkey.exceptions.NoPermissionError) as caught:
            raw.set("a", 1)
        assert PASSWORD not in str(caught.value)


def test_raw_client_of_replicas_selects_the_role(replication: Replication) -> None:
    async def main(made: Container, *, write: bool) -> str:
        found = await (await made.async_raw(write=write)).info("replication")
        return str(found["role"])

    with container(replication.urls()) as made:
        assert [info(made.raw(write=write))["role"] for write in (True, False)] == ["master", "slave"]
        assert [asyncio.run(main(made, write=write)) for write in (True, False)] == ["master", "slave"]


def test_raw_client_of_a_service_asks_the_sentinels_for_the_role(fleet: SentinelFleet) -> None:
    async def main(made: Container, *, write: bool) -> str:
        found = await (await made.async_raw(write=write)).info("replication")
        return str(found["role"])

    fleet.replication("service_name")
    options = {"SENTINELS": fleet.addresses, "READ_FROM": "replica"}
    with container("valkey://service_name/0", **options) as made:
        assert [info(made.raw(write=write))["role"] for write in (True, False)] == ["master", "slave"]
        assert [asyncio.run(main(made, write=write)) for write in (True, False)] == ["master", "slave"]


def test_raw_client_of_a_cluster_reaches_every_node(cluster: Cluster) -> None:
    keys = [f"key{number}" for number in range(30)]

    async def main(made: Container) -> None:
        raw: Any = await made.async_raw()
        assert isinstance(raw, valkey.asyncio.cluster.ValkeyCluster)
        assert [await raw.get(key) for key in keys] == [b"1"] * len(keys)

    with container(cluster.urls(), CLUSTER=True) as made:
        raw: Any = made.raw()
        assert isinstance(raw, valkey.cluster.ValkeyCluster)
        with raw.pipeline() as pipeline:
            for key in keys:
                pipeline.set(key, 1)
            assert pipeline.execute() == [True] * len(keys)
        assert made.raw() is raw
        asyncio.run(main(made))
        gc.collect()


def test_raw_client_of_a_cluster_is_closed_with_its_container(cluster: Cluster) -> None:
    async def main() -> None:
        made = container(cluster.urls(), CLUSTER=True)
        before = sum(each.connections() for each in cluster.primaries)
        raw: Any = made.raw()
        asynchronous: Any = await made.async_raw()
        for number in range(30):
            raw.get(str(number))
            await asynchronous.get(str(number))
        assert sum(each.connections() for each in cluster.primaries) > before
        await made.aclose()
        await asyncio.to_thread(wait_until, lambda: sum(each.connections() for each in cluster.primaries) <= before)

    asyncio.run(main())


def test_raw_client_is_of_the_projects_own_pool(server: Server) -> None:
    class Pool(valkey.BlockingConnectionPool):
        """A pool of a project's own."""

    with container(server.url(), CONNECTION_POOL_CLASS=Pool) as made:
        assert type(made.raw().connection_pool) is Pool
        assert made.raw().ping()


def test_raw_client_gets_the_pushes_of_resp3(server: Server) -> None:
    with container(f"{server.url()}?protocol=3") as made, made.raw().pubsub() as subscription:
        subscription.subscribe("news")
        assert subscription.get_message(timeout=10)["type"] == "subscribe"
        made.raw().publish("news", "x")
        assert subscription.get_message(timeout=10)["data"] == b"x"


@pytest.mark.parametrize(
    ("entry", "given", "reason"),
    [
        ({"LOCATION": "memory://"}, {}, "memory:// has no server for a valkey-py client; write embedded://"),
        (
            {"LOCATION": ["valkey://one", "valkey://two"], "OPTIONS": {"SHARDED": True}},
            {},
            "cache 'pages': no valkey-py client reaches all shards",
        ),
        (
            {"LOCATION": "valkey://one"},
            {"pool_factory": MemoryPoolFactory()},
            "cache 'pages': a valkey-py client would reach the real server, while pool_factory is replaced",
        ),
    ],
)
def test_raw_client_is_refused_without_a_server(entry: Any, given: Any, reason: str) -> None:
    with Container(Settings.parse(entry, alias="pages"), **given) as made:
        with pytest.raises(NotSupportedError, match=reason):
            made.raw()
        with pytest.raises(NotSupportedError, match=reason):
            asyncio.run(made.async_raw())
