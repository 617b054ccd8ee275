"""What is believed of what sentinels say, without a server."""

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


def test_every_sentinel_is_asked_at_once_and_the_first_that_knows_a_primary_answers(watch: Watcher) -> None:
    future = watch.ask()
    assert [Subscriber.all[each].asked for each in SENTINELS] == [1, 1, 1]
    assert not future.done()
    say(B, Known(ONE, (TWO,), 1))
    assert answered(future) == watch.known == Known(ONE, (TWO,), 1)


def test_all_who_ask_meanwhile_or_a_moment_later_share_one_answer(watch: Watcher, clock: ManualClock) -> None:
    first, second = watch.ask(), watch.ask()
    assert first is second
    say(A, Known(ONE))
    clock.advance(ASKED_ANEW / 2)
    assert watch.ask() is first
    clock.advance(ASKED_ANEW)
    assert watch.ask() is not first
    assert Subscriber.all[A].asked == 2


def test_a_failure_is_shared_as_an_answer_is(watch: Watcher, clock: ManualClock) -> None:
    """Or each of a hundred waiting callers would wait for the same silent sentinels in turn."""
    future = watch.ask()
    for address in SENTINELS:
        say(address, "timed out")
    assert future.done()
    assert watch.ask() is future
    clock.advance(2 * ASKED_ANEW)
    assert watch.ask() is not future


def test_one_who_leaves_cancels_the_answer_for_nobody(watch: Watcher) -> None:
    assert not watch.ask().cancel()


def test_a_silent_sentinel_delays_nobody_whom_another_can_answer(watch: Watcher) -> None:
    future = watch.ask()
    say(C, Known(ONE, (TWO,), 1))
    assert answered(future).primary == ONE
    assert Subscriber.all[A].says is None


def test_an_older_configuration_does_not_lead_back(watch: Watcher, follower: Follower) -> None:
    watch.ask()
    say(A, Known(ONE, (TWO,), 1))
    say(B, Known(TWO, (ONE,), 2))
    for address in (A, C, B):
        say(address, Known(ONE, (TWO,), 1))
        assert watch.known == Known(TWO, (ONE,), 2)
    assert follower.heard == [Known(ONE, (TWO,), 1), Known(TWO, (ONE,), 2)]


def test_an_older_answer_answers_nobody_while_a_newer_one_may_come(watch: Watcher, clock: ManualClock) -> None:
    watch.ask()
    say(B, Known(TWO, (), 2))
    clock.advance(1)
    future = watch.ask()
    say(A, Known(ONE, (), 1))
    assert not future.done()
    say(B, Known(TWO, (), 2))
    assert answered(future).primary == TWO


def test_an_older_configuration_counts_when_nobody_has_told_of_the_newer_one_for_long(
    watch: Watcher, clock: ManualClock
) -> None:
    """Sentinels that were set up anew count their configurations from zero."""
    watch.ask()
    say(A, Known(ONE, (TWO,), 17))
    clock.advance(FORGOTTEN_AFTER)
    say(B, Known(TWO, (ONE,), 0))
    assert watch.known == Known(ONE, (TWO,), 17)
    clock.advance(0.1)
    say(B, Known(TWO, (ONE,), 0))
    assert watch.known == Known(TWO, (ONE,), 0)


def test_of_one_configuration_the_replicas_are_those_that_one_sentinel_sees(watch: Watcher, follower: Follower) -> None:
    watch.ask()
    for said in (Known(ONE, (TWO, THREE), 1), Known(ONE, (TWO,), 1)):
        say(A, said)
        say(B, Known(ONE, (THREE,), 1))
        assert watch.known == said
    assert len(follower.heard) == 2


def test_where_that_sentinel_falls_silent_another_one_takes_over(watch: Watcher) -> None:
    watch.ask()
    say(A, Known(ONE, (TWO,), 1))
    assert [watch.relies_on(each) for each in SENTINELS] == [True, False, False]
    say(A, "connection refused")
    assert all(watch.relies_on(each) for each in SENTINELS)
    say(B, Known(ONE, (THREE,), 1))
    assert watch.known == Known(ONE, (THREE,), 1)
    assert [watch.relies_on(each) for each in SENTINELS] == [False, True, False]


def test_a_sentinel_that_sees_the_primary_down_is_believed_less_than_one_that_sees_it_up(watch: Watcher) -> None:
    future = watch.ask()
    say(A, Known(None, (), 1))
    assert not future.done()
    say(B, Known(ONE, (), 1))
    assert answered(future) == watch.known == Known(ONE, (), 1)


def test_an_unknown_service_is_named_with_the_sentinels_and_what_they_monitor(watch: Watcher) -> None:
    future = watch.ask()
    say(A, ["other", "another"])
    say(B, "connection refused")
    say(C, [])
    with pytest.raises(ConnectError, match=rf"{WHERE}they monitor 'another', 'other' .*alias sessions"):
        future.result(0)


def test_where_no_sentinel_answers_the_error_names_them_and_the_last_reason(watch: Watcher) -> None:
    future = watch.ask()
    for address in SENTINELS:
        say(address, "connection refused")
    with pytest.raises(ConnectError, match=rf"{WHERE}none of them answers \(connection refused\)"):
        future.result(0)


def test_a_service_without_a_primary_is_answered_when_all_were_heard(watch: Watcher) -> None:
    future = watch.ask()
    say(A, Known(None, (TWO,), 1))
    say(B, "connection refused")
    assert not future.done()
    say(C, Known(None, (TWO,), 1))
    assert answered(future).primary is None
    assert str(watch.no_primary()).startswith("cannot find the service 'service_name' through the sentinels a:1")


def test_where_no_thread_can_be_started_the_asker_is_told(clock: ManualClock, follower: Follower) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("can't start new thread")

    watch = Watcher(SERVICE, clock, broken)
    watch.listen(follower)
    for _ in range(2):
        with pytest.raises(ConnectError, match="can't start new thread"):
            watch.ask().result(0)


def test_where_threads_do_not_run_the_asker_is_told_instead_of_waiting_for_ever(
    clock: ManualClock, follower: Follower
) -> None:
    watch = Watcher(replace(SERVICE, connect_timeout=0.01), clock, Subscriber)  # type: ignore[arg-type]  # as above
    watch.listen(follower)
    with pytest.raises(ConnectError, match=f"{WHERE}no thread has answered"):
        watch.ask().result()


def test_a_subscriber_that_ended_is_replaced_by_the_next_question(watch: Watcher, clock: ManualClock) -> None:
    watch.ask()
    old = Subscriber.all[B]
    old.is_alive = False
    say(A, Known(ONE))
    clock.advance(1)
    watch.ask()
    assert Subscriber.all[B] is not old
    assert Subscriber.all[A].asked == 2


def test_closing_ends_every_subscriber_and_answers_who_waits(watch: Watcher) -> None:
    future = watch.ask()
    watch.close()
    assert all(each.ended for each in Subscriber.all.values())
    with pytest.raises(ClosedError, match="sessions"):
        future.result(0)
    with pytest.raises(ClosedError):
        watch.ask()


def test_the_last_listener_that_leaves_closes(watch: Watcher, follower: Follower) -> None:
    other = Follower()
    watch.listen(other)
    watch.leave(other)
    assert not watch.closed
    watch.leave(follower)
    assert watch.closed


def test_nothing_is_needed_by_listeners_that_are_gone(clock: ManualClock) -> None:
    watch = Watcher(SERVICE, clock, Subscriber)  # type: ignore[arg-type]  # as above
    only = Follower()
    watch.listen(only)
    assert watch.is_needed
    del only
    gc.collect()
    assert not watch.is_needed


def test_who_begins_to_listen_hears_what_is_known(watch: Watcher) -> None:
    watch.ask()
    say(A, Known(ONE))
    late = Follower()
    watch.listen(late)
    assert late.heard == [Known(ONE)]


def test_a_forked_child_knows_nothing_and_asks_anew(watch: Watcher) -> None:
    future = watch.ask()
    watch._lock.acquire()  # by a thread that the child has not
    parents = list(Subscriber.all.values())
    watch.renew()
    assert watch.known is None
    assert not any(each.is_alive for each in parents)
    assert watch.ask() is not future
    say(A, Known(TWO))
    assert watch.known == Known(TWO)


def state(**fields: str) -> dict[str, str]:
    return {"name": "service_name", "ip": "n", "port": "1", "flags": "master", "config-epoch": "3", **fields}


class Said:
    """What a sentinel answers, by its commands' last words."""

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
    made._connection = Said(**answers)
    return made


def test_a_sentinels_replicas_are_those_that_are_up_and_that_it_has_seen_to_be_replicas() -> None:
    replicas = [
        {"ip": "n", "port": "2", "flags": "slave", "info-refresh": "120", "role-reported": "slave"},
        {"ip": "n", "port": "3", "flags": "s_down,slave", "info-refresh": "120", "role-reported": "slave"},
        {"ip": "n", "port": "4", "flags": "slave", "info-refresh": "0", "role-reported": "slave"},
        {"ip": "n", "port": "5", "flags": "slave", "info-refresh": "120", "role-reported": "master"},
    ]
    said = sentinel(REPLICAS=[flat(each) for each in replicas])
    assert said.nodes(state()) == Known(("n", 1), (("n", 2),), 3)


@pytest.mark.parametrize(("flags", "there"), [("master", True), ("s_down,master", False), ("master,o_down", False)])
def test_a_primary_that_is_down_is_none(flags: str, there: bool) -> None:
    assert (sentinel(REPLICAS=[]).nodes(state(flags=flags)).primary is not None) is there


def test_a_sentinel_with_too_few_others_knows_no_primary() -> None:
    for others, there in (("1", False), ("2", True)):
        found = sentinel(peers=2, REPLICAS=[]).nodes(state(**{"num-other-sentinels": others}))
        assert (found.primary is not None) is there


def test_while_a_failover_is_under_way_the_primary_is_the_promoted_replica() -> None:
    flags = "s_down,o_down,master,failover_in_progress"
    for port, primary in ((b"2", ("n", 2)), (b"1", None)):
        said = sentinel(REPLICAS=[], GET_MASTER_ADDR_BY_NAME=[b"n", port])
        assert said.nodes(state(flags=flags)).primary == primary
