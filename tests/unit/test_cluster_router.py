"""Test the routing of batches to slot owners: redirects, lost connections and lost nodes, without a server."""

import time
from typing import Any

import pytest

from dvcache.clients import runner
from dvcache.clients.cluster import discovery
from dvcache.errors import (
    TryAgainError,
    UnavailableError,
)
from dvcache.routing.slots import slot
from tests.support.cluster_worlds import A, B, C, forget_when, limit, other, owner
from tests.support.fake_cluster import Node, World


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


def gets(node: Node) -> int:
    return sum(command[0] == "GET" for command in node.asked)


def give(world: World, key: bytes, node: Node) -> None:
    """Move a slot with its data to another node."""
    node.data[key] = owner(world, key).data.pop(key, None)
    world.owners[slot(key)] = node


def test_moved_redirect_is_followed_and_remembered(client: Any, world: World) -> None:
    old, new = owner(world, A), other(world, A)
    give(world, A, new)
    forget_when(client, ago=0)
    assert client.execute((("GET", A),)) == [b"1"]
    assert (gets(old), gets(new)) == (1, 1)
    assert client.execute((("GET", A),)) == [b"1"]
    assert (gets(old), gets(new), world.refreshes) == (1, 2, 0)


def test_moved_redirect_to_an_unknown_node_refreshes_the_slot_map_once(client: Any, world: World) -> None:
    new = Node(world, ("10.0.0.9", 7009))
    world.nodes.append(new)
    give(world, A, new)
    assert client.execute((("GET", A),)) == [b"1"]
    assert world.refreshes == 1
    assert client.execute((("GET", A),)) == [b"1"]
    assert world.refreshes == 1


def test_ask_redirect_is_followed_with_asking_and_keeps_the_slot(client: Any, world: World) -> None:
    old, new = owner(world, A), other(world, A)
    new.data[A] = b"there"
    old.script = [f"ASK {slot(A)} {new.address[0]}:{new.address[1]}"]
    assert client.execute((("GET", A),)) == [b"there"]
    assert new.asked == [("ASKING",), ("GET", A)]
    assert client.execute((("GET", A),)) == [b"1"]


def test_performed_commands_are_not_repeated_after_a_moved_redirect(client: Any, world: World) -> None:
    old, new = owner(world, A), other(world, A)
    old.script = [None, f"MOVED {slot(A)} {new.address[0]}:{new.address[1]}"]
    old.data[A] = 1
    new.data[A] = 10
    world.owners[slot(A)] = old
    replies = client.execute((("INCRBY", A, 1), ("INCRBY", A, 1)))
    assert replies[0] == 2
    assert [command[0] for command in old.asked].count("INCRBY") + [c[0] for c in new.asked].count("INCRBY") <= 4
    assert old.data[A] + new.data[A] == 13


def test_tryagain_is_waited_for(client: Any, world: World) -> None:
    owner(world, A).script = ["TRYAGAIN not yet", "TRYAGAIN not yet"]
    assert client.execute((("GET", A),)) == [b"1"]


def test_tryagain_for_several_keys_asks_for_them_singly(client: Any, world: World) -> None:
    first, second = b"{a}1", b"{a}2"
    node = owner(world, first)
    node.data |= {first: b"1", second: b"2"}
    node.rehashing = True
    assert client.execute((("MGET", first, second, first),)) == [[b"1", b"2", b"1"]]


@pytest.mark.full("waits for slow and hung servers")
def test_tryagain_without_end_is_an_error_that_nothing_was_performed(client: Any, world: World) -> None:
    limit(client)
    owner(world, A).script = ["TRYAGAIN never"] * 1000
    [reply] = client.execute((("GET", A),))
    assert isinstance(reply, TryAgainError)


@pytest.mark.full("waits for slow and hung servers")
def test_migrating_slot_without_end_is_an_error_to_try_again(client: Any, world: World) -> None:
    old, new = owner(world, A), other(world, A)
    limit(client)
    old.script = [f"ASK {slot(A)} {new.address[0]}:{new.address[1]}"] * 1000
    new.script = [f"ASK {slot(A)} {old.address[0]}:{old.address[1]}"] * 1000
    [reply] = client.execute((("GET", A),))
    assert isinstance(reply, TryAgainError)
    assert f"slot {slot(A)}" in str(reply)


@pytest.mark.full("waits for slow and hung servers")
def test_redirects_without_end_are_unavailable_errors(client: Any, world: World) -> None:
    node = owner(world, A)
    limit(client)
    node.script = [f"MOVED {slot(A)} {node.address[0]}:{node.address[1]}"] * 1000
    [reply] = client.execute((("GET", A),))
    assert type(reply) is UnavailableError
    assert "MOVED" in str(reply)
    assert "CLUSTER" not in str(reply)


def test_slot_that_moves_in_every_pause_is_reached(client: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = owner(world, A), other(world, A)
    first.script = [f"MOVED {slot(A)} {second.address[0]}:{second.address[1]}"] * 2
    second.script = [f"MOVED {slot(A)} {first.address[0]}:{first.address[1]}"] * 2
    limit(client)

    def move(*_: object) -> None:
        time.sleep(0.001)
        give(world, A, other(world, A))

    async def amove(*_: object) -> None:
        move()

    monkeypatch.setattr(runner, "pause", move)
    monkeypatch.setattr(runner, "apause", amove)
    assert client.execute((("GET", A),)) == [b"1"]
