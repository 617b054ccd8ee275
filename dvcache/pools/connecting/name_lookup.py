"""Name resolution with a deadline: `getaddrinfo` has none and cannot be interrupted.

Concurrent callers share one look-up per name, so an unresponsive name server blocks one thread per name, however many
callers try.
"""

import ipaddress
import socket
import time
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, TypeAlias

from dvcache.pools.connecting.daemon_threads import awaited, awaited_until, in_thread
from dvcache.process.fork import renewed_after_fork

Resolved: TypeAlias = list[tuple[Any, ...]]
"""Result of `socket.getaddrinfo`."""

_Query: TypeAlias = tuple[str, int, int]

GIVEN_UP_AFTER: Final = 30.0
"""Seconds after which a running look-up is no longer shared, and the next caller starts another one."""


class _LookUps:
    """The running look-ups of this process.

    There is no lock: of two look-ups that start at the same moment, the later one is shared from then on.
    """

    def __init__(self) -> None:
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget the look-ups: their threads do not exist in a forked child."""
        self._running: dict[_Query, tuple[Future[Resolved], float]] = {}

    def future(self, query: _Query) -> "Future[Resolved]":
        """Return the running look-up of a name, or start one."""
        now = time.monotonic()
        found = self._running.get(query)
        if found is not None and now - found[1] < GIVEN_UP_AFTER and not found[0].done():
            return found[0]
        future = in_thread(partial(_look_up, *query), "getaddrinfo")
        self._running[query] = future, now
        future.add_done_callback(partial(self._forget, query))
        return future

    def _forget(self, query: _Query, future: "Future[Resolved]") -> None:
        if (running := self._running.get(query)) is not None and running[0] is future:
            self._running.pop(query, None)


def _look_up(host: str, port: int, family: int) -> Resolved:
    try:
        found: Resolved = list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
    except ValueError:  # a label that is too long, for example
        raise socket.gaierror(socket.EAI_NONAME, "it is not a valid host name") from None
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
    return found


def resolve(host: str, port: int, family: int, until: float | None) -> Resolved:
    """Return the addresses of a host.

    Args:
        host: a name or an address.
        port: the port.
        family: an address family; 0 for any.
        until: deadline in `time.monotonic()` seconds; None for no limit.

    Raises:
        TimeoutError: the deadline has passed.
        OSError: the host has no address.
    """
    if until is None or _is_address(host):
        return _look_up(host, port, family)
    return awaited_until(_lookups.future((host, port, family)), until)


async def aresolve(host: str, port: int, family: int) -> Resolved:
    """Return the addresses of a host, as `resolve` does. Cancelling a caller leaves a shared look-up running."""
    if _is_address(host):
        return _look_up(host, port, family)
    return await awaited(_lookups.future((host, port, family)))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


_lookups: Final = _LookUps()
