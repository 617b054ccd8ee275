"""The driven pool: batches on a pool of valkey-py's kind, for pool, connection and parser classes of the user's.

It asks of a pool `get_connection` and `release`, and of a connection `pack_commands`, `send_packed_command`,
`read_response` and `disconnect`. A connection whose state is unknown is disconnected before it is released.
"""

import itertools
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Final

from dvcache.errors import ClosedError, ReplyTimeout
from dvcache.pools import exchanges, watchdog
from dvcache.pools.connections import interrupt
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.idle import end_idle, unlock
from dvcache.pools.places import Living, Waiting
from dvcache.pools.transactions import transact
from dvcache.pools.uses import Use, connected, hurrying, read
from dvcache.types import Batch, Driven, Endpoint, Transaction

_QUIET: Final = 10.0
"""Seconds without a use after which the watchdog need not look."""


@dataclass(frozen=True, slots=True)
class Written:
    """A batch that was written, and whose replies are to be read: `protocols.Pending`."""

    pool: "DrivenPool"
    use: Use
    batch: Batch

    def replies(self) -> Sequence[Any]:
        """Read the replies, and give the connection back."""
        return self.pool.finish(self.use, self.batch)

    def abandon(self) -> None:
        """Give the connection back disconnected, as nobody is going to read."""
        self.pool.end(self.use, clean=False)


class DrivenPool:
    """The connections of this process to one server, or to the nodes that the user's pool finds.

    Uses are counted by what is alive. A use that died before its connection was given back was struck by an exception
    at an unlucky instruction: the user's pool may count that connection for ever, and is replaced.

    Args:
        endpoint: where to; its driver makes the pool.
    """

    __slots__ = (
        "__weakref__",
        "_active",
        "_closed",
        "_driven",
        "_driver",
        "_endpoint",
        "_living",
        "_lock",
        "_numbers",
        "_owed",
        "_waiting",
    )

    def __init__(self, endpoint: Endpoint) -> None:
        assert endpoint.driver is not None
        self._endpoint, self._driver = endpoint, endpoint.driver
        self._closed = False
        self._driven: Driven | None = None
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without a pool and with a new lock: in a forked child the old ones are the parent's."""
        if self._driven is not None:
            _inherited.append(self._driven)
        self._lock = threading.RLock()
        self._driven = None
        self._living: Living[Use] = Living()
        self._waiting = Waiting()
        self._numbers = itertools.count()
        self._owed: dict[int, weakref.ref[Use]] = {}
        """The uses whose connections were not given back to the user's pool."""
        self._active = 0.0

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if not batch:
            return []
        use = self._use(batch, until)
        replies: list[Any] = self._carried(use, batch, lambda: self._exchanged(use.connection, batch))
        self.end(use, clean=type(batch) is not Transaction or replies[0] is True)  # else it may be in the midst of it
        return replies

    def begin(self, batch: Batch, until: float | None = None, /) -> Written:
        """Write the batch, as `protocols.Begins` says."""
        use = self._use(batch, until)
        self._carried(use, batch, lambda: use.connection.send_packed_command(use.connection.pack_commands(batch)))
        return Written(self, use, batch)

    def finish(self, use: Use, batch: Batch) -> Sequence[Any]:
        """Read the replies of the batch that was written, and give the connection back."""

        def replies_of() -> list[Any]:
            with hurrying(use):
                return exchanges.read(batch, read(use.connection, batch), self._endpoint)

        replies: list[Any] = self._carried(use, batch, replies_of)
        self.end(use)
        return replies

    def _exchanged(self, connection: Any, batch: Batch) -> list[Any]:
        if type(batch) is Transaction:
            return transact(batch, lambda part: self._exchanged(connection, part))
        connection.send_packed_command(connection.pack_commands(batch))
        return exchanges.read(batch, read(connection, batch), self._endpoint)

    def _carried(self, use: Use, batch: Batch, action: Callable[[], Any]) -> Any:
        """Return what the action returns; where it fails, give the connection back and raise what the error means."""
        try:
            return action()
        except BaseException as error:
            self.end(use, clean=False)
            if not isinstance(error, Exception):
                raise
            meant = self._meant(use, error, batch)
            if isinstance(meant, ReplyTimeout):
                self._end_idle(use.driven)  # those that rested may be as dead
            if meant is error:
                raise
            raise meant from error

    def _meant(self, use: Use, error: Exception, batch: Batch) -> Exception:
        if not use.overdue:
            return exchanges.exchange_error(error, batch, self._endpoint)
        message = f"no answer within {time.monotonic() - use.since:.2g} s; the deadline has passed"
        return ReplyTimeout(message, alias=self._endpoint.alias, endpoint=self._endpoint.name, command=str(batch[0][0]))

    def _use(self, batch: Batch, until: float | None) -> Use:
        """Take a connection, once fewer are in use than the pool allows: valkey-py's own would refuse at once."""
        driven = self._driven or self._made()
        use = None if self._waiting.turns else self._place(until)
        if use is None:
            patience = exchanges.patience(driven.pool, self._endpoint)
            give_up = None if patience is None else time.monotonic() + patience
            by_deadline = until is not None and (give_up is None or until < give_up)
            use = self._waiting.wait(lambda: self._place(until), until if by_deadline else give_up)
            if use is None:
                raise exchanges.exhausted(driven.pool, self._endpoint, by_deadline=by_deadline)
        number = next(self._numbers)
        self._owed[number] = weakref.ref(use)
        try:
            use.connection = self._taken(use.driven, batch, until)
        except Exception as error:
            if isinstance(error, MemoryError | RecursionError):
                use.lost = True
                raise
            self._owed.pop(number, None)  # valkey-py has taken it back
            use.lost = True
            self._waiting.wake()
            raise
        except BaseException:
            use.lost = True
            use.driven.rest()  # interrupted while it was greeted, a connection may be back as if it were ready
            raise
        use.number = number
        use.since = self._active = time.monotonic()
        if until is not None:
            watchdog.watch(self, until)
        return use

    def _place(self, until: float | None) -> Use | None:
        """Return a use, if fewer are alive than the pool allows."""
        self._repair()  # now: a lost use leaves its place at once, and the user's pool may not know
        driven = self._driven or self._made()
        most = exchanges.bound(driven.pool, None)
        if most is not None and len(self._living) >= most:
            return None
        use = Use(driven, until)
        return use if self._living.admit(use, most) else None

    def end(self, use: Use, *, clean: bool = True) -> None:
        """Give a connection back, disconnected where its state is unknown."""
        try:
            try:
                if not clean or self._driven is not use.driven:
                    use.connection.disconnect()
            finally:
                use.driven.pool.release(use.connection)
            self._owed.pop(use.number, None)
            use.lost = True
            if self._closed:
                use.driven.rest()
        except BaseException:
            use.lost = True
            raise
        finally:
            self._waiting.wake()

    def _repair(self) -> None:
        """Replace the user's pool if a use is over and its connection was never given back."""
        for number, reference in self._owed.copy().items():
            use = reference()
            if use is None or use.lost:
                self._owed.pop(number, None)
                with suppress(Exception):  # struck while it was ended, or not there
                    use.connection.disconnect()  # type: ignore[union-attr]  # as above
                self._retire(self._driven if use is None else use.driven)

    def _retire(self, driven: Driven | None) -> None:
        """Have the next use make another pool; those under way give their connections back to the old one."""
        if driven is None or self._driven is not driven:
            return
        self._driven = None
        unlock(driven.pool)
        self._end_idle(driven)
        if self._made().pool is driven.pool and hasattr(driven.pool, "reset"):
            driven.pool.reset()  # a factory returns the same one again: it forgets what it counted

    def _end_idle(self, driven: Driven) -> None:
        """End the idle connections of a pool of valkey-py's shape, but for a caller's own."""
        if getattr(self._driver, "is_borrowed", False):
            return
        with suppress(Exception):  # a pool of another shape
            end_idle(driven.pool)

    def _made(self) -> Driven:
        """Return the pool, made once for all threads."""
        # Bounded, as an exception may have left the lock behind: the pool is then made by several at most.
        locked = self._lock.acquire(timeout=1.0)
        try:
            if self._closed:
                raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
            if self._driven is None:
                driven = exchanges.checked(self._driver.driven(self._endpoint), self._endpoint)
                if self._driven is None:  # the user's class may have come here again
                    self._driven = driven
            return self._driven
        finally:
            if locked:
                self._lock.release()

    def _taken(self, driven: Driven, batch: Batch, until: float | None) -> Any:
        try:
            return copy_context().run(connected, driven.pool, batch, until)
        except Exception as error:
            meant = exchanges.taking_error(error, driven.pool, self._endpoint)
            if meant is error:
                raise
            raise meant from error

    def look(self, now: float, /) -> float | None:
        """End the uses whose deadline has passed, as `watchdog.Watched` says."""
        again = now + _QUIET if now - self._active < _QUIET else None
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
        """Connect anew, as `protocols.Retires` says; connections in use end with their calls."""
        with self._lock:
            self._retire(self._driven)

    def release(self) -> None:
        """End the connections that nobody uses."""
        if (driven := self._driven) is not None:
            driven.rest()

    def close(self) -> None:
        """End every connection; those in use, when their calls are over."""
        self._closed = True
        driven, self._driven = self._driven, None
        if driven is not None:
            driven.rest()
        self._waiting.wake()

    def abort(self) -> None:
        """End every connection, those in use too: their callers see it lost."""
        self.close()
        for use in self._living.alive():
            interrupt(getattr(use.connection, "_sock", None))


_inherited: Final[list[object]] = []
"""What a forked child has from its parent: never closed here."""
