"""The sync pool of the user's own classes: batches on a pool of valkey-py's kind, with its connections and parsers.

It uses `get_connection` and `release` of a pool, and `pack_commands`, `send_packed_command`, `read_response` and
`disconnect` of a connection. A connection whose state is unknown is disconnected before it is released.
"""

import itertools
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from dvcache.effects import Transaction
from dvcache.errors import ClosedError, ReplyTimeout
from dvcache.pools import watchdog
from dvcache.pools.capacity import Living, Waiting
from dvcache.pools.circuit_breaker import CircuitBreaker
from dvcache.pools.connect import interrupt
from dvcache.pools.custom import replies as custom_replies
from dvcache.pools.custom.checkout import Use, hurrying, overdue_error, read, taken
from dvcache.pools.custom.generations import Generation, Generations, Leaving
from dvcache.pools.custom.idle import end_idle, is_exhausted
from dvcache.pools.transactions import transact
from dvcache.pools.written_batch import WrittenBatch
from dvcache.process.fork import renewed_after_fork
from dvcache.types import Batch, Endpoint, SourcedPool

_QUIET: Final = 10.0
"""Seconds without a call after which the watchdog stops its checks."""
_SWEEP: Final = 1.0
"""Seconds between checks for connections that were not released."""


class CustomPool:
    """The connections of this process to one server, or to the nodes that the user's pool discovers.

    Connections in use are counted by the `Use` objects alive. If a use dies before its connection was released, an
    exception struck at an unlucky instruction. The user's pool may then count that connection as in use forever, so
    the pool is replaced.

    Args:
        endpoint: the server; its pool source makes the user's pool.
        breaker: refuses batches while the server gives no answer.
    """

    __slots__ = (
        "__weakref__",
        "_active",
        "_breaker",
        "_closed",
        "_endpoint",
        "_generations",
        "_leaving",
        "_living",
        "_numbers",
        "_owed",
        "_source",
        "_waiting",
    )

    def __init__(self, endpoint: Endpoint, breaker: CircuitBreaker | None = None) -> None:
        self._endpoint, self._source, self._breaker = endpoint, endpoint.driver, breaker
        self._closed = False
        self._generations = Generations(partial(_another, endpoint))
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without a pool: the one in a forked child belongs to the parent."""
        if (sourced := self._sourced) is not None:
            _inherited.append(sourced)
        self._generations = Generations(partial(_another, self._endpoint))
        self._leaving: dict[int, Leaving] = {}
        self._living: Living[Use] = Living()
        self._waiting = Waiting()
        self._numbers = itertools.count()
        self._owed: dict[int, tuple[weakref.ref[Use], Generation]] = {}
        """Uses whose connections were not released to the user's pool, by number."""
        self._active = 0.0

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        if not batch:
            return []
        if self._breaker is None:
            return self._executed(batch, until)
        with self._breaker.attempt(batch):
            return self._executed(batch, until)

    def _executed(self, batch: Batch, until: float | None) -> list[Any]:
        use = self._use(batch, until)
        replies: list[Any] = self._carried(use, batch, lambda: self._exchanged(use.connection, batch))
        self.end(use, clean=type(batch) is not Transaction or replies[0] is True)  # else MULTI may still be open
        return replies

    def begin(self, batch: Batch, until: float | None = None, /) -> WrittenBatch[Use]:
        """Write the batch (see `protocols.Begins`)."""
        began = 0.0 if self._breaker is None else self._breaker.begin()
        try:
            use = self._use(batch, until)
            self._carried(use, batch, lambda: use.connection.send_packed_command(use.connection.pack_commands(batch)))
        except BaseException as error:
            if self._breaker is not None:
                self._breaker.fail(error, began, batch)
            raise
        return WrittenBatch(self, use, batch, began, use.since, until)

    def finish(self, written: WrittenBatch[Use], /) -> Sequence[Any]:
        """Read the replies of a written batch, and release the connection."""
        if self._breaker is None:
            return self._finished(written.holder, written.batch)
        with self._breaker.attempt(written.batch, written.began):
            return self._finished(written.holder, written.batch)

    def _finished(self, use: Use, batch: Batch) -> list[Any]:
        def replies_of() -> list[Any]:
            with hurrying(use):
                return custom_replies.read(batch, read(use.connection, batch), self._endpoint)

        replies: list[Any] = self._carried(use, batch, replies_of)
        self.end(use)
        return replies

    def abandon(self, written: WrittenBatch[Use], /) -> None:
        """Release the connection of a written batch disconnected, since its replies are not read."""
        if self._breaker is not None:
            self._breaker.fail(InterruptedError(), written.began)
        self.end(written.holder, clean=False)

    def _exchanged(self, connection: Any, batch: Batch) -> list[Any]:
        if type(batch) is Transaction:
            return transact(batch, lambda part: self._exchanged(connection, part))
        connection.send_packed_command(connection.pack_commands(batch))
        return custom_replies.read(batch, read(connection, batch), self._endpoint)

    def _carried(self, use: Use, batch: Batch, action: Callable[[], Any]) -> Any:
        """Return the action's result; if it fails, release the connection and raise our error for it."""
        try:
            return action()
        except BaseException as error:
            self.end(use, clean=False)
            if isinstance(error, Exception):
                custom_replies.explain(self._meant(use, error, batch), error)
            raise

    def _meant(self, use: Use, error: Exception, batch: Batch) -> Exception:
        if use.overdue:
            meant: Exception = overdue_error(use, batch, self._endpoint)
        else:
            meant = custom_replies.exchange_error(error, batch, self._endpoint)
        if isinstance(meant, ReplyTimeout):
            self._end_idle(use.made.pool)  # the idle ones may be as dead
        return meant

    def _use(self, batch: Batch, until: float | None) -> Use:
        """Take a connection once fewer are in use than the pool allows; valkey-py's pool would raise at once."""
        use = None if self._waiting.waiters else self._place(until)
        if use is None:
            pool = self._made().pool
            patience = custom_replies.patience(pool, self._endpoint)
            give_up = None if patience is None else time.monotonic() + patience
            by_deadline = until is not None and (give_up is None or until < give_up)
            use = self._waiting.wait(lambda: self._place(until), until if by_deadline else give_up)
            if use is None:
                raise custom_replies.exhausted(pool, self._endpoint, by_deadline=by_deadline)
        try:
            self._connect(use, batch, until)
        except BaseException as error:
            if not isinstance(error, Exception) or isinstance(error.__cause__ or error, MemoryError | RecursionError):
                use.made.retired = True  # the exception may have interrupted valkey-py's own release
            else:
                self._owed.pop(use.number, None)  # valkey-py has released it
            use.lost = True
            self._waiting.wake()
            raise
        return use

    def _connect(self, use: Use, batch: Batch, until: float | None) -> None:
        """Take a connection for the use."""
        now = self._active = time.monotonic()
        # Before connecting, so that the use is found even if an exception ends this call at any instruction.
        watchdog.watch(self, now + _SWEEP if until is None else min(until, now + _SWEEP))
        number = use.number = next(self._numbers)
        self._owed[number] = (weakref.ref(use), use.made)
        use.connection = taken(use.made.pool, self._endpoint, batch, until)
        use.since = self._active = time.monotonic()

    def _place(self, until: float | None) -> Use | None:
        """Return a use if fewer are alive than the pool allows, else None."""
        most = custom_replies.bound(self._made().pool, None)
        if most is not None and len(self._living) >= most:
            return None
        use = Use(until)
        if not self._living.admit(use, most):
            return None
        try:
            self._repair()  # after the admission: the use that freed this place may not have released its connection
            use.made = self._made()
            use.lost = is_exhausted(use.made.pool)  # by other code; the pool's own wait would ignore the deadline
        except BaseException:
            use.lost = True
            raise
        return None if use.lost else use

    def end(self, use: Use, *, clean: bool = True) -> None:
        """Release a connection, disconnected if its state is unknown; do not release it if disconnecting fails."""
        try:
            if not clean or use.made.retired:
                use.connection.disconnect()
            use.made.pool.release(use.connection)
            self._owed.pop(use.number, None)
            use.lost = True
            if self._closed:
                use.made.release()
        finally:
            use.lost = True
            self._waiting.wake()

    def _repair(self) -> None:
        """Retire the user's pool if a use has ended without releasing its connection."""
        for number, (reference, made) in self._owed.copy().items():
            use = reference()
            if use is None or use.lost:
                made.retired = True
                self._leaving[number] = Leaving(made.pool, self._end_idle)
                self._owed.pop(number, None)
                watchdog.watch(self)
                with suppress(Exception):  # an exception struck while it was ended, or it has no connection
                    use.connection.disconnect()  # type: ignore[union-attr]  # as above

    def _end_idle(self, pool: Any) -> None:
        """Close the idle connections of a pool of valkey-py's shape, unless the caller passed the pool (`client=`)."""
        if getattr(self._source, "is_borrowed", False):
            return
        with suppress(Exception):  # a pool of another shape
            end_idle(pool)

    def _made(self) -> Generation:
        """Return the current pool of the user's."""
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
        return self._generations.current()

    @property
    def _sourced(self) -> SourcedPool | None:
        return self._generations.last.sourced

    def look(self, now: float, /) -> float | None:
        """Interrupt uses whose deadline has passed and finish retired pools (see `watchdog.Watched`)."""
        self._repair()
        for number, leaving in self._leaving.copy().items():
            if leaving.is_over(now):
                self._leaving.pop(number, None)
        again = now + _SWEEP if self._leaving or now - self._active < _QUIET else None
        for use in self._living.alive():
            if use.until is None or use.connection is None or use.overdue:
                continue
            if use.until + watchdog.GRACE <= now:
                use.overdue = True
                interrupt(getattr(use.connection, "_sock", None))
            else:
                due = use.until + watchdog.GRACE
                again = due if again is None else min(again, due)
        return again

    def retire(self) -> None:
        """Replace the connections (see `protocols.Retires`); those in use are closed after their calls."""
        last = self._generations.last
        last.retired = True
        self._end_idle(last.pool)

    def release(self) -> None:
        """Close the idle connections."""
        self._generations.last.release()

    def close(self) -> None:
        """Close every connection; those in use, after their calls."""
        self._closed = True
        last = self._generations.last
        last.retired = True
        last.release()
        self._waiting.wake()

    def abort(self) -> None:
        """Close every connection, including those in use: their callers get an error."""
        self.close()
        for use in self._living.alive():
            interrupt(getattr(use.connection, "_sock", None))


def _another(endpoint: Endpoint) -> SourcedPool:
    assert endpoint.driver is not None
    return custom_replies.checked(endpoint.driver.make(endpoint), endpoint)


_inherited: Final[list[object]] = []
"""Pools that a forked child inherited from its parent: kept referenced and never closed."""
