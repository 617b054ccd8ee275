"""The lean pool: free lanes in a LIFO, taken and put back without a lock.

A lane whose state is unknown (anything raised between write and last reply) is dropped, never put back: replies must
not cross callers. Lanes are counted by what is alive, so that an exception at any instruction loses none: a lane that
it left behind dies with the frame that held it, or is marked as lost before anything else is done.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, Final

from dvcache.errors import ClosedError, ConnectionLost, TransportError
from dvcache.pools import watchdog
from dvcache.pools.endings import exchange_error, exhausted
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.lane import Lane
from dvcache.pools.places import Living, Waiting
from dvcache.pools.resting import expire_overdue, take_ended
from dvcache.pools.transactions import transact
from dvcache.pools.written import Written
from dvcache.types import Batch, Endpoint, Transaction

CHECK_AFTER: Final = 0.001
"""Seconds of rest after which a lane is checked before use: it may have ended, or hold what nobody asked for."""
SWEEP: Final = 2.0
"""Seconds between looks at the lanes that rest: a server or a balancer may have closed them meanwhile."""


class LeanPool:
    """The connections of this process to one server, for any number of threads.

    Where all lanes are busy and no more may be opened, threads wait in line; while one does, nobody goes past it.
    """

    __slots__ = ("__weakref__", "_closed", "_endpoint", "_free", "_living", "_swept", "_turns", "_waiting")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._closed = False
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without lanes: in a forked child the old ones are the parent's."""
        self._free: deque[Lane] = deque()
        self._living: Living[Lane] = Living()
        self._waiting = Waiting()
        self._turns = self._waiting.turns
        self._swept = 0.0

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if not batch:
            return []
        started = time.monotonic()
        if type(batch) is Transaction:
            return self._transacted(batch, started, until)
        lane = self._take(started)
        try:
            if lane is None:
                lane = self._obtain(started, until)
                started = time.monotonic()  # a caller may wait in line for longer than for a reply
            replies = lane.exchange(batch, started, until)
        except BaseException as error:
            if lane is None:
                raise
            lane.lost = True
            if (meant := self._failure(lane, error, batch, started, until)) is None:
                raise
            raise meant from error
        if lane.refusals or lane.retired:
            self.discard(lane)
            return replies
        self._free.append(lane)
        if self._turns or self._closed:
            self._attend()
        return replies

    def begin(self, batch: Batch, until: float | None = None, /) -> Written:
        """Write the batch, as `protocols.Pending` says."""
        started = time.monotonic()
        lane = self._take(started)
        try:
            if lane is None:
                lane = self._obtain(started, until)
                started = time.monotonic()  # as in execute
            lane.write(batch, until)
            return Written(self, lane, batch, started, until)
        except BaseException as error:
            if lane is None:
                raise
            lane.lost = True
            if (meant := self._failure(lane, error, batch, started, until)) is None:
                raise
            raise meant from error

    def finish(self, lane: Lane, batch: Batch, started: float, until: float | None = None) -> Sequence[Any]:
        """Read the replies of the batch that was written on the lane, and put it back."""
        return self._used(lane, lane.read_late, batch, started, until)

    def connects(self) -> bool:
        """Return True if the next batch would open a connection, as `protocols.Begins` says."""
        most = self._endpoint.max_connections
        return not self._free and not self._turns and (most is None or len(self._living) < most)

    def _transacted(self, batch: Transaction, started: float, until: float | None) -> Sequence[Any]:
        """Run a transaction on one lane, which is dropped where it failed: it may be in the midst of it."""
        lane = self._take(started) or self._obtain(started, until)

        def transacted(batch: Any, _: float, until: float | None) -> list[Any]:
            replies = transact(batch, lambda part: lane.exchange(part, time.monotonic(), until))
            if replies[0] is not True:
                lane.lost = True
            return replies

        return self._used(lane, transacted, batch, time.monotonic(), until)

    def _used(
        self,
        lane: Lane,
        use: Callable[[Any, float, float | None], list[Any]],
        batch: Batch,
        started: float,
        until: float | None,
    ) -> list[Any]:
        """Use the lane, and put it back unless it has become of no more use."""
        try:
            replies = use(batch, started, until)
        except BaseException as error:
            lane.lost = True
            if (meant := self._failure(lane, error, batch, started, until)) is None:
                raise
            raise meant from error
        if lane.lost or lane.refusals or lane.retired:
            self.discard(lane)
            return replies
        self._free.append(lane)
        if self._turns or self._closed:
            self._attend()
        return replies

    def _take(self, started: float) -> Lane | None:
        """Return a lane that rests; None where there is none, or callers wait that come first."""
        if self._turns:
            return None
        try:
            lane = self._free.pop()
        except IndexError:
            return None
        return self._checked(lane, started) if started - lane.used > CHECK_AFTER or lane.retired else lane

    def _checked(self, lane: Lane | None, started: float) -> Lane | None:
        """Return the lane, or another one that rests, unless it has ended; None where each one has."""
        while lane is not None:
            if not (lane.retired or lane.is_dead()):
                if started - self._swept > SWEEP and self._free:
                    self._sweep(started)
                return lane
            self.discard(lane)
            if lane.silent:
                self._drop_free(before=started)  # as after a timeout
            else:
                self._sweep(started)  # its neighbours may have been closed with it
            try:
                lane = self._free.pop()
            except IndexError:
                return None
        return None

    def _obtain(self, started: float, until: float | None) -> Lane:
        """Return a lane that rests or a new one, once this caller's turn has come."""
        lane = None if self._turns else self._rested_or_new()
        if lane is None:
            patience = self._patience
            give_up = None if patience is None else started + patience
            if until is not None and (give_up is None or until < give_up):
                give_up = until
            lane = self._waiting.wait(self._rested_or_new, give_up)
            if lane is None:
                raise exhausted(self._endpoint, self._patience, started, until)
        if not lane.used:
            self._open(lane, until)
        return lane

    def _rested_or_new(self) -> Lane | None:
        """Return a lane that rests, or one that may be opened, if there is one."""
        self._check_open()
        try:
            lane = self._checked(self._free.pop(), time.monotonic())
        except IndexError:
            lane = None
        if lane is not None:
            return lane
        most = self._endpoint.max_connections
        if most is not None and len(self._living) >= most:
            return None
        lane = Lane(self._endpoint)
        return lane if self._living.admit(lane, most) else None

    def _open(self, lane: Lane, until: float | None) -> None:
        try:
            copy_context().run(lane.open, until)  # an exception may leave the deadline set there
            self._check_open()
            if not lane.is_cooperative:
                watchdog.watch(self)
        except BaseException:
            lane.lost = True
            self.discard(lane)
            raise

    def _attend(self) -> None:
        """Have the first caller in line take a lane; end those that were put back after the pool was closed."""
        if self._closed:
            self._drop_free()
        self._waiting.wake()

    def discard(self, lane: Lane) -> None:
        """End the connection of a lane that was taken, whatever its state."""
        lane.lost = True
        lane.drop()
        if self._turns:
            self._waiting.wake()

    def _drop_free(self, before: float = float("inf")) -> None:
        """End the lanes that rest, but for those that were used after a time."""
        kept = []
        try:
            while True:
                lane = self._free.pop()
                if lane.used < before:
                    self.discard(lane)
                else:
                    kept.append(lane)
        except IndexError:
            self._free.extend(reversed(kept))

    def look(self, now: float, /) -> float | None:
        """End waits that are overdue, and lanes that ended at rest, as `watchdog.Watched` says."""
        alive = self._living.alive()
        if not alive:
            return None
        again = self._swept + SWEEP
        if now >= again:
            self._sweep(now)
            again = now + SWEEP
        return min(again, expire_overdue(alive, now, self._endpoint.timeout))

    def _sweep(self, now: float) -> None:
        """End the lanes that rest and have ended, or hold what nobody asked for."""
        self._swept = now
        for lane in take_ended(self._free, now - CHECK_AFTER):
            self.discard(lane)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")

    @property
    def _patience(self) -> float | None:
        """Seconds that a caller waits in line; None: for ever."""
        seconds: Any = self._endpoint.options.get("timeout", self._endpoint.timeout)
        return seconds  # type: ignore[no-any-return]  # the settings know no others

    def _failure(
        self, lane: Lane, error: BaseException, batch: Batch, started: float, until: float | None
    ) -> TransportError | None:
        """End the lane; return what an exchange's error means to the caller, None for the error itself."""
        had_rested = started - lane.used > CHECK_AFTER
        self.discard(lane)
        meant = exchange_error(lane, error, batch, self._endpoint, started, until)
        if isinstance(meant, ConnectionLost):
            self._drop_free()  # its neighbours were most likely closed with it
        elif meant is not None and had_rested:
            # A balancer or a firewall may have forgotten it, and with it those that rested as long.
            self._drop_free(before=started)
        return meant

    def release(self) -> None:
        """End the connections that nobody uses."""
        self._drop_free()

    def retire(self) -> None:
        """Connect anew, as `protocols.Retires` says; lanes in use end with their calls."""
        for lane in self._living.alive():
            lane.retired = True
        self._drop_free()

    def close(self) -> None:
        """End every connection; those in use, when their calls are over."""
        self._closed = True
        self._attend()

    def abort(self) -> None:
        """End every connection, those in use too: their callers see it lost."""
        self.close()
        for lane in self._living.alive():
            lane.interrupt()
