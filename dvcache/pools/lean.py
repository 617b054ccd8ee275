"""The lean pool: free lanes in a LIFO, taken and put back without a lock.

A lane whose state is unknown (anything raised between write and last reply) is dropped, never put back: replies must
not cross callers.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from libvalkey import ProtocolError

from dvcache.errors import ClosedError, ConnectionLost, PoolExhausted, ReplyTimeout
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.lane import Lane
from dvcache.types import Batch, Endpoint

CHECK_AFTER: Final = 1.0
"""Seconds of rest after which a lane is checked before use: a server or a balancer may have closed it meanwhile."""


class LeanPool:
    """The connections of this process to one server, for any number of threads."""

    __slots__ = (
        "__weakref__",
        "_attention",
        "_changed",
        "_closed",
        "_endpoint",
        "_free",
        "_lanes",
        "_open",
        "_waiting",
    )

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._closed = False
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without lanes and with new locks: in a forked child the old ones are the parent's."""
        self._free: deque[Lane] = deque()
        self._lanes: set[Lane] = set()
        self._open = 0
        self._waiting = 0
        self._changed = threading.Condition(threading.Lock())
        self._attention = self._closed
        """Whether putting a lane back takes more than appending it: somebody waits, or the pool is closed."""

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if not batch:
            return []
        started = time.monotonic()
        try:
            lane = self._free.pop()
        except IndexError:
            lane = self._obtain(started)
        else:
            if started - lane.used > CHECK_AFTER and lane.is_dead():
                self._discard(lane)
                self._drop_free()
                lane = self._obtain(started)
        try:
            replies = lane.exchange(batch, started)
        except BaseException as error:  # noqa: BLE001  # _failed raises it, or what it means
            self._discard(lane)
            self._failed(error, batch)
        self._free.append(lane)
        if self._attention:
            self._attend()
        return replies

    def _obtain(self, started: float) -> Lane:
        """Return a free lane, a new one, or the first that comes free."""
        limit = self._endpoint.max_connections
        timeout = self._endpoint.timeout
        with self._changed:
            self._waiting += 1
            self._attention = True
            try:
                while True:
                    self._check_open()
                    if self._free:
                        try:
                            return self._free.pop()
                        except IndexError:  # another thread was faster
                            continue
                    if limit is None or self._open < limit:
                        self._open += 1
                        break
                    left = None if timeout is None else started + timeout - time.monotonic()
                    if (left is not None and left <= 0) or not self._changed.wait(left):
                        raise PoolExhausted(
                            f"all {limit} connections were busy for {timeout:g} s; raise max_connections",
                            alias=self._endpoint.alias,
                            endpoint=self._endpoint.name,
                        )
            finally:
                self._waiting -= 1
                self._attention = self._closed or self._waiting > 0
        lane = Lane(self._endpoint)
        self._lanes.add(lane)
        try:
            lane.open()
            self._check_open()
        except BaseException:
            self._discard(lane)
            raise
        return lane

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")

    def _attend(self) -> None:
        if self._closed:
            self._drop_free()
            return
        with self._changed:
            self._changed.notify()

    def _vacate(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify()

    def _discard(self, lane: Lane) -> None:
        lane.drop()
        self._lanes.discard(lane)
        self._vacate()

    def _drop_free(self) -> None:
        while True:
            try:
                lane = self._free.pop()
            except IndexError:
                return
            self._discard(lane)

    def _failed(self, error: BaseException, batch: Batch) -> NoReturn:
        """Raise what an exchange's error means to the caller."""
        where = {"alias": self._endpoint.alias, "endpoint": self._endpoint.name, "command": str(batch[0][0])}
        if isinstance(error, TimeoutError | BlockingIOError):
            raise ReplyTimeout(f"no answer within {self._endpoint.timeout:g} s", **where) from error
        if isinstance(error, OSError | EOFError | ProtocolError):
            # Its neighbours were most likely closed with it.
            self._drop_free()
            raise ConnectionLost(f"connection lost: {error}", **where) from error
        raise error

    def close(self) -> None:
        """End every connection."""
        with self._changed:
            self._closed = self._attention = True
            self._changed.notify_all()
        self._drop_free()

    def abort(self) -> None:
        """End every connection, those in use too: their callers see it lost."""
        self.close()
        for lane in list(self._lanes):
            lane.interrupt()
