"""Deadline of a batch of commands, from waiting for a connection to the last reply."""

from collections.abc import Iterable
from datetime import timedelta

from dvcache.errors import ConfigurationError
from dvcache.types import Endpoint


def default(endpoints: Iterable[Endpoint]) -> float | None:
    """Return twice the longest timeout of the servers, in seconds; None if any timeout is None."""
    limits = [limit for each in endpoints for limit in (each.timeout, each.connect_timeout)]
    bounded = [limit for limit in limits if limit is not None]
    return 2.0 * max(bounded) if bounded and len(bounded) == len(limits) else None


def seconds(given: float | timedelta) -> float:
    """Return a configured deadline in seconds."""
    return given.total_seconds() if isinstance(given, timedelta) else float(given)


def shorter(limit: float, timeouts: Iterable[float | None]) -> list[ConfigurationError]:
    """Return a fault if a deadline is shorter than the socket timeout of a server.

    Args:
        limit: the deadline, in seconds.
        timeouts: the socket timeouts of the servers, in seconds.
    """
    silence = max((each for each in timeouts if each is not None), default=0.0)
    if limit >= silence:
        return []
    message = f"{limit:g} s is shorter than SOCKET_TIMEOUT, {silence:g} s; raise it or lower SOCKET_TIMEOUT"
    return [ConfigurationError(message, key="OPTIONS['DEADLINE']")]
