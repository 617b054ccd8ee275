"""Lock queue: the waiters for one lock in this process, first come, first served.

Only the first waiter sends commands to the server; a release in this process wakes it. Nothing here does I/O. There is
no lock, because a signal handler or `__del__` may join between any two instructions of the same thread: each step is a
single operation on a dict or a list. Two waiters that both believe to be first are harmless, since the server decides.
Threads and event loops share the queues; a forked child starts without any.
"""

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Final
from weakref import ref

from dvcache.process.fork import renewed_after_fork
from dvcache.process.liveness import Alive

STREAK: Final = 16
"""Consecutive hand-overs within the process before other processes get an equal chance."""


class Waiter:
    """A waiter in a lock's queue. Made by `LockQueue.join`."""

    __slots__ = ("_lock_queue", "_owner", "ahead", "at_front", "key", "released")

    def __init__(self, lock_queue: "LockQueue", key: bytes, owner: Alive | None) -> None:
        self._lock_queue: Final = lock_queue
        self._owner: Final = None if owner is None else ref(owner)
        self.key: Final = key
        self.at_front: Future[None] = Future()
        """Fulfilled when this waiter is first in the queue."""
        self.released: Future[None] | None = None
        self.ahead: int | None = None
        """Id of the caller's thread if sync code of that thread waits ahead in this queue, else None. That code cannot
        go on before this waiter leaves."""

    @property
    def owner(self) -> Alive | None:
        """Object held by the waiting frame; None if the frame is gone or gave none."""
        return None if self._owner is None else self._owner()

    def is_alive(self) -> bool:
        """Return True if the waiting frame still exists."""
        if self._owner is None:
            return True
        owner = self._owner()
        return owner is not None and not owner.over

    def listen(self) -> "Future[None]":
        """Return a future that is fulfilled by the next release of the lock in this process."""
        released: Future[None] = Future()
        self.released = released
        return released

    def look(self) -> bool:
        """Return True if this is the first waiter that is alive."""
        self._lock_queue.advance(self.key)
        return self.at_front.done()

    def leave(self) -> None:
        """Leave the queue, once; the next waiter becomes first if this one was."""
        self._lock_queue.leave(self)


def _fulfil(released: "Future[None]") -> None:
    with suppress(InvalidStateError):  # fulfilled by another thread
        released.set_result(None)


class LockQueue:
    """Queues of waiters for one cache's locks. Used from any thread."""

    def __init__(self) -> None:
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget all queues: in a forked child their waiters do not exist."""
        self._queues: dict[bytes, list[Waiter]] = {}
        self._streaks: dict[bytes, int] = {}

    def join(self, key: bytes, owner: Alive | None = None) -> Waiter:
        """Append a waiter to a lock's queue.

        Args:
            key: the lock's stored key.
            owner: an object that lives as long as the caller's frame; a waiter whose owner is gone is dropped.
        """
        waiter = Waiter(self, key, owner)
        while True:
            # Without a lock: `leave` may remove the list between `setdefault` and `append`, so check that it is still
            # the one.
            queue = self._queues.setdefault(key, [])
            queue.append(waiter)
            if self._queues.get(key) is queue:  # else the last waiter just left and removed the list
                break
        if (
            owner is not None
            and owner.thread is not None
            and any(
                each.owner is not None and each.owner.thread == owner.thread
                for each in list(queue)
                if each is not waiter
            )
        ):
            waiter.ahead = owner.thread
        self.advance(key)
        return waiter

    def advance(self, key: bytes) -> None:
        """Wake the first waiter; drop those before it whose frames are gone."""
        queue = self._queues.get(key)
        while queue:
            try:
                first = queue[0]
            except IndexError:  # every waiter left in between
                return
            if first.is_alive():
                _fulfil(first.at_front)
                return
            self._drop(queue, first)

    def leave(self, waiter: Waiter) -> None:
        """Remove a waiter from its queue."""
        queue = self._queues.get(waiter.key)
        if queue is None:
            return
        self._drop(queue, waiter)
        if queue:
            self.advance(waiter.key)
        elif self._queues.get(waiter.key) is queue:
            self._queues.pop(waiter.key, None)
            self._streaks.pop(waiter.key, None)

    @staticmethod
    def _drop(queue: list[Waiter], waiter: Waiter) -> None:
        with suppress(ValueError):  # already removed
            queue.remove(waiter)

    def wake(self, key: bytes) -> None:
        """Wake the first waiter after a release, but not every time, so that other processes get the lock."""
        queue = self._queues.get(key)
        first = next(iter(queue), None) if queue else None
        if first is None or first.released is None:
            return
        # A wake-up lets this process win every race for the lock; skipping one leaves the waiter to its regular
        # polling.
        streak = self._streaks[key] = (self._streaks.get(key, 0) + 1) % (STREAK + 1)
        released, first.released = first.released, None
        if streak and released is not None:
            _fulfil(released)
