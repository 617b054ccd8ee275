"""Test locks: commands, pauses between two attempts, and cleanup after giving up."""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any

import pytest

from dvcache.drive import run
from dvcache.effects import OnPrimary, Transaction, Wait
from dvcache.errors import ConnectError, ConnectionLost, LockError, NotSupportedError, ReplyTimeout, reply_error
from dvcache.locks import AsyncLock, Lock
from dvcache.operations import locks
from dvcache.process.lock_queue import LockQueue
from dvcache.scripts.locks import EXTEND, RELEASE
from dvcache.testing import MemoryPoolFactory
from dvcache.testing.replays import replay
from dvcache.types import Endpoint
from tests.support.operation_contexts import context

CX = context(lock_queue=LockQueue())
KEY, TOKEN = b":1:l", b"token"
TAKE = (("SET", KEY, TOKEN, "NX", "PX", 5000),)
GIVE_BACK = (("EVALSHA", RELEASE.sha, 1, KEY, TOKEN),)
IF_EQUAL = (("SET", KEY, b"", "PXAT", 1, "IFEQ", TOKEN),)
REFUSED = reply_error("NOPERM User x has no permissions to run the 'evalsha' command")


def test_free_lock_costs_one_round_trip_to_acquire_and_one_to_release() -> None:
    assert replay(locks.acquire(CX, KEY, TOKEN, 5000), (TAKE, [b"OK"])) is True
    assert replay(locks.release(CX, KEY, TOKEN), (GIVE_BACK, [1])) is True
    assert replay(locks.release(CX, KEY, TOKEN), (GIVE_BACK, [0])) is False


def test_acquire_without_waiting_asks_once() -> None:
    assert replay(locks.acquire(CX, KEY, TOKEN, None, patience=0), ((("SET", KEY, TOKEN, "NX"),), [None])) is False


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("sleep", [0.1, 0.004])
def test_lock_polls_grow_to_ten_milliseconds(chance: float, sleep: float) -> None:
    op = locks.acquire(context(random=lambda: chance, lock_queue=LockQueue()), KEY, TOKEN, 5000, longest=sleep)
    pauses = [each.seconds for each in waits(op, 30)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.001
    assert pauses[-1] == pytest.approx(min(sleep, 0.01) * (0.5 + chance / 2))


def waits(op: Generator[Any, Any, Any], number: int) -> list[Wait]:
    """Return the pauses of a caller that waits for a lock in vain."""
    found = []
    effect = op.send(None)
    for _ in range(number):
        assert effect == TAKE
        pause = op.send([None])
        assert isinstance(pause, Wait)
        assert pause.anywhere
        found.append(pause)
        effect = op.send(False)
    op.close()
    return found


def test_lock_wait_ends_with_a_last_attempt() -> None:
    now = iter([100.0, 100.0, 104.9999, 105.0])
    cx = context(clock=lambda: next(now), random=lambda: 1.0, lock_queue=LockQueue())
    op = locks.acquire(cx, KEY, TOKEN, 5000, patience=5.0)
    assert op.send(None) == TAKE
    assert op.send([None]).seconds == 0.001
    assert op.send(False) == TAKE
    assert op.send([None]).seconds == pytest.approx(0.0001)
    assert op.send(False) == TAKE
    with pytest.raises(StopIteration) as end:
        op.send([None])
    assert end.value.value is False


def test_lock_queue_polls_once_per_process_and_a_release_wakes_it() -> None:
    cx = context(lock_queue=LockQueue())
    first, second = (locks.acquire(cx, KEY, token, 5000) for token in (TOKEN, b"other"))
    assert first.send(None) == TAKE
    pause = first.send([None])
    in_line = second.send(None)
    assert isinstance(in_line, Wait)
    assert not in_line.anywhere
    assert not in_line.done.done()
    assert replay(locks.release(cx, KEY, b"held"), ((("EVALSHA", RELEASE.sha, 1, KEY, b"held"),), [1]))
    assert pause.done.done()
    assert first.send(True) == TAKE
    with pytest.raises(StopIteration):
        first.send([b"OK"])
    assert in_line.done.done()
    assert second.send(True) == (("SET", KEY, b"other", "NX", "PX", 5000),)
    second.close()
    assert cx.lock_queue.join(KEY).at_front.done()


def test_lock_waiter_that_cannot_queue_polls_for_itself() -> None:
    cx = context(lock_queue=LockQueue())
    cx.lock_queue.join(KEY)
    op = locks.acquire(cx, KEY, TOKEN, 5000)
    assert isinstance(op.send(None), Wait)
    assert op.send(False) == TAKE
    op.close()


@pytest.mark.parametrize("error", [ConnectionLost("lost"), ReplyTimeout("late"), KeyboardInterrupt()])
def test_lock_that_may_have_been_acquired_is_released(error: BaseException) -> None:
    with pytest.raises(type(error)):
        replay(locks.acquire(CX, KEY, TOKEN, 5000), (TAKE, error), (GIVE_BACK, [1]))


@pytest.mark.parametrize("error", [ConnectError("no"), reply_error("READONLY You can't write"), REFUSED])
def test_lock_that_was_not_acquired_is_not_released(error: Exception) -> None:
    with pytest.raises(type(error)):
        replay(locks.acquire(CX, KEY, TOKEN, 5000), (TAKE, error))
    place = CX.lock_queue.join(KEY)
    assert place.at_front.done()
    place.leave()


def test_release_without_an_answer_is_repeated() -> None:
    lost = ConnectionLost("lost")
    assert replay(locks.release(CX, KEY, TOKEN), (GIVE_BACK, lost), (GIVE_BACK, [0])) is True


def test_release_that_is_interrupted_is_completed() -> None:
    for outcome in ([1], ConnectError("no")):
        with pytest.raises(KeyboardInterrupt):
            replay(locks.release(CX, KEY, TOKEN), (GIVE_BACK, KeyboardInterrupt()), (GIVE_BACK, outcome))


def test_lock_without_scripts_uses_set_ifeq() -> None:
    assert replay(locks.release(CX, KEY, TOKEN), (GIVE_BACK, [REFUSED]), (IF_EQUAL, [b"OK"])) is True
    assert replay(locks.release(CX, KEY, TOKEN), (GIVE_BACK, [REFUSED]), (IF_EQUAL, [None])) is False
    asked = (("EVALSHA", EXTEND.sha, 1, KEY, TOKEN, 500, "add"),)
    left = OnPrimary((("PTTL", KEY),))
    longer = (("SET", KEY, TOKEN, "IFEQ", TOKEN, "PX", 1200),)
    assert replay(locks.extend(CX, KEY, TOKEN, 500, add=True), (asked, [REFUSED]), (left, [700]), (longer, [b"OK"]))
    older = ((GIVE_BACK, [REFUSED]), (IF_EQUAL, [reply_error("ERR syntax error")]))
    transaction = Transaction(KEY, lambda _: ())
    with pytest.raises(NotSupportedError, match=r"eval"):
        replay(locks.release(CX, KEY, TOKEN), *older, (transaction, [REFUSED, None]))
    assert replay(locks.release(CX, KEY, TOKEN), *older, (transaction, [True, [b"OK"]])) is True
    assert replay(locks.release(CX, KEY, TOKEN), *older, (transaction, [True, None])) is False


def memory_lock(**terms: Any) -> Lock:
    pool = MemoryPoolFactory().pool(Endpoint(scheme="memory"))
    return Lock(context(lock_queue=LockQueue()), pool, KEY, **terms)


def test_lock_is_owned_by_its_thread_unless_configured() -> None:
    for own, expected in ((True, "Cannot release an unlocked lock"), (False, "")):
        lock = memory_lock(thread_local=own)
        lock.acquire()
        outcomes: list[str] = []

        def release(lock: Lock = lock, outcomes: list[str] = outcomes) -> None:
            try:
                lock.release()
                outcomes.append("")
            except LockError as error:
                outcomes.append(str(error))

        thread = threading.Thread(target=release)
        thread.start()
        thread.join()
        assert outcomes == [expected]


def test_sync_lock_on_an_event_loop_thread_waits_for_no_task_of_that_loop() -> None:
    factory = MemoryPoolFactory()
    cx, endpoint = context(lock_queue=LockQueue()), Endpoint(scheme="memory")

    async def scenario() -> None:
        holder = Lock(cx, factory.pool(endpoint), KEY)
        holder.acquire()
        task = asyncio.create_task(AsyncLock(cx, factory.async_pool(endpoint), KEY).acquire())
        await asyncio.sleep(0)  # it polls and is first in the queue
        holder.release()
        assert Lock(cx, factory.pool(endpoint), KEY).acquire() is True  # although the task is first in the queue
        task.cancel()

    asyncio.run(scenario())


def test_short_pause_is_made_on_an_event_loop_thread_too() -> None:
    def pausing(seconds: float, *, anywhere: bool) -> Any:
        return (yield Wait(Future(), seconds, anywhere))

    async def scenario() -> None:
        pool = MemoryPoolFactory().pool(Endpoint(scheme="memory"))
        began = asyncio.get_running_loop().time()
        assert run(pausing(60, anywhere=False), pool) is False
        assert run(pausing(0.02, anywhere=True), pool) is False
        assert asyncio.get_running_loop().time() - began >= 0.015

    asyncio.run(scenario())
