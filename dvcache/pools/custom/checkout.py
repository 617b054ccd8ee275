"""Uses of connections from pools of valkey-py's kind, in sync code."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, Final

from valkey.exceptions import ResponseError

from dvcache.errors import ReplyTimeout
from dvcache.pools.connecting.budget import connecting_until
from dvcache.pools.custom import replies as custom_replies
from dvcache.pools.custom.generations import Generation
from dvcache.types import Batch, Endpoint

_GLANCE: Final = 0.001
"""Seconds for data that has arrived already, if the timeout has passed."""


class Use:
    """A place in the pool, and the connection for one batch."""

    __slots__ = ("__weakref__", "connection", "lost", "made", "number", "overdue", "since", "until")

    made: Generation
    """The user's pool. Set once the place is taken."""

    def __init__(self, until: float | None) -> None:
        self.connection: Any = None
        self.number = -1
        self.since = time.monotonic()
        self.until = until
        self.overdue = False
        """True if the watchdog has ended the connection."""
        self.lost = False
        """True if the use is over."""


def taken(pool: Any, endpoint: Endpoint, batch: Batch, until: float | None) -> Any:
    """Take a connection from the user's pool; raise our error for one of valkey-py's."""
    try:
        return copy_context().run(_connected, pool, batch, until)
    except Exception as error:
        custom_replies.explain(custom_replies.taking_error(error, pool, endpoint), error)
        raise


def _connected(pool: Any, batch: Batch, until: float | None) -> Any:
    """Take a connection. Called in its own context, since an exception may leave the deadline set there."""
    with connecting_until(until):
        return pool.get_connection(batch[0][0])


def overdue_error(use: Use, batch: Batch, endpoint: Endpoint) -> ReplyTimeout:
    """Return the error of a use whose connection the watchdog has ended."""
    message = f"no answer within {time.monotonic() - use.since:.2g} s; the deadline has passed"
    return ReplyTimeout(message, alias=endpoint.alias, endpoint=endpoint.name, command=str(batch[0][0]))


def read(connection: Any, batch: Batch) -> list[Any]:
    """Read the replies of the batch, with error replies as values."""
    replies: list[Any] = []
    with custom_replies.parsing():
        for _ in batch:
            try:
                replies.append(connection.read_response())
            except ResponseError as error:
                replies.append(error)
    return replies


@contextmanager
def hurrying(use: Use) -> Iterator[None]:
    """Shorten the connection's timeout by the time since the write, which was spent on other servers."""
    sock: Any = getattr(use.connection, "_sock", None)
    timeout = None if sock is None else sock.gettimeout()
    if sock is None or timeout is None:
        yield
        return
    sock.settimeout(max(use.since + timeout - time.monotonic(), _GLANCE))
    yield
    sock.settimeout(timeout)  # not after an error: the connection is disconnected then
