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


def chosen(given: float | timedelta, endpoints: Iterable[Endpoint]) -> float:
    """Return the configured deadline in seconds.

    Args:
        given: the option DEADLINE; a number means seconds.
        endpoints: the servers of the entry.

    Raises:
        ConfigurationError: it is shorter than the socket timeout of a server.
    """
    seconds = given.total_seconds() if isinstance(given, timedelta) else float(given)
    silence = max((each.timeout for each in endpoints if each.timeout is not None), default=0.0)
    if seconds < silence:
        message = f"{seconds:g} s is shorter than SOCKET_TIMEOUT, {silence:g} s; raise it or lower SOCKET_TIMEOUT"
        raise ConfigurationError(message, key="OPTIONS['DEADLINE']")
    return seconds
