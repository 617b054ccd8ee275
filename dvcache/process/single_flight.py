"""Single flight: per key, one caller of this process computes and concurrent callers wait for its result.

The first caller is the leader; callers that enter during its computation may wait for the outcome. Nothing here does
I/O. There is no lock, because a signal handler or `__del__` may enter between any two instructions of the same thread:
each step is a single operation on a dict or a list. Two concurrent leaders are harmless, since the lease on the server
decides. Threads and event loops share computations; a forked child starts without any.
"""

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import ContextVar
from typing import Final
from weakref import ref

from dvcache.process.fork import renewed_after_fork
from dvcache.process.liveness import Alive
from dvcache.types import MISSING

_leading: Final[ContextVar[tuple["InFlight", ...]]] = ContextVar("dvcache_leading", default=())
"""Computations led by the code of this context: code called by a leader must not wait for its own computation."""


class InFlight:
    """One computation in progress. Made by `SingleFlight.enter`."""

    __slots__ = ("_futures", "_key", "_leader", "_over", "_single_flight", "outcome", "thread")

    def __init__(self, single_flight: "SingleFlight", key: bytes, leader: Alive | None) -> None:
        self._single_flight, self._key = single_flight, key
        self._leader = None if leader is None else ref(leader)
        self.thread: Final = None if leader is None else leader.thread
        """Thread whose sync code leads, None for a task: waiting for it in that thread would deadlock."""
        self._futures: Final[list[Future[None]]] = []
        self._over = False
        self.outcome: object = MISSING
        """Result of the computation; `MISSING` until it ends, and for ever if the leader gave up."""

    def is_led(self) -> bool:
        """Return True if the computation is in progress and its leader is alive."""
        if self._over or self._leader is None:
            return not self._over
        leader = self._leader()
        return leader is not None and not leader.over

    def done(self) -> "Future[None]":
        """Return a future that is fulfilled when the computation ends or its leader gives up."""
        future: Future[None] = Future()
        self._futures.append(future)
        if self._over:  # `finish` may have fulfilled its futures just before
            _fulfil(future)
        return future

    def finish(self, outcome: object = MISSING) -> None:
        """Set the outcome, once, and stop further callers from joining. Without an outcome the leader gives up."""
        if self._over:
            return
        # The outcome first: a thread that sees `_over` reads it without synchronization.
        self.outcome = outcome
        self._over = True
        self._single_flight.forget(self._key, self)
        for future in self._futures:
            _fulfil(future)

    def lead(self) -> None:
        """Mark this context as the leader's, until `leave`."""
        # Computations that ended in another context were not removed from this one.
        _leading.set((*(each for each in _leading.get() if each.is_led()), self))

    def leave(self) -> None:
        """Remove the mark of `lead`."""
        _leading.set(tuple(computation for computation in _leading.get() if computation is not self))

    def is_own(self) -> bool:
        """Return True if the leader called this code, which would then wait for itself."""
        return any(computation is self for computation in _leading.get())


def _fulfil(future: "Future[None]") -> None:
    with suppress(InvalidStateError):  # fulfilled by another thread
        future.set_result(None)


class SingleFlight:
    """Single flight for the keys of one cache, and the leases that this process holds. Used from any thread."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, InFlight] = {}
        self._held: dict[bytes, tuple[float, object]] = {}
        self._claims: dict[bytes, tuple[bytes, ref[Alive]]] = {}
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget all computations: in a forked child their leaders do not exist."""
        self._by_key, self._held, self._claims = {}, {}, {}

    def enter(self, key: bytes, leader: Alive | None = None) -> tuple[InFlight, bool]:
        """Return a key's computation in progress, or a new one, and whether it is new: then the caller is its leader.

        Args:
            key: the key.
            leader: an object that lives as long as the caller's frame; a computation whose leader is gone is not
                joined.
        """
        new = InFlight(self, key, leader)
        # One atomic operation decides who leads, so a signal handler between two instructions cannot break it.
        while (found := self._by_key.setdefault(key, new)) is not new:
            if found.is_led():
                return found, False
            self.forget(key, found)
        return new, True

    def forget(self, key: bytes, computation: InFlight) -> None:
        """Stop further callers from joining a computation."""
        if self._by_key.get(key) is computation:
            self._by_key.pop(key, None)

    def hold(self, key: bytes, now: float, seconds: float, *, anew: bool = False) -> object | None:
        """Record that this process competes for, or holds, the lease of a key.

        Args:
            key: the key.
            now: the time, in seconds.
            seconds: maximum lifetime of the lease; the record expires with it.
            anew: whether to replace an earlier record.

        Returns:
            The mark to pass to `let_go`; None if there is a valid record already.
        """
        mark = now + seconds, object()
        # Atomic: of two threads only one gets its own mark back, so only one claims the lease.
        found = self._held.setdefault(key, mark)
        if found is not mark:
            if not anew and found[0] > now:
                return None
            self._held[key] = mark
        return mark

    def is_held(self, key: bytes, now: float) -> bool:
        """Return True if this process competes for, or holds, the lease of a key."""
        noted = self._held.get(key)
        return noted is not None and noted[0] > now

    def let_go(self, key: bytes, mark: object) -> None:
        """Remove the record made by `hold`."""
        if self._held.get(key) is mark:
            self._held.pop(key, None)

    def claims(self, key: bytes, token: bytes, owner: Alive) -> None:
        """Record a lease's token before it is claimed, with an object that lives as long as the claiming frame."""
        # If the frame is killed (an async exception, a closed generator), a later caller of this process finds the
        # token here and releases the lease instead of waiting for it to expire.
        self._claims[key] = token, ref(owner)

    def resolved(self, key: bytes) -> None:
        """Forget the token: the lease was released, or the value published."""
        self._claims.pop(key, None)

    def abandoned(self, key: bytes) -> bytes | None:
        """Return the token of a lease whose holder in this process is gone and cannot release it; only once."""
        found = self._claims.get(key)
        if found is None:
            return None
        token, owner = found[0], found[1]()
        if owner is not None and not owner.over:
            return None
        self._claims.pop(key, None)
        return token

    def detach(self, *keys: bytes) -> None:
        """Stop callers from joining computations for these keys: the keys were written; the results may be older."""
        if self._by_key or self._held:
            for key in keys:
                self._by_key.pop(key, None)
                self._held.pop(key, None)

    def detach_all(self) -> None:
        """Stop callers from joining any computation in progress."""
        self._by_key.clear()
        self._held.clear()
