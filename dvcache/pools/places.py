"""Places of a bounded pool: their holders, counted while they are alive, and the line of callers that wait for one.

Nothing here takes a lock, so that a signal handler or a finalizer may enter at any instruction. No number is kept
beside the holders, so that an exception at any instruction loses no place: what it left behind dies with its frame.
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
"""Seconds after which the first caller in the line looks for a place by itself."""
_LOOK_BEHIND: Final = 0.25
"""Seconds after which the callers behind it look whether they are the first."""
_STALE: Final = 1.0
"""Seconds without a look after which a turn belongs to a caller that is gone."""
_TIDY: Final = 64
"""Entries up to which the dead ones stay."""


class Holder(Protocol):
    """Something that holds a place. It takes weak references."""

    lost: bool
    """Set when it is of no more use: its place is free from then on."""


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
        """Add the holder unless `most` others were added before it and are alive; it is lost then.

        It is added first and then counted: of two callers at once, one sees the other.
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
        for other, reference in self._entries.copy().items():  # in the order of adding
            if other == number:
                break
            holder = reference()
            count += holder is not None and not holder.lost
        return count

    def alive(self) -> list[H]:
        """Return the holders, and forget those that are gone."""
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


class _Turn:
    """A caller in the line. Its frame holds it; the line does not."""

    __slots__ = ("__weakref__", "gate", "seen", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.gate = threading.Lock()
        self.gate.acquire()
        self.seen = time.monotonic()


class Waiting:
    """The line of callers that wait for a place. The first one alone may take one."""

    __slots__ = ("turns",)

    def __init__(self) -> None:
        self.turns: deque[weakref.ref[_Turn]] = deque()
        """Not empty while a caller waits, which nobody may go past."""

    def wait(self, attempt: Callable[[], T | None], until: float | None) -> T | None:
        """Make the attempt whenever this caller is the first in the line, until it returns something.

        Args:
            attempt: called without a lock; what it raises ends the wait.
            until: `time.monotonic()` seconds after which the result is None; None waits for ever.
        """
        turn = _Turn()
        place = weakref.ref(turn)
        self.turns.append(place)
        try:
            while True:
                now = turn.seen = time.monotonic()
                first = self._is_first(place, turn.thread, now)
                if first and (found := attempt()) is not None:
                    return found
                pause = LOOK if first else _LOOK_BEHIND
                if until is not None:
                    pause = min(pause, until - now)
                    if pause <= 0:
                        return None
                turn.gate.acquire(timeout=pause)
        finally:
            try:
                self._leave(place)
            finally:
                self.wake()

    def wake(self) -> None:
        """Have the first caller look for a place now."""
        try:
            while (turn := (first := self.turns[0])()) is None:
                self._leave(first)
            turn.gate.release()
        except (IndexError, RuntimeError):  # nobody waits, or it was woken already
            pass

    def _leave(self, place: weakref.ref[_Turn]) -> None:
        with suppress(ValueError):  # it was taken for gone
            self.turns.remove(place)

    def _is_first(self, place: weakref.ref[_Turn], thread: int, now: float) -> bool:
        """Return True if nobody is before the turn but callers that are gone, which leave the line here."""
        while True:
            try:
                first = self.turns[0]
            except IndexError:
                self.turns.appendleft(place)
                return True
            turn = first()
            if turn is not None and turn.thread == thread:  # its own, or that of a call that was interrupted by this
                return True
            if turn is not None and now - turn.seen < _STALE:
                if place in self.turns:
                    return False
                self.turns.appendleft(place)  # taken for gone, as it was late
                return True
            self._leave(first)
