"""Ends of an exchange on a blocking connection: what its errors mean to the caller."""

import errno
import time

from libvalkey import ProtocolError

from dvcache import errors
from dvcache.errors import ConnectionLost, PoolExhausted, ReplyTimeout, TransportError
from dvcache.pools.lane import Lane
from dvcache.types import Batch, Endpoint


def exchange_error(  # noqa: PLR0917  # the pool alone calls it
    lane: Lane, error: BaseException, batch: Batch, endpoint: Endpoint, started: float, until: float | None
) -> TransportError | None:
    """Return what an exchange's error means to the caller; None for the error itself.

    Args:
        lane: the connection, which has ended.
        error: what the exchange raised.
        batch: the commands.
        endpoint: the server.
        started: when the exchange began.
        until: its deadline.
    """
    where = {"alias": endpoint.alias, "endpoint": endpoint.name, "command": str(batch[0][0])}
    if _is_timeout(error) or (lane.overdue and lane.overdue == lane.since):
        return ReplyTimeout(f"no answer within {_waited(endpoint.timeout, started, until)}", **where)
    if isinstance(error, ProtocolError):
        return errors.ProtocolError(f"connection lost: protocol error: {error}", **where)
    if isinstance(error, OSError | EOFError):
        return ConnectionLost(f"connection lost: {error}", **where)
    return None


def exhausted(endpoint: Endpoint, patience: float | None, started: float, until: float | None) -> PoolExhausted:
    """Return the error of a caller that waited for a connection in vain."""
    waited = _waited(patience, started, until)
    return PoolExhausted(
        f"all {endpoint.max_connections} connections were busy for {waited}; raise max_connections",
        alias=endpoint.alias,
        endpoint=endpoint.name,
    )


def _waited(limit: float | None, started: float, until: float | None) -> str:
    """Return for how long a caller waited, and whether it was the deadline that ended the wait."""
    now = time.monotonic()
    if until is not None and (limit is None or now >= until):
        return f"{now - started:.2g} s; the deadline has passed"
    return f"{limit:g} s"


def _is_timeout(error: BaseException) -> bool:
    """Return True for the end of a wait of ours, False for that of TCP: a connection that does not answer is lost."""
    return isinstance(error, TimeoutError | BlockingIOError) and error.errno != errno.ETIMEDOUT
