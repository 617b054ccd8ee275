"""Test a service's pools while the primary stays, moves or is missing, without a server."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.errors import ClosedError, ConnectError, ConnectionLost, ReadOnlyError, ReplyTimeout
from dvcache.pools.sentinel.members import MemberPools
from dvcache.pools.sentinel.pools import PrimaryRouting, ReplicaRouting
from dvcache.pools.sentinel.sentinel import Known
from dvcache.pools.sentinel.watcher import Watcher
from dvcache.testing import ManualClock
from dvcache.types import Batch, Endpoint
from tests.support.fake_nodes import AsyncNode, Node, replied
from tests.support.fake_sentinels import ONE, SENTINELS, SERVICE, THREE, TWO, WHERE, A, Subscriber, say

SET: Batch = (("SET", b"k", b"v"),)
GET: Batch = (("GET", b"k"),)


class Pools:
    """A factory of fake nodes, one for each address, with the outcomes of the test."""

    def __init__(self) -> None:
        self.made: dict[int, Node] = {}

    def __call__(self, endpoint: Endpoint) -> Node:
        assert not endpoint.service
        node = self.made[endpoint.port] = Node(f"{endpoint.host}{endpoint.port}")
        return node


@pytest.fixture
def pools() -> Pools:
    return Pools()


def nodes(watch: Watcher, pools: Any, role: Any = "primary") -> MemberPools[Any]:
    return MemberPools(Endpoint(service="service_name", sentinels=SENTINELS, role=role), watch, pools)


def on(watch: Watcher, known: Known) -> None:
    """Announce nodes as sentinels do in a failover."""
    watch.ask()
    say(A, known)


class Asking:
    """A watcher whose sentinels answer at once."""

    def __init__(self, watch: Watcher) -> None:
        self._watch = watch
        self.answer: Any = Known(ONE, (TWO, THREE), 1)
        self.asked = 0

    def ask(self) -> "Future[Known]":
        self.asked += 1
        future = Watcher.ask(self._watch)
        for address in SENTINELS:
            if not future.done():
                say(address, self.answer)
        return future


@pytest.fixture
def asking(watch: Watcher, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Asking:
    asking = Asking(watch)

    def ask() -> "Future[Known]":
        clock.advance(1)
        return asking.ask()

    monkeypatch.setattr(watch, "ask", ask)
    return asking


class Run:
    """A runner of attempts in one mode."""

    def __init__(self, mode: str, pools: Pools) -> None:
        self._is_async, self._pools = mode == "async", pools

    def make(self, endpoint: Endpoint) -> Any:
        return self.client(self._pools(endpoint))

    def client(self, node: Node) -> Any:
        return AsyncNode(node) if self._is_async else node

    def __call__(self, attempts: Any, batch: Batch) -> Sequence[Any]:
        return asyncio.run(AsyncRunner(attempts).execute(batch)) if self._is_async else Runner(attempts).execute(batch)


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest, pools: Pools) -> Run:
    return Run(request.param, pools)


def test_primary_is_looked_up_once_and_then_used(run: Run, pools: Pools, watch: Watcher, asking: Asking) -> None:
    attempts = PrimaryRouting(nodes(watch, run.make))
    for _ in range(3):
        assert list(run(attempts, SET)) == ["n1"]
    assert (asking.asked, list(pools.made)) == (1, [1])


@pytest.mark.parametrize(
    "outcome",
    [ConnectError("refused"), ClosedError("closed"), replied(ReadOnlyError("READONLY"))],
    ids=["refused", "ended", "demoted"],
)
def test_unperformed_batch_is_repeated_on_the_new_primary(
    outcome: Exception, run: Run, pools: Pools, watch: Watcher, asking: Asking
) -> None:
    attempts = PrimaryRouting(nodes(watch, run.make))
    run(attempts, SET)
    pools.made[1].outcome = outcome
    asking.answer = Known(TWO, (THREE,), 2)
    assert list(run(attempts, SET)) == ["n2"]
    assert pools.made[1].aborted


@pytest.mark.parametrize("outcome", [ConnectionLost("gone"), ReplyTimeout("late")], ids=["lost", "late"])
def test_batch_that_may_have_been_performed_is_not_repeated(
    outcome: Exception, run: Run, pools: Pools, watch: Watcher, asking: Asking
) -> None:
    attempts = PrimaryRouting(nodes(watch, run.make))
    run(attempts, SET)
    pools.made[1].outcome = outcome
    asking.answer = Known(TWO, (THREE,), 2)
    with pytest.raises(type(outcome)):
        run(attempts, SET)
    assert asking.asked == 2
    assert list(run(attempts, SET)) == ["n2"]


@pytest.mark.parametrize("answer", [Known(ONE, (), 1), Known(None, (), 1), "connection refused"])
def test_primary_error_is_raised_if_the_primary_has_not_moved(
    answer: Any, run: Run, pools: Pools, watch: Watcher, asking: Asking
) -> None:
    attempts = PrimaryRouting(nodes(watch, run.make))
    run(attempts, SET)
    asking.answer = answer
    pools.made[1].outcome = ConnectError("n1 refused")
    with pytest.raises(ConnectError, match="n1 refused"):
        run(attempts, SET)
    pools.made[1].outcome = error = replied(ReadOnlyError("READONLY"))
    assert list(run(attempts, SET)) == [error]


def test_primary_that_moves_twice_is_followed_once(run: Run, pools: Pools, watch: Watcher, asking: Asking) -> None:
    attempts = PrimaryRouting(nodes(watch, run.make))
    run(attempts, SET)

    def move() -> None:
        asking.answer = Known(THREE, (), 3)
        raise ConnectError("n2 refused")

    pools.made[1].outcome = ConnectError("n1 refused")
    asking.answer = Known(TWO, (), 2)
    watch.ask()
    pools.made[2].outcome = move
    with pytest.raises(ConnectError, match="n2 refused"):
        run(OnPrimaryBegunAt(attempts, run.client(pools.made[1])), SET)
    assert list(run(attempts, SET)) == ["n3"]


class OnPrimaryBegunAt:
    """Attempts of a caller that took the old primary's pool just before it was closed."""

    def __init__(self, attempts: Any, client: Any) -> None:
        self._client = client
        self.suffices, self.flow, self.close = attempts.suffices, attempts.flow, attempts.close

    def first(self, _: Batch, /) -> Any:
        return self._client


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Known(None, (TWO,), 1), "no primary is available"),
        ("connection refused", "none of them answers"),
        (["other"], "they monitor 'other'"),
    ],
)
def test_missing_primary_is_an_error_that_names_service_and_sentinels(
    answer: Any, reason: str, run: Run, watch: Watcher, asking: Asking
) -> None:
    asking.answer = answer
    with pytest.raises(ConnectError, match=WHERE + reason):
        run(PrimaryRouting(nodes(watch, run.make)), SET)


def test_replicas_are_read_in_turn_and_their_list_is_followed(
    run: Run, pools: Pools, watch: Watcher, asking: Asking
) -> None:
    attempts = ReplicaRouting(nodes(watch, run.make, "replica"))
    assert {run(attempts, GET)[0] for _ in range(100)} == {"n2", "n3"}
    on(watch, Known(TWO, (THREE,), 2))
    assert {run(attempts, GET)[0] for _ in range(100)} == {"n3"}
    assert (pools.made[2].aborted, pools.made[3].aborted) == (1, 0)
    on(watch, Known(TWO, (ONE, THREE), 2))
    assert {run(attempts, GET)[0] for _ in range(100)} == {"n1", "n3"}
    assert asking.asked >= 1


def test_nodes_keep_their_pool_while_they_keep_their_role(run: Run, pools: Pools, watch: Watcher) -> None:
    followed = nodes(watch, run.make)
    on(watch, Known(ONE, (TWO,), 1))
    before = followed.current
    on(watch, Known(ONE, (TWO, THREE), 1))
    on(watch, Known(None, (TWO,), 1))
    assert followed.current is before
    assert not pools.made[1].closed


def test_close_closes_the_pools_and_the_watcher_with_the_last(pools: Pools, clock: ManualClock) -> None:
    watch = Watcher(SERVICE, clock, Subscriber)  # type: ignore[arg-type]  # as above
    first, second = nodes(watch, pools), nodes(watch, pools, "replica")
    on(watch, Known(ONE, (TWO,), 1))
    first.close()
    assert (pools.made[1].closed, pools.made[2].closed, watch.closed) == (1, 0, False)
    second.close()
    assert (pools.made[2].closed, watch.closed) == (1, True)
    second.moved(Known(ONE, (THREE,), 2))
    assert second.current == ()


def test_forked_child_asks_the_sentinels_before_it_uses_a_node(run: Run, watch: Watcher, asking: Asking) -> None:
    followed = nodes(watch, run.make)
    attempts = PrimaryRouting(followed)
    run(attempts, SET)
    followed._lock.acquire()  # by a thread that does not exist in the child
    watch.renew()
    followed.renew()
    asking.answer = Known(TWO, (), 2)
    assert list(run(attempts, SET)) == ["n2"]
