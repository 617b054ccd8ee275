"""Turns: the places in line of those who wait for one lock in this process, in the order in which they came.

The first in line alone asks the server. A release in this process rings for it. Nothing here does I/O; threads and
event loops share turns, and a forked child starts without any.
"""

import threading
from collections import deque
from concurrent.futures import Future
from typing import Final

from dvcache.pools.forking import renewed_after_fork

STREAK: Final = 16
"""How often in a row a lock is handed on within the process before others get an equal chance at it."""


class Turn:
    """A place in line. Made by `Turns.join`."""

    __slots__ = ("_turns", "bell", "come", "key")

    def __init__(self, turns: "Turns", key: bytes) -> None:
        self._turns: Final = turns
        self.key: Final = key
        self.come: Future[None] = Future()
        """Fulfilled when this is the first in line."""
        self.bell: Future[None] | None = None

    def listen(self) -> "Future[None]":
        """Return what is fulfilled when the lock is released in this process, from now on."""
        bell: Future[None] = Future()
        self.bell = bell
        return bell

    def leave(self) -> None:
        """Leave the line, once; the next one comes to its front if this was the first."""
        self._turns.leave(self)


class Turns:
    """The lines in front of one cache's locks. Used from any thread."""

    def __init__(self) -> None:
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without lines: in a forked child those who stand in them are not there."""
        self._lock = threading.Lock()
        self._lines: dict[bytes, deque[Turn]] = {}
        self._streaks: dict[bytes, int] = {}

    def join(self, key: bytes) -> Turn:
        """Go to the end of the line for a lock."""
        turn = Turn(self, key)
        with self._lock:
            line = self._lines.setdefault(key, deque())
            line.append(turn)
            first = line[0] is turn
        if first:
            turn.come.set_result(None)
        return turn

    def leave(self, turn: Turn) -> None:
        """Take a turn out of its line."""
        with self._lock:
            line = self._lines.get(turn.key, deque())
            if turn not in line:
                return
            was_first = line[0] is turn
            line.remove(turn)
            if not line:
                del self._lines[turn.key]
                self._streaks.pop(turn.key, None)
                return
            following = line[0] if was_first else None
        if following is not None:
            following.come.set_result(None)

    def ring(self, key: bytes) -> None:
        """Tell the first in line that the lock was released; not each time, or other processes would never get it."""
        with self._lock:
            line = self._lines.get(key)
            if not line or line[0].bell is None:
                return
            streak = self._streaks[key] = (self._streaks.get(key, 0) + 1) % (STREAK + 1)
            bell, line[0].bell = line[0].bell, None
        if streak:
            bell.set_result(None)
