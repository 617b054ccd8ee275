"""Map the errors of an exchange on a blocking connection to ours."""

import errno
import time

from libvalkey import ProtocolError

from dvcache import errors
from dvcache.errors import ConnectionLost, PoolExhausted, ReplyTimeout, TransportError
from dvcache.pools.sync_connection import SyncConnection
from dvcache.types import Batch, Endpoint


def exchange_error(  # noqa: PLR0917  # only the pool calls it
    connection: SyncConnection,
    error: BaseException,
    batch: Batch,
    endpoint: Endpoint,
    started: float,
    until: float | None,
) -> TransportError | None:
    """Return our error for an exchange's error; None if that error is raised unchanged.

    Args:
        connection: the connection, which has ended.
        error: the error of the exchange.
        batch: the commands.
        endpoint: the server.
        started: start of the exchange.
        until: its deadline.
    """
    where = {"alias": endpoint.alias, "endpoint": endpoint.name, "command": str(batch[0][0])}
    if _is_timeout(error) or (connection.overdue and connection.overdue == connection.since):
        return ReplyTimeout(f"no answer within {_waited(endpoint.timeout, started, until)}", **where)
    if isinstance(error, ProtocolError):
        return errors.ProtocolError(f"connection lost: protocol error: {error}", **where)
    if isinstance(error, OSError | EOFError):
        return ConnectionLost(f"connection lost: {error}", **where)
    return None


def exhausted(endpoint: Endpoint, patience: float | None, started: float, until: float | None) -> PoolExhausted:
    """Return the error of a caller that got no connection in time."""
    waited = _waited(patience, started, until)
    return PoolExhausted(
        f"all {endpoint.max_connections} connections were busy for {waited}; raise max_connections",
        alias=endpoint.alias,
        endpoint=endpoint.name,
    )


def _waited(limit: float | None, started: float, until: float | None) -> str:
    """Describe how long a caller waited, and whether the deadline ended the wait."""
    now = time.monotonic()
    if until is not None and (limit is None or now >= until):
        return f"{now - started:.2g} s; the deadline has passed"
    return f"{limit:g} s"


def _is_timeout(error: BaseException) -> bool:
    """Return True for our own timeout; False for TCP's (ETIMEDOUT), which means that the connection is lost."""
    return isinstance(error, TimeoutError | BlockingIOError) and error.errno != errno.ETIMEDOUT
