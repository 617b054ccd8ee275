"""Test the watcher of sentinels: which announcements and answers it accepts, without a server."""

import gc
from concurrent.futures import Future
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from dvcache.errors import ClosedError, ConnectError
from dvcache.pools.sentinel.sentinel import Known, Sentinel
from dvcache.pools.sentinel.watcher import ASKED_ANEW, FORGOTTEN_AFTER, Watcher
from dvcache.testing import ManualClock
from dvcache.types import Endpoint
from tests.support.fake_sentinels import (
    ONE,
    SENTINELS,
    SERVICE,
    THREE,
    TWO,
    WHERE,
    A,
    B,
    C,
    Follower,
    Subscriber,
    say,
)


def answered(future: "Future[Known]") -> Known:
    assert future.done()
    return future.result()


def test_sentinels_are_asked_concurrently_and_the_first_primary_is_used(watch: Watcher) -> None:
    future = watch.ask()
    assert [Subscriber.all[each].asked for each in SENTINELS] == [1, 1, 1]
    assert not future.done()
    say(B, Known(ONE, (TWO,), 1))
    assert answered(future) == watch.known == Known(ONE, (TWO,), 1)


def test_concurrent_and_recent_questions_share_one_answer(watch: Watcher, clock: ManualClock) -> None:
    first, second = watch.ask(), watch.ask()
    assert first is second
    say(A, Known(ONE))
    clock.advance(ASKED_ANEW / 2)
    assert watch.ask() is first
    clock.advance(ASKED_ANEW)
    assert watch.ask() is not first
    assert Subscriber.all[A].asked == 2


def test_concurrent_questions_share_a_failure_too(watch: Watcher, clock: ManualClock) -> None:
    """Otherwise each of a hundred callers would wait for the same silent sentinels in turn."""
    future = watch.ask()
    for address in SENTINELS:
        say(address, "timed out")
    assert future.done()
    assert watch.ask() is future
    clock.advance(2 * ASKED_ANEW)
    assert watch.ask() is not future


def test_cancelled_question_does_not_cancel_the_answer_of_others(watch: Watcher) -> None:
    assert not watch.ask().cancel()


def test_silent_sentinel_delays_nobody_if_another_answers(watch: Watcher) -> None:
    future = watch.ask()
    say(C, Known(ONE, (TWO,), 1))
    assert answered(future).primary == ONE
    assert Subscriber.all[A].says is None


def test_older_configuration_epoch_does_not_replace_a_newer_one(watch: Watcher, follower: Follower) -> None:
    watch.ask()
    say(A, Known(ONE, (TWO,), 1))
    say(B, Known(TWO, (ONE,), 2))
    for address in (A, C, B):
        say(address, Known(ONE, (TWO,), 1))
        assert watch.known == Known(TWO, (ONE,), 2)
    assert follower.heard == [Known(ONE, (TWO,), 1), Known(TWO, (ONE,), 2)]


def test_older_configuration_epoch_is_no_answer_while_a_newer_may_come(watch: Watcher, clock: ManualClock) -> None:
    watch.ask()
    say(B, Known(TWO, (), 2))
    clock.advance(1)
    future = watch.ask()
    say(A, Known(ONE, (), 1))
    assert not future.done()
    say(B, Known(TWO, (), 2))
    assert answered(future).primary == TWO


def test_older_configuration_epoch_counts_if_the_newer_is_not_confirmed(watch: Watcher, clock: ManualClock) -> None:
    """Newly set up sentinels count their configuration epochs from zero."""
    watch.ask()
    say(A, Known(ONE, (TWO,), 17))
    clock.advance(FORGOTTEN_AFTER)
    say(B, Known(TWO, (ONE,), 0))
    assert watch.known == Known(ONE, (TWO,), 17)
    clock.advance(0.1)
    say(B, Known(TWO, (ONE,), 0))
    assert watch.known == Known(TWO, (ONE,), 0)


def test_replicas_of_one_configuration_are_those_of_one_sentinel(watch: Watcher, follower: Follower) -> None:
    watch.ask()
    for said in (Known(ONE, (TWO, THREE), 1), Known(ONE, (TWO,), 1)):
        say(A, said)
        say(B, Known(ONE, (THREE,), 1))
        assert watch.known == said
    assert len(follower.heard) == 2


def test_replicas_are_those_of_another_sentinel_if_the_first_is_silent(watch: Watcher) -> None:
    watch.ask()
    say(A, Known(ONE, (TWO,), 1))
    assert [watch.relies_on(each) for each in SENTINELS] == [True, False, False]
    say(A, "connection refused")
    assert all(watch.relies_on(each) for each in SENTINELS)
    say(B, Known(ONE, (THREE,), 1))
    assert watch.known == Known(ONE, (THREE,), 1)
    assert [watch.relies_on(each) for each in SENTINELS] == [False, True, False]


def test_sentinel_that_sees_the_primary_down_counts_less(watch: Watcher) -> None:
    future = watch.ask()
    say(A, Known(None, (), 1))
    assert not future.done()
    say(B, Known(ONE, (), 1))
    assert answered(future) == watch.known == Known(ONE, (), 1)


def test_unknown_service_is_named_with_the_services_of_the_sentinels(watch: Watcher) -> None:
    future = watch.ask()
    say(A, ["other", "another"])
    say(B, "connection refused")
    say(C, [])
    with pytest.raises(ConnectError, match=rf"{WHERE}they monitor 'another', 'other' .*alias sessions"):
        future.result(0)


def test_silent_sentinels_are_named_with_the_last_reason(watch: Watcher) -> None:
    future = watch.ask()
    for address in SENTINELS:
        say(address, "connection refused")
    with pytest.raises(ConnectError, match=rf"{WHERE}none of them answers \(connection refused\)"):
        future.result(0)


def test_service_without_a_primary_is_reported_after_all_sentinels(watch: Watcher) -> None:
    future = watch.ask()
    say(A, Known(None, (TWO,), 1))
    say(B, "connection refused")
    assert not future.done()
    say(C, Known(None, (TWO,), 1))
    assert answered(future).primary is None
    assert str(watch.no_primary()).startswith("cannot find the service 'service_name' through the sentinels a:1")


def test_thread_that_cannot_be_started_is_reported_to_the_caller(clock: ManualClock, follower: Follower) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("can't start new thread")

    watch = Watcher(SERVICE, clock, broken)
    watch.listen(follower)
    for _ in range(2):
        with pytest.raises(ConnectError, match="can't start new thread"):
            watch.ask().result(0)


def test_thread_that_does_not_run_is_reported_to_the_caller(clock: ManualClock, follower: Follower) -> None:
    watch = Watcher(replace(SERVICE, connect_timeout=0.01), clock, Subscriber)  # type: ignore[arg-type]  # as above
    watch.listen(follower)
    with pytest.raises(ConnectError, match=f"{WHERE}no thread has answered"):
        watch.ask().result()


def test_listener_that_ended_is_replaced_by_the_next_question(watch: Watcher, clock: ManualClock) -> None:
    watch.ask()
    old = Subscriber.all[B]
    old.is_alive = False
    say(A, Known(ONE))
    clock.advance(1)
    watch.ask()
    assert Subscriber.all[B] is not old
    assert Subscriber.all[A].asked == 2


def test_close_ends_every_listener_and_answers_the_waiting_callers(watch: Watcher) -> None:
    future = watch.ask()
    watch.close()
    assert all(each.ended for each in Subscriber.all.values())
    with pytest.raises(ClosedError, match="sessions"):
        future.result(0)
    with pytest.raises(ClosedError):
        watch.ask()


def test_close_happens_with_the_last_listener_that_leaves(watch: Watcher, follower: Follower) -> None:
    other = Follower()
    watch.listen(other)
    watch.leave(other)
    assert not watch.closed
    watch.leave(follower)
    assert watch.closed


def test_released_listeners_leave_nothing_referenced(clock: ManualClock) -> None:
    watch = Watcher(SERVICE, clock, Subscriber)  # type: ignore[arg-type]  # as above
    only = Follower()
    watch.listen(only)
    assert watch.is_needed
    del only
    gc.collect()
    assert not watch.is_needed


def test_new_listener_receives_the_current_state(watch: Watcher) -> None:
    watch.ask()
    say(A, Known(ONE))
    late = Follower()
    watch.listen(late)
    assert late.heard == [Known(ONE)]


def test_forked_child_knows_nothing_and_asks_again(watch: Watcher) -> None:
    future = watch.ask()
    watch._lock.acquire()  # by a thread that does not exist in the child
    parents = list(Subscriber.all.values())
    watch.renew()
    assert watch.known is None
    assert not any(each.is_alive for each in parents)
    assert watch.ask() is not future
    say(A, Known(TWO))
    assert watch.known == Known(TWO)


def state(**fields: str) -> dict[str, str]:
    return {"name": "service_name", "ip": "n", "port": "1", "flags": "master", "config-epoch": "3", **fields}


class ScriptedSentinel:
    """A sentinel's scripted answers, by the last words of its commands."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self._next: Any = None

    def send_command(self, *command: str) -> None:
        self._next = self._answers[command[1].replace("-", "_")]

    def read_response(self) -> Any:
        return self._next


def flat(record: dict[str, str]) -> list[bytes]:
    return [word.encode() for pair in record.items() for word in pair]


def sentinel(*, peers: int = 0, **answers: Any) -> Sentinel:
    options = MappingProxyType({"min_other_sentinels": peers})
    made = Sentinel(A, Endpoint(service="service_name", sentinels=SENTINELS, sentinel_options=options))
    made._connection = ScriptedSentinel(**answers)
    return made


def test_replicas_of_a_sentinel_are_those_up_and_seen_as_replicas() -> None:
    replicas = [
        {"ip": "n", "port": "2", "flags": "slave", "info-refresh": "120", "role-reported": "slave"},
        {"ip": "n", "port": "3", "flags": "s_down,slave", "info-refresh": "120", "role-reported": "slave"},
        {"ip": "n", "port": "4", "flags": "slave", "info-refresh": "0", "role-reported": "slave"},
        {"ip": "n", "port": "5", "flags": "slave", "info-refresh": "120", "role-reported": "master"},
    ]
    said = sentinel(REPLICAS=[flat(each) for each in replicas])
    assert said.nodes(state()) == Known(("n", 1), (("n", 2),), 3)


@pytest.mark.parametrize(("flags", "there"), [("master", True), ("s_down,master", False), ("master,o_down", False)])
def test_primary_that_is_down_is_none(flags: str, there: bool) -> None:
    assert (sentinel(REPLICAS=[]).nodes(state(flags=flags)).primary is not None) is there


def test_sentinel_without_enough_peers_knows_no_primary() -> None:
    for others, there in (("1", False), ("2", True)):
        found = sentinel(peers=2, REPLICAS=[]).nodes(state(**{"num-other-sentinels": others}))
        assert (found.primary is not None) is there


def test_primary_is_the_promoted_replica_during_a_failover() -> None:
    flags = "s_down,o_down,master,failover_in_progress"
    for port, primary in ((b"2", ("n", 2)), (b"1", None)):
        said = sentinel(REPLICAS=[], GET_MASTER_ADDR_BY_NAME=[b"n", port])
        assert said.nodes(state(flags=flags)).primary == primary
