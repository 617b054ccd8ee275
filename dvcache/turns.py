"""Turns: the places in line of those who wait for one lock in this process, in the order in which they came.

The first in line alone asks the server. A release in this process rings for it. Nothing here does I/O. There is no
lock, since a signal handler or `__del__` may join at any instruction of the same thread: each step is one operation of
a dict or a list, and two who think that they are first are harmless, since the server decides. Threads and event loops
share turns, and a forked child starts without any.
"""

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Final
from weakref import ref

from dvcache.liveness import Alive
from dvcache.pools.forking import renewed_after_fork

STREAK: Final = 16
"""How often in a row a lock is handed on within the process before others get an equal chance at it."""


class Turn:
    """A place in line. Made by `Turns.join`."""

    __slots__ = ("_owner", "_turns", "ahead", "bell", "come", "key")

    def __init__(self, turns: "Turns", key: bytes, owner: Alive | None) -> None:
        self._turns: Final = turns
        self._owner: Final = None if owner is None else ref(owner)
        self.key: Final = key
        self.come: Future[None] = Future()
        """Fulfilled when this is the first in line."""
        self.bell: Future[None] | None = None
        self.ahead: int | None = None
        """The own thread, if its sync code stands further ahead: that goes on only when this has left."""

    @property
    def owner(self) -> Alive | None:
        """What the frame in line holds; None where it is gone, or was not told."""
        return None if self._owner is None else self._owner()

    def is_alive(self) -> bool:
        """Say whether somebody still stands here."""
        if self._owner is None:
            return True
        owner = self._owner()
        return owner is not None and not owner.over

    def listen(self) -> "Future[None]":
        """Return what is fulfilled when the lock is released in this process, from now on."""
        bell: Future[None] = Future()
        self.bell = bell
        return bell

    def look(self) -> bool:
        """Return whether this is the first in line by now: of those before it that live."""
        self._turns.advance(self.key)
        return self.come.done()

    def leave(self) -> None:
        """Leave the line, once; the next one comes to its front if this was the first."""
        self._turns.leave(self)


def _ring(bell: "Future[None]") -> None:
    with suppress(InvalidStateError):  # rung by another thread
        bell.set_result(None)


class Turns:
    """The lines in front of one cache's locks. Used from any thread."""

    def __init__(self) -> None:
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without lines: in a forked child those who stand in them are not there."""
        self._lines: dict[bytes, list[Turn]] = {}
        self._streaks: dict[bytes, int] = {}

    def join(self, key: bytes, owner: Alive | None = None) -> Turn:
        """Go to the end of the line for a lock.

        Args:
            key: the lock's stored key.
            owner: what lives as long as the caller's frame; the place of one that is gone is given away.
        """
        turn = Turn(self, key, owner)
        while True:
            line = self._lines.setdefault(key, [])
            line.append(turn)
            if self._lines.get(key) is line:  # else its last one has just left it
                break
        if (
            owner is not None
            and owner.thread is not None
            and any(
                each.owner is not None and each.owner.thread == owner.thread for each in list(line) if each is not turn
            )
        ):
            turn.ahead = owner.thread
        self.advance(key)
        return turn

    def advance(self, key: bytes) -> None:
        """Tell the first in line that it is; drop those before it whose frames are gone."""
        line = self._lines.get(key)
        while line:
            try:
                first = line[0]
            except IndexError:  # they all left meanwhile
                return
            if first.is_alive():
                _ring(first.come)
                return
            self._drop(line, first)

    def leave(self, turn: Turn) -> None:
        """Take a turn out of its line."""
        line = self._lines.get(turn.key)
        if line is None:
            return
        self._drop(line, turn)
        if line:
            self.advance(turn.key)
        elif self._lines.get(turn.key) is line:
            self._lines.pop(turn.key, None)
            self._streaks.pop(turn.key, None)

    @staticmethod
    def _drop(line: list[Turn], turn: Turn) -> None:
        with suppress(ValueError):  # it has left before
            line.remove(turn)

    def ring(self, key: bytes) -> None:
        """Tell the first in line that the lock was released; not each time, or other processes would never get it."""
        line = self._lines.get(key)
        first = next(iter(line), None) if line else None
        if first is None or first.bell is None:
            return
        streak = self._streaks[key] = (self._streaks.get(key, 0) + 1) % (STREAK + 1)
        bell, first.bell = first.bell, None
        if streak and bell is not None:
            _ring(bell)
