"""Single flight: what one caller of this process makes while others wait for it, by the key that it is made under.

The first to enter leads; whoever enters while it is under way may wait for the outcome. Nothing here does I/O. There is
no lock, since a signal handler or `__del__` may enter at any instruction of the same thread: each step is one operation
of a dict or a list, and two leaders at a time are harmless, since the server's lease decides. Threads and event loops
share flights; a forked child starts without any.
"""

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import ContextVar
from typing import Final
from weakref import ref

from dvcache.liveness import Alive
from dvcache.pools.forking import renewed_after_fork
from dvcache.types import MISSING

_leading: Final[ContextVar[tuple["Flight", ...]]] = ContextVar("dvcache_leading", default=())
"""The flights that the code of this context leads: what its leader calls, and what that starts, must not wait."""


class Flight:
    """One piece of work under way. Made by `Flights.enter`."""

    __slots__ = ("_bells", "_flights", "_key", "_leader", "_over", "outcome", "thread")

    def __init__(self, flights: "Flights", key: bytes, leader: Alive | None) -> None:
        self._flights, self._key = flights, key
        self._leader = None if leader is None else ref(leader)
        self.thread: Final = None if leader is None else leader.thread
        """The thread whose sync code leads, None for a task's: to wait for it in that thread would never end."""
        self._bells: Final[list[Future[None]]] = []
        self._over = False
        self.outcome: object = MISSING
        """What it came to; `MISSING` as long as it has not, and for ever where its leader gave up."""

    def is_led(self) -> bool:
        """Say whether somebody still works on it."""
        if self._over or self._leader is None:
            return not self._over
        leader = self._leader()
        return leader is not None and not leader.over

    def done(self) -> "Future[None]":
        """Return what is fulfilled when the flight has landed, or its leader has given up."""
        bell: Future[None] = Future()
        self._bells.append(bell)
        if self._over:  # `land` may have looked at the bells before
            _ring(bell)
        return bell

    def land(self, outcome: object = MISSING) -> None:
        """Say what it came to, once, and let nobody else enter. Without an outcome the leader gives up."""
        if self._over:
            return
        self.outcome = outcome
        self._over = True
        self._flights.forget(self._key, self)
        for bell in self._bells:
            _ring(bell)

    def lead(self) -> None:
        """Mark the code that runs from now on in this context as the leader's own, until `leave`."""
        _leading.set((*(each for each in _leading.get() if each.is_led()), self))

    def leave(self) -> None:
        """Take the mark of `lead` away."""
        _leading.set(tuple(flight for flight in _leading.get() if flight is not self))

    def is_own(self) -> bool:
        """Say whether this code was called by the flight's leader, which would wait for itself."""
        return any(flight is self for flight in _leading.get())


def _ring(bell: "Future[None]") -> None:
    with suppress(InvalidStateError):  # rung by another thread
        bell.set_result(None)


class Flights:
    """The flights of one cache's keys, and which of them this process holds a lease for. Used from any thread."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, Flight] = {}
        self._held: dict[bytes, tuple[float, object]] = {}
        self._claims: dict[bytes, tuple[bytes, ref[Alive]]] = {}
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without flights: in a forked child those who lead them are not there."""
        self._by_key, self._held, self._claims = {}, {}, {}

    def enter(self, key: bytes, leader: Alive | None = None) -> tuple[Flight, bool]:
        """Return the flight under way for a key, or a new one, and whether it is new: then the caller leads it.

        Args:
            key: the key.
            leader: what lives as long as the caller's frame; a flight whose leader is gone is not entered.
        """
        new = Flight(self, key, leader)
        while (found := self._by_key.setdefault(key, new)) is not new:
            if found.is_led():
                return found, False
            self.forget(key, found)
        return new, True

    def forget(self, key: bytes, flight: Flight) -> None:
        """Let nobody enter a flight any more."""
        if self._by_key.get(key) is flight:
            self._by_key.pop(key, None)

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
        mark = now + seconds, object()
        found = self._held.setdefault(key, mark)
        if found is not mark:
            if not anew and found[0] > now:
                return None
            self._held[key] = mark
        return mark

    def is_held(self, key: bytes, now: float) -> bool:
        """Say whether this process is at the lease of a key."""
        noted = self._held.get(key)
        return noted is not None and noted[0] > now

    def let_go(self, key: bytes, mark: object) -> None:
        """Take back what `hold` noted."""
        if self._held.get(key) is mark:
            self._held.pop(key, None)

    def claims(self, key: bytes, token: bytes, owner: Alive) -> None:
        """Record the token of a lease before it is claimed, and what lives as long as the frame that claims it."""
        self._claims[key] = token, ref(owner)

    def resolved(self, key: bytes) -> None:
        """Forget the token: the lease was released, or the value published."""
        self._claims.pop(key, None)

    def abandoned(self, key: bytes) -> bytes | None:
        """Return the token of a lease whose holder in this process is gone and cannot release it; once."""
        found = self._claims.get(key)
        if found is None:
            return None
        token, owner = found[0], found[1]()
        if owner is not None and not owner.over:
            return None
        self._claims.pop(key, None)
        return token

    def detach(self, *keys: bytes) -> None:
        """Let nobody enter what is under way for these keys: they were written, and it may show what was before."""
        if self._by_key or self._held:
            for key in keys:
                self._by_key.pop(key, None)
                self._held.pop(key, None)

    def detach_all(self) -> None:
        """Let nobody enter anything that is under way."""
        self._by_key.clear()
        self._held.clear()
