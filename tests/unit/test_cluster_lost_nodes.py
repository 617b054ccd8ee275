"""Test the cluster client while nodes are lost, hang, or cannot serve yet."""

import time
from typing import Any

import pytest

from dvcache.clients.cluster import discovery
from dvcache.effects import Partial
from dvcache.errors import (
    CacheError,
    ConnectError,
    ConnectionLost,
    ReplyTimeout,
)
from dvcache.routing.slots import slot
from tests.support.cluster_worlds import LIMIT, A, B, C, count_time, forget_when, limit, other, owner
from tests.support.fake_cluster import Node, World


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the patience of discovery."""
    monkeypatch.setattr(discovery, "PATIENCE", 0.1)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as long as a busy machine needs, in tests that end as soon as a node answers."""
    monkeypatch.setattr(discovery, "PATIENCE", 30.0)


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


def test_lost_connection_repeats_commands_that_are_safe_to_repeat(client: Any, world: World) -> None:
    owner(world, A).script = [ConnectionLost("lost")]
    assert client.execute((("SET", A, b"new"), ("GET", A))) == [b"OK", b"new"]


@pytest.mark.parametrize("error", [ConnectionLost("lost"), ReplyTimeout("late")])
def test_lost_connection_of_an_increment_is_an_error_and_not_repeated(
    client: Any, world: World, error: CacheError
) -> None:
    node = owner(world, A)
    node.data[A] = 1
    node.script = [error]
    assert client.execute((("INCRBY", A, 1), ("GET", A))) == [error, error]
    assert [command[0] for command in node.asked] == ["INCRBY"]


def test_node_that_is_down_fails_only_its_own_keys(client: Any, world: World) -> None:
    owner(world, A).down = ConnectError("gone")
    [values, done] = client.execute((("MGET", A, B, C), ("SET", B, b"new")))
    assert type(values) is Partial
    assert [isinstance(value, ConnectError) for value in values] == [True, False, False]
    assert values[1:] == [b"2", b"3"]
    assert done == b"OK"


def test_node_that_stays_down_delays_nobody_for_long(client: Any, world: World) -> None:
    limit(client)
    node = owner(world, A)
    node.down = ConnectError("gone")
    assert isinstance(client.execute((("GET", A),))[0], ConnectError)
    refreshes, tries, began = world.refreshes, node.tries, time.monotonic()
    for number in range(1, 51):
        assert isinstance(client.execute((("GET", A),))[0], ConnectError)
        assert node.tries == tries + number
    assert world.refreshes - refreshes <= 1 + (time.monotonic() - began) / discovery.ASK_EVERY
    assert client.execute((("GET", B),)) == [b"2"]


def test_missing_node_that_hangs_costs_one_wait_for_another_node(client: Any, world: World) -> None:
    clock = count_time(client)
    limit(client)
    for node in world.nodes:
        node.waited = lambda: clock.advance(LIMIT)
    for key in (A, B, C, A):
        before = clock()
        assert isinstance(client.execute((("GET", key),))[0], ReplyTimeout)
        assert clock() - before <= 2 * LIMIT


def test_slot_map_is_asked_next_of_the_node_that_answers_among_hung_ones(client: Any, world: World) -> None:
    clock = count_time(client)
    limit(client)
    successor = owner(world, C)
    for key in (A, B):
        owner(world, key).waited = lambda: clock.advance(LIMIT)
        successor.data |= owner(world, key).data
    world.owners = [successor] * len(world.owners)
    for key in (A, B):
        client.execute((("GET", key),))
    assert client.execute((("GET", A), ("GET", B))) == [b"1", b"2"]


def test_successor_of_a_lost_owner_is_found(client: Any, world: World) -> None:
    old, new = owner(world, A), other(world, A)
    new.data |= old.data
    world.owners = [new if each is old else each for each in world.owners]
    old.down = ConnectError("gone")
    assert client.execute((("GET", A),)) == [b"1"]
    assert client.execute((("INCRBY", b"{a}count", 1),)) == [1]


@pytest.mark.parametrize("words", ["CLUSTERDOWN Hash slot not served", "LOADING soon", "READONLY You can't write"])
def test_node_that_cannot_serve_yet_is_waited_for(
    client: Any,
    world: World,
    words: str,
    patient: None,  # noqa: ARG001  # it takes time
) -> None:
    owner(world, A).script = [words, words]
    assert client.execute((("SET", A, b"new"),)) == [b"OK"]


def test_seeds_are_asked_again_after_all_nodes_were_down(client: Any, world: World) -> None:
    for node in world.nodes:
        node.down = ConnectError("gone")
    for _ in range(20):
        assert isinstance(client.execute((("GET", A),))[0], ConnectError)
    nodes, world.nodes = world.nodes, []
    for n, node in enumerate(nodes):
        fresh = Node(world, ("10.0.0.1", 7001 + n))
        fresh.data = node.data
        world.nodes.append(fresh)
        world.owners = [fresh if each is node else each for each in world.owners]
    assert client.execute((("GET", A),)) == [b"1"]
