"""Flights: what one caller of this process makes while others wait for it, by the key that it is made under.

The first to enter leads; whoever enters while it is under way may wait for the outcome. Nothing here does I/O, and no
lock is held while a caller works. Threads and event loops share flights; a forked child starts without any.
"""

import threading
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Final

from dvcache.pools.forking import renewed_after_fork
from dvcache.types import MISSING

_leading: Final[ContextVar[tuple["Flight", ...]]] = ContextVar("dvcache_leading", default=())
"""The flights that the code of this context leads: what its leader calls, and what that starts, must not wait."""


class Flight:
    """One piece of work under way. Made by `Flights.enter`."""

    __slots__ = ("_done", "_flights", "_key", "_over", "outcome")

    def __init__(self, flights: "Flights", key: bytes) -> None:
        self._flights, self._key = flights, key
        self._done: Future[None] | None = None
        self._over = False
        self.outcome: object = MISSING
        """What it came to; `MISSING` as long as it has not, and for ever where its leader gave up."""

    def done(self) -> "Future[None]":
        """Return what is fulfilled when the flight has landed, or its leader has given up."""
        with self._flights.lock:
            if self._done is None:
                self._done = Future()
                if self._over:
                    self._done.set_result(None)
            return self._done

    def land(self, outcome: object = MISSING) -> None:
        """Say what it came to, once, and let nobody else enter. Without an outcome the leader gives up."""
        with self._flights.lock:
            if self._over:
                return
            self._over, self.outcome = True, outcome
            self._flights.forget(self._key, self)
            done = self._done
        if done is not None:
            done.set_result(None)

    def lead(self) -> None:
        """Mark the code that runs from now on in this context as the leader's own, until `leave`."""
        _leading.set((*_leading.get(), self))

    def leave(self) -> None:
        """Take the mark of `lead` away."""
        _leading.set(tuple(flight for flight in _leading.get() if flight is not self))

    def is_own(self) -> bool:
        """Say whether this code was called by the flight's leader, which would wait for itself."""
        return any(flight is self for flight in _leading.get())


class Flights:
    """The flights of one cache's keys, and which of them this process holds a lease for. Used from any thread."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, Flight] = {}
        self._held: dict[bytes, tuple[float, object]] = {}
        self.lock = threading.Lock()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without flights: in a forked child those who lead them are not there."""
        self._by_key, self._held, self.lock = {}, {}, threading.Lock()

    def enter(self, key: bytes) -> tuple[Flight, bool]:
        """Return the flight under way for a key, or a new one, and whether it is new: then the caller leads it."""
        with self.lock:
            found = self._by_key.get(key)
            if found is not None:
                return found, False
            new = self._by_key[key] = Flight(self, key)
            return new, True

    def forget(self, key: bytes, flight: Flight) -> None:
        """Let nobody enter a flight any more. The lock is held."""
        if self._by_key.get(key) is flight:
            del self._by_key[key]

    def hold(self, key: bytes, now: float, seconds: float, *, anew: bool = False) -> object | None:
        """Note that this process is at the lease of a key.

        Args:
            key: the key.
            now: the time, in seconds.
            seconds: how long the lease can last; the note counts no longer.
            anew: whether it takes the place of an earlier note.

        Returns:
            What `let_go` takes; None where it is noted already.
        """
        with self.lock:
            if not anew and key in self._held and self._held[key][0] > now:
                return None
            mark = self._held[key] = now + seconds, object()
            return mark

    def is_held(self, key: bytes, now: float) -> bool:
        """Say whether this process is at the lease of a key."""
        noted = self._held.get(key)
        return noted is not None and noted[0] > now

    def let_go(self, key: bytes, mark: object) -> None:
        """Take back what `hold` noted."""
        with self.lock:
            if self._held.get(key) is mark:
                del self._held[key]

    def detach(self, *keys: bytes) -> None:
        """Let nobody enter what is under way for these keys: they were written, and it may show what was before."""
        if self._by_key or self._held:
            with self.lock:
                for key in keys:
                    self._by_key.pop(key, None)
                    self._held.pop(key, None)

    def detach_all(self) -> None:
        """Let nobody enter anything that is under way."""
        with self.lock:
            self._by_key.clear()
            self._held.clear()
