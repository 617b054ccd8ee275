"""Test the routing of batches to slot owners: redirects, lost connections and lost nodes, without a server."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dvcache.clients import runner
from dvcache.clients.cluster import discovery
from dvcache.clients.cluster.slot_table import Range, ranges
from dvcache.effects import Partial
from dvcache.errors import (
    AuthenticationError,
    CacheError,
    ClosedError,
    ConnectError,
    ConnectionLost,
    NotSupportedError,
    PermissionDenied,
    ReplyTimeout,
    TransportError,
    TryAgainError,
    UnavailableError,
)
from dvcache.routing.slots import slot
from dvcache.testing import ManualClock
from tests.support.fake_cluster import TIMEOUT, Blocking, Node, World

A, B, C = b"a", b"b", b"c"
"""Keys of three different primaries."""

LIMIT = 0.5
"""Seconds until a batch gives up, in the tests that wait for that."""


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


def nodes_of(client: Any) -> Any:
    return getattr(client, "client", client).primary.routing.nodes


def forget_when(client: Any, ago: float = 60) -> None:
    """Move the last slot map refresh so many seconds into the past."""
    nodes_of(client)._attempted_at = nodes_of(client).clock() - ago


def limit(client: Any) -> None:
    """Limit the search for owners to `LIMIT` seconds."""
    nodes_of(client).timeout = LIMIT


def owner(world: World, key: bytes) -> Node:
    return world.owner(slot(key))


def other(world: World, key: bytes) -> Node:
    return next(node for node in world.nodes if node is not owner(world, key))


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


def count_time(client: Any) -> ManualClock:
    """Give a cluster's client a manual clock."""
    nodes_of(client).clock = clock = ManualClock()
    forget_when(client)
    return clock


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


# Replies to CLUSTER SLOTS --------------------------------------------------------------------------------------------


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
