"""The driven pool: batches on a pool of valkey-py's kind, for pool, connection and parser classes of the user's.

It asks of a pool `get_connection` and `release`, and of a connection `pack_commands`, `send_packed_command`,
`read_response` and `disconnect`. A connection whose state is unknown is disconnected before it is released.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from valkey.exceptions import ResponseError

from dvcache.errors import ClosedError
from dvcache.pools import exchanges
from dvcache.pools.connections import interrupt
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.transactions import transact
from dvcache.types import Batch, Driven, Endpoint, Transaction


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

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        if not batch:
            return []
        driven = self._driven or self._made()
        pool = driven.pool
        with self._place(pool):
            connection = self._taken(driven, batch)
            self._using.add(connection)
            try:
                replies = self._exchanged(connection, batch)
                if type(batch) is Transaction and replies[0] is not True:  # it may be in the midst of it
                    connection.disconnect()
            except BaseException as error:
                connection.disconnect()
                if isinstance(error, Exception):
                    raise exchanges.exchange_error(error, batch, self._endpoint) from error
                raise
            finally:
                self._using.discard(connection)
                pool.release(connection)
                if self._closed:
                    driven.rest()
        return replies

    def _exchanged(self, connection: Any, batch: Batch) -> list[Any]:
        if type(batch) is Transaction:
            return transact(batch, lambda part: self._exchanged(connection, part))
        return exchanges.read(batch, _exchanged(connection, batch), self._endpoint)

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

    @contextmanager
    def _place(self, pool: Any) -> Iterator[None]:
        """Wait until fewer connections are in use than the pool allows: valkey-py's own would refuse at once."""
        places = self._places
        if places is None:
            yield
            return
        if not places.acquire(timeout=exchanges.patience(pool, self._endpoint)):
            raise exchanges.exhausted(pool, self._endpoint)
        try:
            yield
        finally:
            places.release()

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


def _exchanged(connection: Any, batch: Batch) -> list[Any]:
    """Write the batch and read its replies, error replies as values."""
    connection.send_packed_command(connection.pack_commands(batch))
    replies: list[Any] = []
    for _ in batch:
        try:
            replies.append(connection.read_response())
        except ResponseError as error:
            replies.append(error)
    return replies
