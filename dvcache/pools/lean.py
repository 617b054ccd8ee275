"""The lean pool: free lanes in a LIFO, taken and put back without a lock.

A lane whose state is unknown (anything raised between write and last reply) is dropped, never put back: replies must
not cross callers.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

from libvalkey import ProtocolError

from dvcache.errors import ClosedError, ConnectionLost, PoolExhausted, ReplyTimeout
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.lane import Lane
from dvcache.pools.transactions import transact
from dvcache.types import Batch, Endpoint, Transaction

CHECK_AFTER: Final = 1.0
"""Seconds of rest after which a lane is checked before use: a server or a balancer may have closed it meanwhile."""


class _Turn:
    """A thread that waits for a lane, or for leave to open one."""

    __slots__ = ("come", "lane")

    def __init__(self) -> None:
        self.come = threading.Event()
        self.lane: Lane | None = None


class Written:
    """A batch that was written, and whose replies are to be read: `protocols.Pending`."""

    __slots__ = ("_batch", "_lane", "_pool", "_started")

    def __init__(self, pool: "LeanPool", lane: Lane, batch: Batch, started: float) -> None:
        self._pool, self._lane, self._batch, self._started = pool, lane, batch, started

    def replies(self) -> Sequence[Any]:
        """Read the replies, and put the lane back."""
        return self._pool.finish(self._lane, self._batch, self._started)

    def abandon(self) -> None:
        """Drop the lane, as nobody is going to read."""
        self._pool.discard(self._lane)


class LeanPool:
    """The connections of this process to one server, for any number of threads.

    Where all lanes are busy and no more may be opened, threads wait in line; while one does, nobody goes past it.
    """

    __slots__ = ("__weakref__", "_attention", "_closed", "_endpoint", "_free", "_lanes", "_lock", "_open", "_queue")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._closed = False
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without lanes and with new locks: in a forked child the old ones are the parent's."""
        self._lock = threading.Lock()
        self._free: deque[Lane] = deque()
        self._lanes: set[Lane] = set()
        self._open = 0
        self._queue: deque[_Turn] = deque()
        self._attention = self._closed
        """Whether taking or putting back a lane needs the lock: somebody waits, or the pool is closed."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if not batch:
            return []
        started = time.monotonic()
        if type(batch) is Transaction:
            return self._transacted(batch, started)
        lane = self._take(started)
        if lane is None:
            lane = self._obtain(started) or self._opened()
            started = time.monotonic()  # a caller may wait in line for longer than for a reply
        try:
            replies = lane.exchange(batch, started)
        except BaseException as error:  # noqa: BLE001  # _failed raises it, or what it means
            self.discard(lane)
            self._failed(error, batch)
        self._free.append(lane)
        if self._attention:
            self._attend()
        return replies

    def begin(self, batch: Batch, until: float | None = None, /) -> Written:
        """Write the batch, as `protocols.Pending` says."""
        started = time.monotonic()
        lane = self._take(started)
        if lane is None:
            lane = self._obtain(started) or self._opened()
            started = time.monotonic()  # a caller may wait in line for longer than for a reply
        try:
            lane.write(batch)
        except BaseException as error:  # noqa: BLE001  # as above
            self.discard(lane)
            self._failed(error, batch)
        return Written(self, lane, batch, started)

    def finish(self, lane: Lane, batch: Batch, started: float) -> Sequence[Any]:
        """Read the replies of the batch that was written on the lane, and put it back."""
        try:
            replies = lane.read_late(batch, started)
        except BaseException as error:  # noqa: BLE001  # as above
            self.discard(lane)
            self._failed(error, batch)
        self._free.append(lane)
        if self._attention:
            self._attend()
        return replies

    def _transacted(self, batch: Transaction, started: float) -> Sequence[Any]:
        """Run a transaction on one lane, which is dropped where it failed: it may be in the midst of it."""
        lane = self._take(started) or self._obtain(started) or self._opened()
        try:
            replies = transact(batch, lambda part: lane.exchange(part, time.monotonic()))
        except BaseException as error:  # noqa: BLE001  # as in execute
            self.discard(lane)
            self._failed(error, batch)
        if replies[0] is not True:
            self.discard(lane)
            return replies
        self._free.append(lane)
        if self._attention:
            self._attend()
        return replies

    def _take(self, started: float) -> Lane | None:
        """Return a lane that rests; None where it is for the lock to say who is next, or what may be opened."""
        if not self._attention:
            with suppress(IndexError):
                lane = self._free.pop()
                if started - lane.used <= CHECK_AFTER or not lane.is_dead():
                    return lane
                self.discard(lane)
                self._drop_free()
        return None

    def _obtain(self, started: float) -> Lane | None:
        """Return a free lane, when it is this caller's turn, or None where one may be opened."""
        with self._lock:
            self._attention = True  # before looking: who puts a lane back from now on sees it
            try:
                self._check_open()
                if not self._queue and self._free:
                    return self._free.pop()
                if not self._queue and self._may_open():
                    self._open += 1
                    return None
                turn = _Turn()
                self._queue.append(turn)
            finally:
                self._attention = self._closed or bool(self._queue)
        timeout = self._patience
        try:
            if not turn.come.wait(None if timeout is None else max(0.0, started + timeout - time.monotonic())):
                self._give_up(turn)
        except BaseException:  # also a KeyboardInterrupt: what was given to this turn meanwhile must not be lost
            self._hand_back(turn)
            raise
        if self._closed:
            self._hand_back(turn)
        self._check_open()
        return turn.lane

    def _give_up(self, turn: _Turn) -> None:
        with self._lock:
            if not turn.come.is_set():
                raise self._exhausted()

    def _hand_back(self, turn: _Turn) -> None:
        """Leave the line, and with it the lane, or the place of one, that was given to the turn."""
        with self._lock:
            if not turn.come.is_set():
                self._queue.remove(turn)
                return
        if turn.lane is None:
            self._vacate()
        else:
            self.discard(turn.lane)

    def _may_open(self) -> bool:
        return self._endpoint.max_connections is None or self._open < self._endpoint.max_connections

    def _opened(self) -> Lane:
        """Return a new lane; its place is counted already."""
        try:
            lane = Lane(self._endpoint)
        except BaseException:
            self._vacate()
            raise
        self._lanes.add(lane)
        try:
            lane.open()
            self._check_open()
        except BaseException:
            self.discard(lane)
            raise
        return lane

    def _attend(self) -> None:
        """Give free lanes, and leave to open others, to those that wait, in their order."""
        if self._closed:
            self._drop_free()
        with self._lock:
            while self._queue and (self._closed or self._free or self._may_open()):
                turn = self._queue.popleft()
                if self._free:
                    turn.lane = self._free.pop()
                elif not self._closed:
                    self._open += 1
                turn.come.set()
            self._attention = self._closed or bool(self._queue)

    def discard(self, lane: Lane) -> None:
        """End the connection of a lane that was taken, whatever its state."""
        lane.drop()
        self._lanes.discard(lane)
        self._vacate()

    def _vacate(self) -> None:
        """Give up a place that is counted as open."""
        with self._lock:
            self._open -= 1
        if self._attention:
            self._attend()

    def _drop_free(self) -> None:
        with suppress(IndexError):
            while True:
                self.discard(self._free.pop())

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")

    @property
    def _patience(self) -> float | None:
        """Seconds that a caller waits in line; None: for ever."""
        seconds: Any = self._endpoint.options.get("timeout", self._endpoint.timeout)
        return seconds  # type: ignore[no-any-return]  # the settings know no others

    def _exhausted(self) -> PoolExhausted:
        limit = self._endpoint.max_connections
        return PoolExhausted(
            f"all {limit} connections were busy for {self._patience:g} s; raise max_connections",
            alias=self._endpoint.alias,
            endpoint=self._endpoint.name,
        )

    def _failed(self, error: BaseException, batch: Batch) -> NoReturn:
        """Raise what an exchange's error means to the caller."""
        where = {"alias": self._endpoint.alias, "endpoint": self._endpoint.name, "command": str(batch[0][0])}
        if isinstance(error, TimeoutError | BlockingIOError) and self._endpoint.timeout is not None:
            raise ReplyTimeout(f"no answer within {self._endpoint.timeout:g} s", **where) from error
        if isinstance(error, OSError | EOFError | ProtocolError):
            # Its neighbours were most likely closed with it.
            self._drop_free()
            raise ConnectionLost(f"connection lost: {error}", **where) from error
        raise error

    def release(self) -> None:
        """End the connections that nobody uses."""
        self._drop_free()

    def close(self) -> None:
        """End every connection; those in use, when their calls are over."""
        with self._lock:  # or somebody who is just leaving it could put `_attention` back
            self._closed = self._attention = True
        self._attend()

    def abort(self) -> None:
        """End every connection, those in use too: their callers see it lost."""
        self.close()
        for lane in list(self._lanes):
            lane.interrupt()
