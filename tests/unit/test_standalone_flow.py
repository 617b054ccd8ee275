"""Test the flow of one server without a server: each step, and the replies after it."""

from collections.abc import Sequence
from typing import Any

import pytest

from dvcache.clients.sharded import Sharded
from dvcache.clients.standalone import Standalone
from dvcache.errors import ConnectError, ConnectionLost, ReadOnlyError
from dvcache.routing.flow import Attempt, Exchange, Flow, Reconnect
from dvcache.types import Batch

GET: Batch = (("GET", b"k"),)
INCR: Batch = (("INCRBY", b"k", 1),)
REFUSED = ReadOnlyError("READONLY")


class Pool:
    def retire(self) -> None:
        raise AssertionError("only a runner calls it")

    def close(self) -> None:
        """Nothing to close."""


class PoolOfOneName(Pool):
    """A pool that cannot connect to another server."""

    retire = None  # type: ignore[assignment]  # absent


def steps(flow: Flow[Any, Sequence[Any]], *outcomes: Any) -> tuple[list[Any], Any]:
    """Return the steps of a flow that is sent some outcomes, and its result."""
    taken = [flow.send(None)]
    try:
        for outcome in outcomes:
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
            taken.append(step)
    except StopIteration as stop:
        return taken, stop.value
    raise AssertionError(f"the flow goes on: {taken}")


def test_replies_without_a_refusal_end_the_flow() -> None:
    pool = Pool()
    assert steps(Standalone(pool).flow(GET), [b"v"]) == ([Attempt(pool, GET)], [b"v"])


def test_lost_connection_repeats_safe_commands_only() -> None:
    pool = Pool()
    assert steps(Standalone(pool).flow(GET), ConnectionLost("cut"), [b"v"]) == ([Attempt(pool, GET)] * 2, [b"v"])
    for batch, error in ((INCR, ConnectionLost("cut")), (GET, ConnectError("refused"))):
        with pytest.raises(type(error)):
            steps(Standalone(pool).flow(batch), error)


def test_refused_commands_alone_are_repeated_on_a_new_connection() -> None:
    pool, batch = Pool(), (*GET, *INCR)
    taken, replies = steps(Standalone(pool).flow(batch), [b"v", REFUSED], None, {pool: [7]})
    assert taken == [Attempt(pool, batch), Reconnect(pool), Exchange({pool: INCR})]
    assert replies == [b"v", 7]


@pytest.mark.parametrize("again", [[REFUSED], ConnectError("refused")], ids=["refused again", "unreachable"])
def test_refusal_is_returned_if_the_new_connection_does_not_help(again: Any) -> None:
    pool = Pool()
    routing = Standalone(pool)
    _, replies = steps(routing.flow(INCR), [REFUSED], None, {pool: again})
    assert replies == [REFUSED]
    reconnects = isinstance(again, ConnectError)  # after a read-only server, not again for a while
    assert routing.suffices([REFUSED]) is not reconnects


def test_refusal_is_returned_if_the_pool_cannot_reconnect() -> None:
    pool = PoolOfOneName()
    assert Standalone(pool).suffices([REFUSED])
    assert steps(Standalone(pool).flow(INCR), [REFUSED]) == ([Attempt(pool, INCR)], [REFUSED])


def test_refused_shards_are_reconnected_and_asked_again_at_once() -> None:
    routing = Sharded({name: Pool() for name in ("valkey://a", "valkey://b", "valkey://c")})
    a, b, c = routing.pools
    numbers = [b"%d" % number for number in range(99)]
    keys = [next(key for key in numbers if routing.owner(key) is pool) for pool in (a, b, c)]
    counting, reading = [("INCRBY", key, 1) for key in keys], ("GET", keys[0])
    outcomes = {a: [REFUSED, b"v"], b: [REFUSED], c: [7]}
    again = {a: [1], b: ConnectError("refused")}
    taken, replies = steps(routing.flow((*counting, reading)), outcomes, None, None, again)
    assert taken[1:] == [Reconnect(a), Reconnect(b), Exchange({a: (counting[0],), b: (counting[1],)})]
    assert replies == [1, REFUSED, 7, b"v"]
