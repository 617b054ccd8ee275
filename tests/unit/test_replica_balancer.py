"""Turns: they are even, who fails is set aside and tried again, who does not follow its primary is not trusted."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from dvcache.clients.replicated import ReplicaReads
from dvcache.errors import ClosedError, ConnectError, ReplyTimeout, ServerError, TransportError, UnavailableError
from dvcache.protocols import Pending
from dvcache.routing.replica_balancer import CHECK_EVERY, FIRST_EJECTION, LONGEST_EJECTION, RUN, ReplicaBalancer
from dvcache.routing.retries import attempt, perform
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
    return [perform(balancer, GET)[0] for _ in range(times)]


def tried(node: Node) -> int:
    return len(node.batches)


def whole_turns(balancer: ReplicaBalancer[Node]) -> list[str]:
    return ask(balancer, RUN * len(balancer.members()) * 10)


def test_turns_are_spread_evenly(balancer: ReplicaBalancer[Node]) -> None:
    whole_turns(balancer)  # a question that is due takes a turn more
    assert Counter(whole_turns(balancer)) == dict.fromkeys("abc", RUN * 10)


def test_a_single_member_is_asked_every_time(clock: ManualClock) -> None:
    only = (Node("a"),)
    assert set(ask(ReplicaBalancer(lambda: only, clock), 100)) == {"a"}


def test_a_member_that_fails_is_passed_over_without_an_error_to_anybody(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    nodes[0].outcome = ConnectError("refused")
    found = Counter(whole_turns(balancer))
    assert found.keys() == {"b", "c"}
    assert tried(nodes[0]) == 1
    assert found.total() == RUN * 30


def test_what_a_member_answers_when_it_cannot_serve_is_not_the_answer(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    nodes[0].outcome = replied(UnavailableError("LOADING"))
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}
    assert tried(nodes[0]) == 1


def test_an_error_of_the_server_is_an_answer(balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]) -> None:
    error = replied(ServerError("WRONGTYPE"))
    for node in nodes:
        node.outcome = error
    assert set(ask(balancer, 100)) == {error}


def test_one_caller_tries_a_member_after_its_rest_and_a_failure_doubles_the_rest(
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


def test_a_member_that_is_well_again_takes_its_turns_again_and_its_next_rest_is_short(
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


def test_callers_that_fail_together_set_a_member_aside_once(
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


def test_an_answer_to_what_was_asked_before_the_rest_does_not_end_it(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    straggler, failing = balancer.flow(GET, nodes[0]), balancer.flow(GET, nodes[0])
    straggler.send(None)
    failing.send(None)
    failing.throw(ConnectError("refused"))
    with pytest.raises(StopIteration):
        straggler.send(["a"])
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}


def test_a_trial_that_is_given_up_leaves_the_next_one_to_another_caller(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    nodes[0].outcome = ConnectError("refused")
    whole_turns(balancer)
    clock.advance(FIRST_EJECTION)
    while True:
        flow = balancer.flow(GET)
        if flow.send(None)[0] is nodes[0]:  # type: ignore[index]  # it asks nobody else
            flow.close()
            break
    nodes[0].outcome = "a"
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}
    clock.advance(FIRST_EJECTION)
    assert Counter(whole_turns(balancer)).keys() == {"a", "b", "c"}


def test_a_member_is_asked_once_a_second_whether_it_follows_and_the_caller_does_not_see_it(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    for _ in range(5):
        assert all(len(perform(balancer, GET)) == 1 for _ in range(RUN * 30))
        clock.advance(CHECK_EVERY)
    for node in nodes:
        assert Counter(node.batches)[GET + ROLE] == 5


def test_a_replica_that_lost_its_primary_is_set_aside_and_the_answer_asked_elsewhere(
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
def test_who_may_not_be_asked_and_who_is_a_primary_itself_is_not_doubted(
    role: Any, balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...], clock: ManualClock
) -> None:
    for node in nodes:
        node.role = role
    for _ in range(3):
        assert Counter(whole_turns(balancer)).keys() == {"a", "b", "c"}
        clock.advance(CHECK_EVERY)


def test_where_all_fail_the_last_failure_is_raised_and_then_that_nobody_can_be_asked(
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


def test_without_members_nobody_can_be_asked(clock: ManualClock) -> None:
    with pytest.raises(UnavailableError):
        ask(ReplicaBalancer(tuple, clock))


def test_members_that_leave_while_they_are_asked_are_passed_over(
    balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]
) -> None:
    nodes[0].close()
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}
    for node in nodes:
        node.close()
    with pytest.raises(UnavailableError):
        ask(balancer)


def test_members_come_and_go_and_what_is_known_of_those_that_stay_is_kept(clock: ManualClock) -> None:
    a, b, c = Node("a"), Node("b"), Node("c")
    now = [(a, b)]
    balancer = ReplicaBalancer(lambda: now[0], clock)
    b.outcome = ConnectError("refused")
    assert set(ask(balancer, RUN * 4)) == {"a"}
    now[0] = (b, c)
    assert set(ask(balancer, RUN * 4)) == {"c"}
    assert (tried(b), tried(c)) == (1, RUN * 4)


def test_nothing_is_kept_of_members_that_left(clock: ManualClock) -> None:
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
    return str(attempt(balancer.last_resort(GET))[0])


def test_the_last_resort_is_whoever_answers_and_first_who_was_set_aside_for_what_it_answered(
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


def test_the_last_resort_ends_no_rest(balancer: ReplicaBalancer[Node], nodes: tuple[Node, ...]) -> None:
    nodes[0].role = LOST
    whole_turns(balancer)
    assert {last_resort(balancer) for _ in range(10)} <= {"a", "b", "c"}
    assert Counter(whole_turns(balancer)).keys() == {"b", "c"}


def test_without_members_there_is_no_last_resort(clock: ManualClock) -> None:
    with pytest.raises(UnavailableError):
        last_resort(ReplicaBalancer(tuple, clock))


# A batch that is written now and read later --------------------------------------------------------------------------


class Written(Node):
    """A server whose replies are read later, or that refuses to be written to."""

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
def pair(clock: ManualClock) -> tuple[ReplicaReads, list[Written]]:
    """Two replicas, the first of which is next."""
    members = [Written("a"), Written("b")]
    spread = ReplicaReads(ReplicaBalancer(lambda: members, clock))
    assert spread.begin(GET) is None, "it is to be asked whether it follows its primary"
    for _ in range(2 * RUN):
        spread.execute(GET)
    return spread, members


def begun(spread: ReplicaReads) -> Pending:
    pending = spread.begin(GET)
    assert pending is not None
    return pending


def test_a_batch_that_was_begun_is_answered_by_whose_turn_it_was(pair: tuple[ReplicaReads, list[Written]]) -> None:
    spread, [a, b] = pair
    before = tried(b)
    pending = begun(spread)
    assert pending.replies() == ["a"]
    begun(spread).abandon()
    assert (a.abandoned, tried(b)) == (1, before)


@pytest.mark.parametrize("where", ["writing", "reading", "replying"])
def test_what_was_begun_on_a_member_that_fails_is_answered_by_another(
    where: str, pair: tuple[ReplicaReads, list[Written]]
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
