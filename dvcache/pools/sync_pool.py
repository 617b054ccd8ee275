"""The sync pool: idle connections on a LIFO stack, taken and returned without a lock.

A connection whose state is unknown (any exception between write and last reply) is closed, never returned: replies must
not reach another caller. The connections in use are counted by the objects alive, so an exception at any instruction
leaks none: an abandoned connection dies with the frame that held it, or is marked as lost first.
"""

import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, TypeAlias

from dvcache.effects import Transaction
from dvcache.errors import ClosedError, ConnectionLost, TransportError
from dvcache.pools import watchdog
from dvcache.pools.circuit_breaker import CircuitBreaker
from dvcache.pools.idle_checks import CHECK_AFTER, IdleConnections
from dvcache.pools.sync_connection import SyncConnection
from dvcache.pools.sync_errors import exchange_error, exhausted
from dvcache.pools.transactions import transact
from dvcache.pools.written_batch import WrittenBatch
from dvcache.types import Batch, Endpoint

Times: TypeAlias = tuple[float, float, float | None]
"""Start of an attempt, start of its wait for replies, and its deadline."""

Exchanges: TypeAlias = Callable[[SyncConnection, Any, float, float | None], list[Any]]
"""Exchanges a batch on a connection; takes the start and the deadline."""


class SyncPool(IdleConnections):
    """The connections of this process to one server, for any number of threads.

    If all connections are busy and no more may be opened, threads wait in a queue; no other thread overtakes them.

    Args:
        endpoint: the server.
        breaker: refuses batches while the server gives no answer.
    """

    __slots__ = ("_breaker", "_closed")

    def __init__(self, endpoint: Endpoint, breaker: CircuitBreaker | None = None) -> None:
        super().__init__(endpoint)
        self._breaker = breaker
        self._closed = False

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        if not batch:
            return []
        began = started = time.monotonic() if self._breaker is None else self._breaker.begin()
        if type(batch) is Transaction:
            return self._used(None, _transacted, batch, (began, started, until))
        # `_used`, inlined: the calls would cost time.
        connection = None
        try:
            connection = self._take(started)
            if connection is None:
                connection = self._obtain(started, until)
                started = time.monotonic()  # the wait for a connection does not count as waiting for a reply
            replies = connection.exchange(batch, started, until)
        except BaseException as error:
            if connection is not None:
                connection.lost = True  # first: a second exception may follow at any instruction
            if (meant := self._failure(connection, error, batch, (began, started, until))) is None:
                raise
            raise meant from error
        if self._breaker is not None:
            self._breaker.mend()
        if connection.refusals or connection.retired:  # after a refusal, the server reads no more from the connection
            self.discard(connection)
            return replies
        self._free.append(connection)
        # A caller that queues up after this check finds the connection in `_free` by itself.
        if self._waiters or self._closed:
            self._attend()
        return replies

    def begin(self, batch: Batch, until: float | None = None, /) -> WrittenBatch[SyncConnection]:
        """Write the batch (see `protocols.Begins`)."""
        began = started = time.monotonic() if self._breaker is None else self._breaker.begin()
        connection = None
        try:
            connection = self._take(started)
            if connection is None:
                connection = self._obtain(started, until)
                started = time.monotonic()  # as in execute
            connection.write(batch, until)
            return WrittenBatch(self, connection, batch, began, started, until)
        except BaseException as error:
            if connection is not None:
                connection.lost = True
            if (meant := self._failure(connection, error, batch, (began, started, until))) is None:
                raise
            raise meant from error

    def finish(self, written: WrittenBatch[SyncConnection], /) -> Sequence[Any]:
        """Read the replies of a written batch, and return the connection to the pool."""
        times = (written.began, written.started, written.until)
        return self._used(written.holder, SyncConnection.read_late, written.batch, times)

    def abandon(self, written: WrittenBatch[SyncConnection], /) -> None:
        """Close the connection of a written batch, since its replies are not read."""
        if self._breaker is not None:
            self._breaker.fail(InterruptedError(), written.began)
        self.discard(written.holder)

    def connects(self) -> bool:
        """Return True if the next batch would open a connection (see `protocols.Begins`)."""
        most = self._endpoint.max_connections
        return not self._free and not self._waiters and (most is None or len(self._living) < most)

    def _used(self, connection: SyncConnection | None, use: Exchanges, batch: Any, times: Times) -> list[Any]:
        """Use a connection, by default the next one; return it to the pool unless it must not be used again."""
        began, started, until = times
        try:
            if connection is None:
                connection = self._take(started) or self._obtain(started, until)
                started = time.monotonic()
            replies = use(connection, batch, started, until)
        except BaseException as error:
            if connection is not None:
                connection.lost = True
            if (meant := self._failure(connection, error, batch, (began, started, until))) is None:
                raise
            raise meant from error
        if self._breaker is not None:
            self._breaker.mend()
        if connection.lost or connection.refusals or connection.retired:
            self.discard(connection)
            return replies
        self._free.append(connection)
        if self._waiters or self._closed:
            self._attend()
        return replies

    def _take(self, started: float) -> SyncConnection | None:
        """Return an idle connection; None if there is none, or other callers are waiting."""
        if self._waiters:  # no overtaking
            return None
        try:
            connection = self._free.pop()
        except IndexError:
            return None
        return (
            self._checked(connection, started)
            if started - connection.used > CHECK_AFTER or connection.retired
            else connection
        )

    def _obtain(self, started: float, until: float | None) -> SyncConnection:
        """Return an idle connection or a new one, after the callers that wait already."""
        connection = None if self._waiters else self._rested_or_new()
        if connection is None:
            patience = self._patience
            give_up = None if patience is None else started + patience
            if until is not None and (give_up is None or until < give_up):
                give_up = until
            connection = self._waiting.wait(self._rested_or_new, give_up)
            if connection is None:
                raise exhausted(self._endpoint, self._patience, started, until)
        if not connection.used:
            self._open(connection, until)  # after the caller has left the queue, so no other one waits for it
        return connection

    def _rested_or_new(self) -> SyncConnection | None:
        """Return an idle connection, or a new one if the limit allows; else None."""
        self._check_open()
        try:
            connection = self._checked(self._free.pop(), time.monotonic())
        except IndexError:
            connection = None
        if connection is not None:
            return connection
        most = self._endpoint.max_connections
        if most is not None and len(self._living) >= most:
            return None
        connection = SyncConnection(self._endpoint)
        return connection if self._living.admit(connection, most) else None

    def _open(self, connection: SyncConnection, until: float | None) -> None:
        try:
            # in a copy: an exception may leave the deadline set in its context
            copy_context().run(connection.open, until)
            self._check_open()
            if not connection.is_cooperative:
                watchdog.watch(self)
        except BaseException:
            connection.lost = True
            self.discard(connection)
            raise

    def _attend(self) -> None:
        """Hand a connection to the first waiter; if the pool was closed, close the returned connections."""
        if self._closed:
            self._drop_free()
        self._waiting.wake()

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")

    @property
    def _patience(self) -> float | None:
        """Seconds that a caller waits for a connection; None for no limit."""
        seconds: Any = self._endpoint.options.get("timeout", self._endpoint.timeout)
        return seconds  # type: ignore[no-any-return]  # the settings allow no other types

    def _failure(
        self, connection: SyncConnection | None, error: BaseException, batch: Batch, times: Times
    ) -> TransportError | None:
        """Close the connection; return the error to raise for an attempt's error, None for the error itself."""
        began, started, until = times
        meant = None
        if connection is not None:
            had_rested = started - connection.used > CHECK_AFTER
            self.discard(connection)
            meant = exchange_error(connection, error, batch, self._endpoint, started, until)
            if isinstance(meant, ConnectionLost):
                self._drop_free()  # most likely the others were closed with it
            elif meant is not None and had_rested:
                # A load balancer or firewall may have dropped it, and the others that were idle as long.
                self._drop_free(before=started)
        if self._breaker is not None:
            self._breaker.fail(meant or error, began, batch)
        return meant

    def release(self) -> None:
        """Close the idle connections."""
        self._drop_free()

    def retire(self) -> None:
        """Replace the connections (see `protocols.Retires`); those in use are closed after their calls."""
        for connection in self._living.alive():
            connection.retired = True
        self._drop_free()

    def close(self) -> None:
        """Close every connection; those in use, after their calls."""
        self._closed = True
        self._attend()

    def abort(self) -> None:
        """Close every connection, including those in use: their callers get an error."""
        self.close()
        for connection in self._living.alive():
            connection.interrupt()


def _transacted(connection: SyncConnection, batch: Transaction, _: float, until: float | None) -> list[Any]:
    """Run a transaction; mark the connection as lost after a failure, since MULTI may still be open on it."""
    replies = transact(batch, lambda part: connection.exchange(part, time.monotonic(), until))
    if replies[0] is not True:
        connection.lost = True
    return replies
