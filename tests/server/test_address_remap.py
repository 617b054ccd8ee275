"""Test ADDRESS_REMAP: nodes that announce unreachable addresses are reached at the mapped ones."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from dvcache import CacheError, ConfigurationError, Container, Settings
from dvcache.routing.slots import slot
from tests.support.clusters import Cluster
from tests.support.custom_pools import OwnAsyncPool, OwnAsyncSentinelPool, OwnPool, OwnSentinelPool
from tests.support.servers import DelayProxy
from tests.support.topologies import SERVICES, SentinelFleet

OWN = {"own sync pool": {"CONNECTION_POOL_CLASS": OwnPool}, "own async pool": {"CONNECTION_POOL_CLASS": OwnAsyncPool}}
OF_SENTINELS = {
    "own sync pool": {"CONNECTION_POOL_CLASS": OwnSentinelPool},
    "own async pool": {"CONNECTION_POOL_CLASS": OwnAsyncSentinelPool},
}
WAYS = ["sync", "async", "own sync pool", "own async pool"]


class Nat:
    """A proxy for each node, at another address than the announced one."""

    def __init__(self, stack: ExitStack, ports: list[int]) -> None:
        self.proxies = {port: stack.enter_context(DelayProxy(port)) for port in ports}
        self.asked: list[tuple[str, int]] = []

    def __call__(self, address: tuple[str, int]) -> tuple[str, int]:
        self.asked.append(address)
        return "127.0.0.1", self.proxies[address[1]].port

    @property
    def used(self) -> int:
        return sum(bool(proxy.accepted) for proxy in self.proxies.values())

    def table(self, *, text: bool) -> dict[Any, Any]:
        pairs = {("127.0.0.1", port): ("127.0.0.1", proxy.port) for port, proxy in self.proxies.items()}
        return {f"{a}:{b}": f"{c}:{d}" for (a, b), (c, d) in pairs.items()} if text else pairs


@pytest.fixture
def nat(cluster: Cluster) -> Iterator[Nat]:
    cluster.wait_listed()
    with ExitStack() as stack:
        yield Nat(stack, [node.port for node in cluster.nodes])


def options(how: str, nat: Nat) -> dict[str, Any]:
    return {
        "option": {"ADDRESS_REMAP": nat},
        "table": {"ADDRESS_REMAP": nat.table(text=False)},
        "table of text": {"ADDRESS_REMAP": nat.table(text=True)},
        "argument of the client": {"BASE_CLIENT_KWARGS": {"address_remap": nat}},
    }[how]


def on_every_node(way: str, entry: dict[str, Any]) -> None:
    """Write and read entries of every slot range, over each node."""
    data = {f"k{n}": n for n in range(60)}

    async def use() -> None:
        assert await container.async_cache().set_many(data) == []
        assert await container.async_cache().get_many(data) == data

    with Container(Settings.parse(entry)) as container:
        if "async" in way:
            asyncio.run(use())
        else:
            assert container.cache().set_many(data) == []
            assert container.cache().get_many(data) == data


@pytest.mark.parametrize("how", ["option", "table", "table of text", "argument of the client"])
def test_cluster_nodes_are_reached_at_mapped_addresses(how: str, cluster: Cluster, nat: Nat) -> None:
    on_every_node("sync", {"LOCATION": cluster.urls()[0], "OPTIONS": {"CLUSTER": True, **options(how, nat)}})
    assert sum(bool(nat.proxies[node.port].accepted) for node in cluster.primaries) >= 2


@pytest.mark.parametrize("reads", ["primary", "replica"])
@pytest.mark.parametrize("way", WAYS)
def test_every_announced_address_of_a_cluster_is_mapped(way: str, reads: str, cluster: Cluster, nat: Nat) -> None:
    given = {"CLUSTER": True, "ADDRESS_REMAP": nat, "READ_FROM": reads, **OWN.get(way, {})}
    on_every_node(way, {"LOCATION": cluster.urls()[0], "OPTIONS": given})
    primaries = [nat.proxies[node.port].accepted for node in cluster.primaries]
    replicas = [nat.proxies[cluster.replica_of(node).port].accepted for node in cluster.primaries]
    assert min(primaries) > 0
    assert all(replicas) if reads == "replica" else not any(replicas)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_redirect_address_is_mapped(way: str, cluster: Cluster, nat: Nat) -> None:
    place = slot(b":1:moved")
    old = cluster.owner(place)
    target = next(node for node in cluster.primaries if node is not old)
    entry = {"LOCATION": old.url(), "OPTIONS": {"CLUSTER": True, "ADDRESS_REMAP": nat}}

    async def use() -> None:
        assert await container.async_cache().set("moved", 1)
        cluster.move(place, target)
        nat.asked.clear()
        assert await container.async_cache().set("moved", 2)

    with Container(Settings.parse(entry)) as container:
        if way == "async":
            asyncio.run(use())
        else:
            assert container.cache().set("moved", 1)
            cluster.move(place, target)
            nat.asked.clear()
            assert container.cache().set("moved", 2)
    assert target.address in nat.asked


@pytest.mark.full("waits for slow and hung servers")
@pytest.mark.parametrize("wrong", [lambda _: None, lambda _: 1 / 0, lambda _: ("", 0)])
def test_address_remap_that_fails_is_reported(wrong: Any, cluster: Cluster) -> None:
    settings = Settings.parse({"LOCATION": cluster.urls()[0], "OPTIONS": {"CLUSTER": True, "ADDRESS_REMAP": wrong}})
    with Container(settings) as container, pytest.raises(CacheError, match="cannot be mapped: address_remap"):
        container.cache().get("k")


@pytest.mark.parametrize("how", ["option", "table", "argument of the client"])
@pytest.mark.parametrize("way", WAYS)
def test_sentinel_service_nodes_are_reached_at_mapped_addresses(way: str, how: str, fleet: SentinelFleet) -> None:
    replication = fleet.replication(SERVICES[0])
    with ExitStack() as stack:
        nat = Nat(stack, [replication.primary.port, *(node.port for node in replication.replicas)])
        given = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": fleet.addresses}
        given |= {**options(how, nat), **OF_SENTINELS.get(way, {})}
        entry = {"LOCATION": f"valkey://{SERVICES[0]}/0", "OPTIONS": given}

        async def use() -> None:
            assert await container.async_cache().set("k", 1)
            assert await container.async_cache().get("none") is None

        with Container(Settings.parse(entry)) as container:
            if "async" in way:
                asyncio.run(use())
            else:
                assert container.cache().set("k", 1)
                assert container.cache().get("none") is None
        assert nat.proxies[replication.primary.port].accepted > 0
        assert any(nat.proxies[node.port].accepted for node in replication.replicas)


@pytest.mark.parametrize(
    "wrong", ["nowhere", 3, {"a": "b"}, {("h", 1): ("h", 70000)}, {("h", 1, 2): ("h", 1)}], ids=repr
)
def test_address_remap_of_another_type_is_refused(wrong: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse({"LOCATION": "valkey://h", "OPTIONS": {"CLUSTER": True, "ADDRESS_REMAP": wrong}})
    assert caught.value.key == "OPTIONS['ADDRESS_REMAP']"


def test_address_remap_without_announcing_nodes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="only sentinels and clusters announce addresses"):
        Settings.parse({"LOCATION": "valkey://h", "OPTIONS": {"ADDRESS_REMAP": {("h", 1): ("h", 2)}}})


@pytest.mark.parametrize("way", WAYS)
def test_address_remap_of_a_service_that_fails_is_reported(way: str, fleet: SentinelFleet) -> None:
    fleet.replication(SERVICES[0])
    given = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": fleet.addresses}
    given |= {"ADDRESS_REMAP": lambda _: 1 / 0, **OF_SENTINELS.get(way, {})}

    async def use() -> None:
        await container.async_cache().get("k")

    settings = Settings.parse({"LOCATION": f"valkey://{SERVICES[0]}/0", "OPTIONS": given})
    with Container(settings) as container, pytest.raises(CacheError, match="address_remap: ZeroDivisionError"):
        asyncio.run(use()) if "async" in way else container.cache().get("k")
