"""The driven pool: batches on a pool of valkey-py's kind, for pool, connection and parser classes of the user's.

It asks of a pool `get_connection` and `release`, and of a connection `pack_commands`, `send_packed_command`,
`read_response` and `disconnect`. A connection whose state is unknown is disconnected before it is released.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from valkey.exceptions import ResponseError

from dvcache.errors import ClosedError
from dvcache.pools import exchanges
from dvcache.pools.connections import interrupt
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.transactions import transact
from dvcache.types import Batch, Driven, Endpoint, Transaction

_GLANCE: Final = 0.001
"""Seconds for what has arrived already, where the timeout is over."""


@dataclass(frozen=True, slots=True)
class Use:
    """A connection that carries a batch, and where it goes back to."""

    connection: Any
    driven: Driven
    places: threading.Semaphore | None
    since: float


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

    Args:
        endpoint: where to; its driver makes the pool.
    """

    __slots__ = ("__weakref__", "_closed", "_driven", "_driver", "_endpoint", "_lock", "_places", "_using")

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
        self._lock = threading.Lock()
        self._driven = None
        self._places: threading.Semaphore | None = None
        self._using: set[Any] = set()

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if not batch:
            return []
        use = self._use(batch)
        try:
            replies = self._exchanged(use.connection, batch)
        except BaseException as error:  # noqa: BLE001  # _failed raises it, or what it means
            self._failed(use, error, batch)
        self.end(use, clean=type(batch) is not Transaction or replies[0] is True)  # else it may be in the midst of it
        return replies

    def begin(self, batch: Batch, until: float | None = None, /) -> Written:
        """Write the batch, as `protocols.Begins` says."""
        use = self._use(batch)
        try:
            use.connection.send_packed_command(use.connection.pack_commands(batch))
        except BaseException as error:  # noqa: BLE001  # as above
            self._failed(use, error, batch)
        return Written(self, use, batch)

    def finish(self, use: Use, batch: Batch) -> Sequence[Any]:
        """Read the replies of the batch that was written, and give the connection back."""
        try:
            with _hurrying(use):
                replies = exchanges.read(batch, _read(use.connection, batch), self._endpoint)
        except BaseException as error:  # noqa: BLE001  # as above
            self._failed(use, error, batch)
        self.end(use)
        return replies

    def _exchanged(self, connection: Any, batch: Batch) -> list[Any]:
        if type(batch) is Transaction:
            return transact(batch, lambda part: self._exchanged(connection, part))
        connection.send_packed_command(connection.pack_commands(batch))
        return exchanges.read(batch, _read(connection, batch), self._endpoint)

    def _use(self, batch: Batch) -> Use:
        """Take a connection, once fewer are in use than the pool allows: valkey-py's own would refuse at once."""
        driven = self._driven or self._made()
        places = self._places
        if places is not None and not places.acquire(timeout=exchanges.patience(driven.pool, self._endpoint)):
            raise exchanges.exhausted(driven.pool, self._endpoint)
        try:
            connection = self._taken(driven, batch)
        except BaseException:
            if places is not None:
                places.release()
            raise
        self._using.add(connection)
        return Use(connection, driven, places, time.monotonic())

    def _failed(self, use: Use, error: BaseException, batch: Batch) -> NoReturn:
        """Give the connection back, and raise what the error means to the caller."""
        self.end(use, clean=False)
        if isinstance(error, Exception):
            raise exchanges.exchange_error(error, batch, self._endpoint) from error
        raise error

    def end(self, use: Use, *, clean: bool = True) -> None:
        """Give a connection back, disconnected where its state is unknown."""
        try:
            if not clean:
                use.connection.disconnect()
        finally:
            self._using.discard(use.connection)
            try:
                use.driven.pool.release(use.connection)
                if self._closed:
                    use.driven.rest()
            finally:
                if use.places is not None:
                    use.places.release()

    def _made(self) -> Driven:
        """Return the pool, made once for all threads."""
        with self._lock:
            if self._closed:
                raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
            if self._driven is None:
                driven = exchanges.checked(self._driver.driven(self._endpoint), self._endpoint)
                most = exchanges.bound(driven.pool, None)
                self._places = None if most is None else threading.Semaphore(most)
                self._driven = driven
            return self._driven

    def _taken(self, driven: Driven, batch: Batch) -> Any:
        try:
            return driven.pool.get_connection(batch[0][0])
        except Exception as error:
            raise exchanges.taking_error(error, driven.pool, self._endpoint) from error
        except BaseException:
            driven.rest()  # interrupted while it was greeted, a connection may be back in its pool as if it were ready
            raise

    def release(self) -> None:
        """End the connections that nobody uses."""
        if (driven := self._driven) is not None:
            driven.rest()

    def close(self) -> None:
        """End every connection; those in use, when their calls are over."""
        with self._lock:
            self._closed = True
            driven, self._driven = self._driven, None
        if driven is not None:
            driven.rest()

    def abort(self) -> None:
        """End every connection, those in use too: their callers see it lost."""
        self.close()
        for connection in list(self._using):
            interrupt(getattr(connection, "_sock", None))


_inherited: Final[list[object]] = []
"""What a forked child has from its parent: never closed here."""


def _read(connection: Any, batch: Batch) -> list[Any]:
    """Read the replies of the batch, error replies as values."""
    replies: list[Any] = []
    with exchanges.parsing():
        for _ in batch:
            try:
                replies.append(connection.read_response())
            except ResponseError as error:
                replies.append(error)
    return replies


@contextmanager
def _hurrying(use: Use) -> Iterator[None]:
    """Wait for what is left of the connection's timeout only, as other servers were waited for meanwhile."""
    sock: Any = getattr(use.connection, "_sock", None)
    timeout = None if sock is None else sock.gettimeout()
    if timeout is None:
        yield
        return
    sock.settimeout(max(use.since + timeout - time.monotonic(), _GLANCE))
    yield
    sock.settimeout(timeout)  # after an error it is disconnected
