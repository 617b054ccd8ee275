"""Test a cluster's pools while nodes come and go, and slot map refreshes whose caller was cancelled."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dvcache.errors import ConnectError, ReplyTimeout, UnavailableError
from dvcache.routing.slots import slot
from dvcache.types import Batch
from tests.support.fake_cluster import AsyncPool, Node, World

A, B = b"a", b"b"
"""Keys of two different primaries."""


@pytest.fixture
def world() -> World:
    world = World()
    assert world.owner(slot(A)) is not world.owner(slot(B))
    return world


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, world: World) -> Any:
    client = world.client(request.param)
    client.execute((("SET", A, b"1"), ("SET", B, b"2")))
    return client


def advance(client: Any, seconds: float) -> None:
    """Advance the clock."""
    nodes = getattr(client, "client", client).primary.routing.nodes
    clock = nodes.clock
    nodes.clock = lambda: clock() + seconds


def newcomer(world: World, port: int = 7009) -> Node:
    """Return a node without slots."""
    node = Node(world, ("10.0.0.1", port))
    world.nodes.append(node)
    return node


def pools_of(world: World, node: Node) -> list[Any]:
    return [pool for pool in world.pools if (pool.endpoint.host, pool.endpoint.port) == node.address]


def test_node_that_just_lost_its_last_slot_keeps_its_connections(client: Any, world: World) -> None:
    old, new = world.owner(slot(A)), newcomer(world)
    advance(client, 60)
    new.data, world.owners = old.data, [new if each is old else each for each in world.owners]
    assert client.execute((("GET", A),)) == [b"1"]
    assert not any(pool.closed for pool in pools_of(world, old))
    advance(client, 60)
    world.owners[slot(A)] = new = newcomer(world, 7010)
    new.data = {A: b"3"}
    assert client.execute((("GET", A),)) == [b"3"]
    assert all(pool.closed for pool in pools_of(world, old))


def test_node_that_is_importing_its_first_slot_keeps_its_connections(client: Any, world: World) -> None:
    target = newcomer(world)
    world.owner(slot(A)).script = [f"ASK {slot(A)} 10.0.0.1:7009"]
    assert client.execute((("GET", A),)) == [None]
    advance(client, 1)
    world.owner(slot(B)).script = ["CLUSTERDOWN for a moment"]
    refreshes = world.refreshes
    assert client.execute((("GET", B),)) == [b"2"]
    assert world.refreshes > refreshes
    assert not any(pool.closed for pool in pools_of(world, target))


def test_slot_map_refresh_is_taken_over_from_a_cancelled_caller(world: World) -> None:
    client = world.client("async").client

    async def crowd() -> list[Any]:
        tasks = [asyncio.create_task(client.execute((("GET", A),))) for _ in range(5)]
        await asyncio.sleep(0)
        for task in tasks[:3]:
            task.cancel()
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert asyncio.run(crowd())[3:] == [[None]] * 2


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_slot_map_is_asked_last_of_a_node_that_gave_no_answer(world: World, mode: str) -> None:
    client = world.client(mode)
    client.execute((("SET", A, b"1"), ("SET", B, b"2")))
    advance(client, 60)
    world.owner(slot(A)).script = ["CLUSTERDOWN for a moment"]
    world.owner(slot(B)).script = [ReplyTimeout("no answer")]
    refreshes = world.refreshes
    assert client.execute((("GET", A), ("GET", B))) == [b"1", b"2"]
    assert world.refreshes > refreshes
    assert ("CLUSTER", "SLOTS") not in world.owner(slot(B)).asked[-2:]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_unserved_slot_is_named_with_the_alias(world: World, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dvcache.clients.cluster.discovery.PATIENCE", 0.05)
    client = world.client(mode)
    slots = world.slots
    monkeypatch.setattr(world, "slots", lambda: [each for each in slots() if not each[0] <= slot(A) <= each[1]])
    [reply] = client.execute((("GET", A),))
    assert isinstance(reply, UnavailableError)
    assert (str(slot(A)) in reply.message, reply.alias) == (True, "default")


def test_known_owner_does_not_wait_for_the_discovery_of_replicas(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client, answers = world.client("async").client, AsyncPool.execute

    async def crowd() -> None:
        for command in (("SET", A, b"1"), ("READONLY",), ("GET", A)):
            await client.execute((command,))
        advance(client, 60)
        client.primary.routing.nodes.timeout = 60
        released = asyncio.Event()

        async def hangs(pool: AsyncPool, batch: Batch, until: float | None = None) -> Any:
            if batch[0][0] == "CLUSTER":
                await released.wait()
            return await answers(pool, batch, until)

        monkeypatch.setattr(AsyncPool, "execute", hangs)
        asks = asyncio.create_task(client.execute((("GET", A),)))
        await asyncio.sleep(0)
        assert await asyncio.wait_for(client.execute((("GET", A),)), 10) == [b"1"]
        assert not asks.done()
        released.set()
        assert await asks == [b"1"]

    asyncio.run(crowd())


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_nodes_may_be_added_during_a_slot_map_refresh(world: World, mode: str) -> None:
    client = world.client(mode)
    client.execute((("SET", A, b"1"),))
    nodes = getattr(client, "client", client).primary.routing.nodes

    class Meets(dict[Any, int]):
        """A key that sends another thread to an unknown node while it is looked up."""

        def __contains__(self, pool: object) -> bool:
            nodes.at(("10.0.0.1", 8000 + world.refreshes), pool)
            return super().__contains__(pool)

    nodes.view = replace(nodes.view, primaries=Meets(nodes.view.primaries))
    advance(client, 1)
    world.owner(slot(A)).script = ["CLUSTERDOWN for a moment"]
    assert client.execute((("GET", A),)) == [b"1"]


def test_event_loop_stopped_in_a_slot_map_refresh_blocks_nobody_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, answers = world.client("async").client, AsyncPool.execute
    client.primary.routing.nodes.timeout = 0.05

    async def hangs(*_: object) -> None:
        await asyncio.sleep(3600)

    async def begin() -> None:
        tasks.append(asyncio.create_task(client.execute((("GET", A),))))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[Any]] = []
    monkeypatch.setattr(AsyncPool, "execute", hangs)
    stopped = asyncio.new_event_loop()
    stopped.run_until_complete(begin())
    monkeypatch.setattr(AsyncPool, "execute", answers)
    with pytest.raises(ConnectError, match=r"no slot table after 0\.\d\d s"):
        asyncio.run(client.execute((("GET", A),)))
    assert asyncio.run(client.execute((("GET", A),))) == [None]
    tasks[0].cancel()
    stopped.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    stopped.close()


def test_new_owner_with_an_unannounced_name_is_looked_up_in_the_slot_map(client: Any, world: World) -> None:
    old, new = world.owner(slot(A)), world.owner(slot(B))
    new.data[A], world.owners[slot(A)] = b"3", new
    old.script = [f"MOVED {slot(A)} ?:7001"]
    advance(client, 60)
    assert client.execute((("GET", A),)) == [b"3"]
    assert not any(pool.endpoint.host == "?" for pool in world.pools)


# Scans ---------------------------------------------------------------------------------------------------------------


def pages(client: Any, *between: Callable[[], object]) -> set[bytes]:
    """Return the keys found by a scan; each event happens after one of the first pages."""
    found: set[bytes] = set()
    cursor, things = 0, iter(between)
    while True:
        [[cursor, names]] = client.execute((("SCAN", cursor),))
        found.update(names)
        if not cursor:
            return found
        next(things, int)()


def successor(world: World, old: Node, port: int) -> Node:
    """Replace a dead node by another at a new address with the same data."""
    new = newcomer(world, port)
    new.data, old.down = old.data, ConnectError("gone")
    world.owners = [new if each is old else each for each in world.owners]
    return new


@pytest.mark.parametrize("noticed", [True, False], ids=["by others", "by the scan"])
@pytest.mark.parametrize("port", [6999, 7009], ids=["before", "behind"])
@pytest.mark.parametrize("turn", [1, 2, 3, 4])
def test_scan_finds_every_key_although_a_primary_is_replaced(
    client: Any, world: World, port: int, turn: int, noticed: bool
) -> None:
    keys = {b"%d" % n for n in range(12)} | {A, B}
    client.execute(tuple(("SET", key, b"1") for key in keys))

    def replaced() -> None:
        advance(client, 1)
        successor(world, world.owner(slot(A)), port)
        if noticed:
            client.execute((("GET", A),))

    assert pages(client, *[int] * turn, replaced) == keys
