"""Test the balancer when the list of replicas changes, its last resort, and batches that were begun."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from dvcache.clients.runner import Runner, perform
from dvcache.errors import ClosedError, ConnectError, TransportError, UnavailableError
from dvcache.protocols import Pending
from dvcache.routing.replica_balancer import RUN, ReplicaBalancer
from dvcache.testing import ManualClock
from dvcache.types import Batch
from tests.support.balanced_replicas import GET, ask, tried, whole_turns
from tests.support.fake_nodes import LOST, Node, replied


@pytest.fixture
def nodes() -> tuple[Node, ...]:
    return Node("a"), Node("b"), Node("c")


@pytest.fixture
def balancer(nodes: tuple[Node, ...], clock: ManualClock) -> ReplicaBalancer[Node]:
    return ReplicaBalancer(lambda: nodes, clock)


def test_balancer_without_replicas_is_unavailable(clock: ManualClock) -> None:
    with pytest.raises(UnavailableError):
        ask(ReplicaBalancer(tuple, clock))


def test_replicas_removed_during_a_request_are_skipped(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    nodes[0].close()
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}
    for node in nodes:
        node.close()
    with pytest.raises(UnavailableError):
        ask(balancer)


def test_replicas_that_stay_keep_their_health_when_the_list_changes(clock: ManualClock) -> None:
    a, b, c = Node("a"), Node("b"), Node("c")
    now = [(a, b)]
    balancer = ReplicaBalancer(lambda: now[0], clock)
    b.outcome = ConnectError("refused")
    assert set(ask(balancer, RUN * 4)) == {"a"}
    now[0] = (b, c)
    assert set(ask(balancer, RUN * 4)) == {"c"}
    assert (tried(b), tried(c)) == (1, RUN * 4)


def test_replicas_that_left_leave_nothing_behind(clock: ManualClock) -> None:
    now: list[tuple[Node, ...]] = [()]
    balancer = ReplicaBalancer(lambda: now[0], clock)
    for number in range(50):
        now[0] = (Node(str(number)), Node("failing"))
        now[0][1].outcome = ClosedError("gone") if number % 2 else ConnectError("refused")
        ask(balancer, RUN * 2)
    seated, seats = balancer._known
    assert seated is now[0]
    assert [seat.member for seat in seats] == list(now[0])


def last_resort(balancer: ReplicaBalancer[Node]) -> str:
    return str(perform(balancer.last_resort(GET))[0])


def test_last_resort_prefers_replicas_that_were_ejected_for_their_answer(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    a, b, c = nodes
    a.outcome, b.outcome, c.role = ConnectError("refused"), ClosedError("gone"), LOST
    with pytest.raises(TransportError):
        ask(balancer, RUN * 3)
    assert last_resort(balancer) == "c"
    assert tried(a) == 1
    c.outcome = replied(UnavailableError("LOADING"))
    with pytest.raises(ConnectError):
        last_resort(balancer)
    a.outcome = "a"
    assert last_resort(balancer) == "a"


def test_last_resort_ends_no_ejection(balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]) -> None:
    nodes[0].role = LOST
    whole_turns(balancer)
    assert {last_resort(balancer) for _ in range(10)} <= {"a", "b", "c"}
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}


def test_last_resort_needs_a_replica(clock: ManualClock) -> None:
    with pytest.raises(UnavailableError):
        last_resort(ReplicaBalancer(tuple, clock))


class Written(Node):
    """A server whose replies are read later, or that refuses the write."""

    refusal: Exception | None = None
    abandoned = 0

    def begin(self, batch: Batch, _until: float | None = None, /) -> "Written":
        if self.refusal is not None:
            raise self.refusal
        self.begun = batch
        return self

    def replies(self) -> Sequence[Any]:
        return self.execute(self.begun)

    def abandon(self) -> None:
        self.abandoned += 1


@pytest.fixture
def pair(clock: ManualClock) -> tuple[Runner, list[Written]]:
    """Return two replicas; the first of them is next."""
    members = [Written("a"), Written("b")]
    spread = Runner(ReplicaBalancer(lambda: members, clock))
    assert spread.begin(GET) is None, "it is to be asked whether it follows its primary"
    for _ in range(2 * RUN):
        spread.execute(GET)
    return spread, members


def begun(spread: Runner) -> Pending:
    pending = spread.begin(GET)
    assert pending is not None
    return pending


def test_begun_batch_is_answered_by_the_chosen_replica(pair: tuple[Runner, list[Written]]) -> None:
    spread, [a, b] = pair
    before = tried(b)
    pending = begun(spread)
    assert pending.replies() == ["a"]
    begun(spread).abandon()
    assert (a.abandoned, tried(b)) == (1, before)


@pytest.mark.parametrize("where", ["writing", "reading", "replying"])
def test_begun_batch_on_a_failing_replica_is_answered_by_another(
    where: str, pair: tuple[Runner, list[Written]]
) -> None:
    spread, [a, b] = pair
    if where == "writing":
        a.refusal = ConnectError("refused")
    else:
        a.outcome = ConnectError("reset") if where == "reading" else replied(UnavailableError("LOADING"))
    pending = begun(spread)
    assert pending.replies() == ["b"]
    a.outcome, a.refusal = "a", None
    assert {spread.execute(GET)[0] for _ in range(4 * RUN)} == {"b"}, "the first one is set aside"
    b.outcome = ConnectError("reset")
    with pytest.raises(ConnectError):
        begun(spread).replies()
