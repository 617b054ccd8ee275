"""Test the discovery of a cluster: its seeds, and refreshes of the slot map."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dvcache.clients.cluster import discovery
from dvcache.clients.cluster.slot_table import Range, ranges
from dvcache.errors import (
    AuthenticationError,
    ClosedError,
    ConnectError,
    NotSupportedError,
    PermissionDenied,
    TransportError,
)
from dvcache.routing.slots import slot
from tests.support.cluster_worlds import A, B, C, count_time, forget_when, other, owner
from tests.support.fake_cluster import TIMEOUT, Blocking, World


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the patience of discovery."""
    monkeypatch.setattr(discovery, "PATIENCE", 0.1)


@pytest.fixture
def world() -> World:
    world = World()
    assert len({id(world.owner(slot(key))) for key in (A, B, C)}) == 3
    return world


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, world: World) -> Any:
    client = world.client(request.param)
    client.execute((("SET", A, b"1"), ("SET", B, b"2"), ("SET", C, b"3")))
    for node in world.nodes:
        node.asked.clear()
    forget_when(client)
    world.refreshes = 0
    return client


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_seeds_may_be_down_but_one(world: World, mode: str) -> None:
    client = world.client(mode, ("10.0.0.7", 1), ("10.0.0.8", 1), ("10.0.0.1", 7002))
    assert client.execute((("SET", A, b"1"), ("GET", A))) == [b"OK", b"1"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_seed_under_another_name_is_asked_and_closed(world: World, mode: str) -> None:
    world.names["cluster.example"] = world.nodes[1].address
    client = world.client(mode, ("cluster.example", 7000))
    assert client.execute((("SET", A, b"1"), ("SET", B, b"1"), ("SET", C, b"1"))) == [b"OK"] * 3
    assert {pool.endpoint.host for pool in world.pools if not pool.closed} == {"10.0.0.1"}
    assert [pool.endpoint.host for pool in world.pools if pool.closed] == ["cluster.example"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_every_node_is_reached_with_the_options_of_the_seeds(world: World, mode: str) -> None:
    client = world.client(mode)
    client.execute((("SET", A, b"1"), ("SET", B, b"1"), ("SET", C, b"1")))
    assert {(pool.endpoint.timeout, pool.endpoint.in_cluster, pool.endpoint.role) for pool in world.pools} == {
        (TIMEOUT, True, "primary")
    }


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_seeds_that_are_all_down_are_reported(world: World, mode: str) -> None:
    message = (
        r"^no node of the cluster can be reached: cannot connect[^()]* \(alias default, server [^()]*10\.0\.0\.7:1/0\)$"
    )
    with pytest.raises(TransportError, match=message):
        world.client(mode, ("10.0.0.7", 1)).execute((("GET", A),))


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_server_outside_a_cluster_is_reported_with_the_option_to_remove(world: World, mode: str) -> None:
    world.slots = lambda: _error("ERR This instance has cluster support disabled")  # type: ignore[method-assign]
    with pytest.raises(NotSupportedError, match="leave OPTIONS"):
        world.client(mode).execute((("GET", A),))
    world.slots = lambda: _error("NOPERM no permissions to run the 'cluster|slots' command")  # type: ignore[method-assign]
    with pytest.raises(PermissionDenied, match="cluster"):
        world.client(mode).execute((("GET", A),))


def _error(words: str) -> Any:
    from dvcache.error_replies import reply_error  # noqa: PLC0415  # one helper of a test

    return reply_error(words)


def test_refused_login_is_not_repeated(client: Any, world: World) -> None:
    owner(world, A).down = AuthenticationError("WRONGPASS")
    [reply] = client.execute((("GET", A),))
    assert isinstance(reply, AuthenticationError)
    assert client.execute((("GET", B),)) == [b"2"]


def test_closed_client_raises_at_once(client: Any, world: World) -> None:
    client.close()
    for node in world.nodes:
        node.down = ClosedError("closed")
    with pytest.raises(ClosedError):
        client.execute((("GET", A),))


def test_slot_map_refresh_is_shared_by_many_tasks(world: World) -> None:
    client = world.client("async")
    assert isinstance(client, Blocking)

    async def crowd() -> list[Any]:
        await client.client.execute((("SET", A, b"1"),))
        old, new = owner(world, A), other(world, A)
        new.data |= old.data
        world.owners = [new if each is old else each for each in world.owners]
        old.down, world.refreshes = ConnectError("gone"), 0
        count_time(client)
        return await asyncio.gather(*(client.client.execute((("GET", A),)) for _ in range(200)))

    assert asyncio.run(crowd()) == [[b"1"]] * 200
    assert world.refreshes == 1


def test_slot_map_refresh_is_shared_by_many_threads(world: World) -> None:
    client = world.client("sync")
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: client.execute((("GET", A),)), range(64)))
    assert replies == [[None]] * 64
    assert world.refreshes <= 8


def test_slot_map_is_read_with_any_names_of_nodes() -> None:
    reply = [
        [5, 9, [b"host", 1, b"id", []], [b"10.0.0.2", 2, b"id", []]],
        [0, 4, [b"", 3, b"id"], [None, 4, b"id"]],
        [10, 10, [b"?", 5, b"id", [b"ip", b"10.0.0.5"]]],
        [11, 11, [b"?", 6, b"id", []]],
    ]
    assert ranges(reply, ("asked", 3)) == [
        Range(0, 4, ("asked", 3), (("asked", 4),)),
        Range(5, 9, ("host", 1), (("10.0.0.2", 2),)),
        Range(10, 10, ("10.0.0.5", 5)),
    ]
