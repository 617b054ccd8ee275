"""Test the queue of local lock waiters: first in, first out, woken by a release."""

import os

from dvcache.process.lock_queue import STREAK, LockQueue

KEY = b":1:l"


def test_lock_queue_is_first_in_first_out() -> None:
    lock_queue = LockQueue()
    first, second, third = (lock_queue.join(KEY) for _ in range(3))
    assert [turn.at_front.done() for turn in (first, second, third)] == [True, False, False]
    second.leave()
    assert not third.at_front.done()
    first.leave()
    assert third.at_front.done()
    third.leave()
    third.leave()
    assert lock_queue.join(KEY).at_front.done()


def test_lock_queues_of_other_locks_are_independent() -> None:
    lock_queue = LockQueue()
    lock_queue.join(KEY)
    assert lock_queue.join(b"other").at_front.done()


def test_release_wakes_the_first_waiter_from_the_moment_it_listens() -> None:
    lock_queue = LockQueue()
    first, second = lock_queue.join(KEY), lock_queue.join(KEY)
    lock_queue.wake(KEY)
    wakeup, others = first.listen(), second.listen()
    assert not wakeup.done()
    lock_queue.wake(b"other")
    assert not wakeup.done()
    lock_queue.wake(KEY)
    lock_queue.wake(KEY)
    assert wakeup.done()
    assert not others.done()
    assert not first.listen().done()


def test_lock_queue_gives_other_processes_a_chance_after_a_streak() -> None:
    lock_queue = LockQueue()
    heard = []
    turn = lock_queue.join(KEY)
    for _ in range(2 * STREAK + 2):
        wakeup = turn.listen()
        lock_queue.wake(KEY)
        heard.append(wakeup.done())
    assert heard == [*[True] * STREAK, False] * 2


def test_forked_child_has_no_lock_queue() -> None:
    lock_queue = LockQueue()
    lock_queue.join(KEY)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if lock_queue.join(KEY).at_front.done() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not lock_queue.join(KEY).at_front.done()
