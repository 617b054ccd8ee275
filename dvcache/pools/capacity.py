"""Places of a bounded pool: the holders, counted while they are alive, and a queue of callers that wait for one.

Signal safety: there is no lock here, so a signal handler or finalizer may enter at any instruction. There is no counter
beside the holders, so an exception at any instruction leaks no place: abandoned holders die with their frames.
"""

import itertools
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Generic, Protocol, TypeVar

LOOK: Final = 0.05
"""Seconds after which the first waiter checks for a place by itself."""
_LOOK_BEHIND: Final = 0.25
"""Seconds after which the other waiters check whether they are first."""
_STALE: Final = 1.0
"""Seconds without a check after which a waiter counts as gone."""
_TIDY: Final = 64
"""Number of entries up to which dead ones are not removed."""


class Holder(Protocol):
    """An object that occupies a place. It must support weak references."""

    lost: bool
    """True if it is no longer usable, so that its place is free."""


H = TypeVar("H", bound=Holder)
T = TypeVar("T")


class Living(Generic[H]):
    """The holders that are alive and not lost."""

    __slots__ = ("_entries", "_numbers", "_tidy_at")

    def __init__(self) -> None:
        self._entries: dict[int, weakref.ref[H]] = {}
        self._numbers = itertools.count()
        self._tidy_at = _TIDY

    def admit(self, holder: H, most: int | None) -> bool:
        """Add the holder unless `most` others were added before it and are alive; else mark it as lost.

        It is added before the others are counted: of two concurrent callers, at least one sees the other.
        """
        number = next(self._numbers)
        self._entries[number] = weakref.ref(holder)
        if most is not None and self._before(number) >= most:
            holder.lost = True
            self._entries.pop(number, None)
            return False
        if len(self._entries) > self._tidy_at:
            self._tidy_at = 2 * len(self.alive()) + _TIDY
        return True

    def _before(self, number: int) -> int:
        count = 0
        for other, reference in self._entries.copy().items():  # in the order of addition
            if other == number:
                break
            holder = reference()
            count += holder is not None and not holder.lost
        return count

    def alive(self) -> list[H]:
        """Return the holders, and remove those that are gone."""
        alive: list[H] = []
        for number, reference in self._entries.copy().items():
            holder = reference()
            if holder is None or holder.lost:
                self._entries.pop(number, None)
            else:
                alive.append(holder)
        return alive

    def __len__(self) -> int:
        return len(self.alive())


class _PlaceWaiter:
    """A waiting caller. Only its frame references it strongly; the queue does not."""

    __slots__ = ("__weakref__", "gate", "seen", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.gate = threading.Lock()
        self.gate.acquire()  # held: the next acquire() blocks until `wake` releases it
        self.seen = time.monotonic()


class Waiting:
    """The queue of callers that wait for a place. Only the first one may take one."""

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: deque[weakref.ref[_PlaceWaiter]] = deque()
        """Waiting callers, in order. While there is one, other callers must queue up behind it."""

    def wait(self, attempt: Callable[[], T | None], until: float | None) -> T | None:
        """Repeat the attempt while this caller is first in the queue, until it returns a result.

        Args:
            attempt: called without a lock; an exception ends the wait.
            until: deadline in `time.monotonic()` seconds, after which the result is None; None for no limit.
        """
        waiter = _PlaceWaiter()
        place = weakref.ref(waiter)
        self.waiters.append(place)
        try:
            while True:
                now = waiter.seen = time.monotonic()
                first = self._is_first(place, waiter.thread, now)
                if first and (found := attempt()) is not None:
                    return found
                pause = LOOK if first else _LOOK_BEHIND
                if until is not None:
                    pause = min(pause, until - now)
                    if pause <= 0:
                        return None
                waiter.gate.acquire(timeout=pause)
        finally:
            try:
                self._leave(place)
            finally:
                self.wake()

    def wake(self) -> None:
        """Wake the first waiter."""
        try:
            while (waiter := (first := self.waiters[0])()) is None:
                self._leave(first)
            waiter.gate.release()
        except (IndexError, RuntimeError):  # no waiter, or it is awake already
            pass

    def _leave(self, place: weakref.ref[_PlaceWaiter]) -> None:
        with suppress(ValueError):  # another caller has removed it as stale
            self.waiters.remove(place)

    def _is_first(self, place: weakref.ref[_PlaceWaiter], thread: int, now: float) -> bool:
        """Return True if no live waiter is before this one; remove those that are gone."""
        while True:
            try:
                first = self.waiters[0]
            except IndexError:
                self.waiters.appendleft(place)
                return True
            waiter = first()
            if waiter is not None and waiter.thread == thread:  # this call's, or that of a call it interrupted
                return True
            if waiter is not None and now - waiter.seen < _STALE:
                if place in self.waiters:
                    return False
                self.waiters.appendleft(place)  # this late waiter was removed as stale: it goes back to the front
                return True
            self._leave(first)
