"""Test the replica balancer: even turns, ejection, probing, and replicas that lost their primary."""

from collections import Counter
from typing import Any

import pytest

from dvcache.clients.runner import Runner
from dvcache.errors import ConnectError, ReplyTimeout, ServerError, TransportError, UnavailableError
from dvcache.routing.replica_balancer import CHECK_EVERY, FIRST_EJECTION, LONGEST_EJECTION, RUN, ReplicaBalancer
from dvcache.testing import ManualClock
from dvcache.types import Batch
from tests.support.balanced_replicas import GET, ask, tried, whole_turns
from tests.support.fake_nodes import FOLLOWS, LOST, Node, replied

ROLE: Batch = (("ROLE",),)


@pytest.fixture
def nodes() -> tuple[Node, ...]:
    return Node("a"), Node("b"), Node("c")


@pytest.fixture
def balancer(nodes: tuple[Node, ...], clock: ManualClock) -> ReplicaBalancer[Node]:
    return ReplicaBalancer(lambda: nodes, clock)


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
