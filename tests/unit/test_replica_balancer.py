"""Test the replica balancer: even turns, ejection, probing, and replicas that lost their primary."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from dvcache.clients.runner import Runner, perform
from dvcache.errors import ClosedError, ConnectError, ReplyTimeout, ServerError, TransportError, UnavailableError
from dvcache.protocols import Pending
from dvcache.routing.replica_balancer import CHECK_EVERY, FIRST_EJECTION, LONGEST_EJECTION, RUN, ReplicaBalancer
from dvcache.testing import ManualClock
from dvcache.types import Batch
from tests.support.fake_nodes import FOLLOWS, LOST, Node, replied

GET: Batch = (("GET", b"k"),)
ROLE: Batch = (("ROLE",),)


@pytest.fixture
def nodes() -> tuple[Node, ...]:
    return Node("a"), Node("b"), Node("c")


@pytest.fixture
def balancer(nodes: tuple[Node, ...], clock: ManualClock) -> ReplicaBalancer[Node]:
    return ReplicaBalancer(lambda: nodes, clock)


def ask(balancer: ReplicaBalancer[Node], times: int = 1) -> list[str]:
    return [Runner(balancer).execute(GET)[0] for _ in range(times)]


def tried(node: Node) -> int:
    return len(node.batches)


def whole_turns(balancer: ReplicaBalancer[Node]) -> list[str]:
    return ask(balancer, RUN * len(balancer.members()) * 10)


def test_reads_are_spread_evenly(balancer: ReplicaBalancer[Node]) -> None:
    whole_turns(balancer)  # a health check that is due takes one more turn
    assert Counter(whole_turns(balancer)) == dict.fromkeys("abc", RUN * 10)


def test_single_replica_is_asked_every_time(clock: ManualClock) -> None:
    only = (Node("a"),)
    assert set(ask(ReplicaBalancer(lambda: only, clock), 100)) == {"a"}


def test_replica_that_fails_is_skipped_without_an_error(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    nodes[0].outcome = ConnectError("refused")
    found = Counter(whole_turns(balancer))
    assert found.keys() == {"b", "c"}
    assert tried(nodes[0]) == 1
    assert found.total() == RUN * 30


def test_replica_that_cannot_serve_gives_no_final_answer(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    nodes[0].outcome = replied(UnavailableError("LOADING"))
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}
    assert tried(nodes[0]) == 1


def test_server_error_is_an_answer(balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]) -> None:
    error = replied(ServerError("WRONGTYPE"))
    for node in nodes:
        node.outcome = error
    assert set(ask(balancer, 100)) == {error}


def test_probe_is_made_by_one_caller_and_its_failure_doubles_the_ejection(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    nodes[0].outcome = ConnectError("refused")
    whole_turns(balancer)
    rests = []
    for expected in range(2, 10):
        start = clock()
        while tried(nodes[0]) < expected:
            clock.advance(0.25)
            whole_turns(balancer)
        assert tried(nodes[0]) == expected
        rests.append(round(clock() - start, 2))
    assert rests == [FIRST_EJECTION, 2, 4, 8, 16, LONGEST_EJECTION, LONGEST_EJECTION, LONGEST_EJECTION]


def test_replica_that_recovers_is_used_and_its_next_ejection_is_short(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    nodes[0].outcome = ConnectError("refused")
    whole_turns(balancer)
    clock.advance(FIRST_EJECTION)
    whole_turns(balancer)
    clock.advance(2 * FIRST_EJECTION)
    nodes[0].outcome = "a"
    whole_turns(balancer)
    assert Counter(whole_turns(balancer))["a"] == RUN * 10
    nodes[0].outcome = ConnectError("refused")
    whole_turns(balancer)
    before = tried(nodes[0])
    clock.advance(FIRST_EJECTION)
    whole_turns(balancer)
    assert tried(nodes[0]) == before + 1


def test_concurrent_failures_eject_a_replica_once(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    flows = [balancer.flow(GET, nodes[0]) for _ in range(8)]
    for flow in flows:
        assert flow.send(None)[:2] == (nodes[0], GET)
    for flow in flows:
        step: Any = flow.throw(ReplyTimeout("late"))
        assert step[0] is not nodes[0]
    nodes[0].outcome = ReplyTimeout("late")
    clock.advance(FIRST_EJECTION)
    whole_turns(balancer)
    assert tried(nodes[0]) == 1


def test_answer_to_a_request_before_the_ejection_does_not_end_it(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    straggler, failing = balancer.flow(GET, nodes[0]), balancer.flow(GET, nodes[0])
    straggler.send(None)
    failing.send(None)
    failing.throw(ConnectError("refused"))
    with pytest.raises(StopIteration):
        straggler.send(["a"])
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}


def test_abandoned_probe_leaves_the_next_one_to_another_caller(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    nodes[0].outcome = ConnectError("refused")
    whole_turns(balancer)
    clock.advance(FIRST_EJECTION)
    while True:
        flow = balancer.flow(GET)
        if flow.send(None)[0] is nodes[0]:  # type: ignore[index]  # no other replica is asked
            flow.close()
            break
    nodes[0].outcome = "a"
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}
    clock.advance(FIRST_EJECTION)
    assert Counter(whole_turns(balancer)).keys() == {"a", "b", "c"}


def test_replica_health_is_asked_once_a_second_unnoticed_by_the_caller(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    for _ in range(5):
        assert all(len(Runner(balancer).execute(GET)) == 1 for _ in range(RUN * 30))
        clock.advance(CHECK_EVERY)
    for node in nodes:
        assert Counter(node.batches)[GET + ROLE] == 5


def test_replica_that_lost_its_primary_is_ejected_and_another_asked(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    whole_turns(balancer)
    nodes[0].role = LOST
    clock.advance(CHECK_EVERY)
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}
    assert nodes[0].batches[-1] == GET + ROLE
    nodes[0].role = FOLLOWS
    clock.advance(FIRST_EJECTION)
    whole_turns(balancer)
    assert Counter(whole_turns(balancer))["a"] == RUN * 10


@pytest.mark.parametrize(
    "role", [replied(ServerError("NOPERM")), [b"master", 1, []]], ids=["may not be asked", "is a primary"]
)
def test_replica_that_denies_role_or_is_a_primary_counts_as_healthy(
    role: Any, balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    for node in nodes:
        node.role = role
    for _ in range(3):
        assert Counter(whole_turns(balancer)).keys() == {"a", "b", "c"}
        clock.advance(CHECK_EVERY)


def test_last_failure_is_raised_first_and_unavailability_later(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    for node in nodes:
        node.outcome = ConnectError(f"{node.name} refused")
    with pytest.raises(ConnectError, match="refused"):
        ask(balancer)
    with pytest.raises(UnavailableError, match="no replica can be read from") as caught:
        ask(balancer)
    assert isinstance(caught.value, TransportError)
    assert [tried(node) for node in nodes] == [1, 1, 1]


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


# A batch that is written now and read later --------------------------------------------------------------------------


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
