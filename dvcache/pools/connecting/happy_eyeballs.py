"""Connect to one of several addresses concurrently, so that an unresponsive one costs only a part of the budget.

Each address is tried a moment after the previous one, or as soon as that has failed. The first that connects is used
(Happy Eyeballs, RFC 8305).
"""

import asyncio
import errno
import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from dvcache.pools.connecting.budget import left_or_raise

Address: TypeAlias = tuple[Any, ...]
"""An element of the result of `socket.getaddrinfo`."""

Prepare: TypeAlias = Callable[[socket.socket], object]
"""Sets the options of a socket before it connects."""

STAGGER: Final = 0.25
"""Maximum seconds between two attempts: RFC 8305's Connection Attempt Delay."""

_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


def _stagger(addresses: Sequence[Address], until: float | None) -> float:
    """Return the seconds between two attempts, short enough to leave the last one its share of the budget."""
    seconds = left_or_raise(until)
    return STAGGER if seconds is None else min(STAGGER, seconds / (len(addresses) + 1))


def _made(address: Address, prepare: Prepare) -> socket.socket:
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    try:
        prepare(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def open_socket(addresses: Sequence[Address], prepare: Prepare, until: float | None) -> socket.socket:
    """Return a connected, blocking socket.

    Args:
        addresses: one or more, tried in this order.
        prepare: sets the options of each socket.
        until: deadline in `time.monotonic()` seconds; None applies only the system's limit.

    Raises:
        TimeoutError: the deadline has passed.
        OSError: no address could be connected to; the error of the last one.
    """
    if len(addresses) > 1:
        return _Race(addresses, prepare, until).winner()
    sock = _made(addresses[0], prepare)
    try:
        sock.settimeout(left_or_raise(until))
        sock.connect(addresses[0][4])
    except BaseException:
        sock.close()
        raise
    return sock


class _Race:
    """Concurrent connection attempts to several addresses."""

    def __init__(self, addresses: Sequence[Address], prepare: Prepare, until: float | None) -> None:
        self._waiting, self._prepare, self._until = list(addresses), prepare, until
        self._stagger = _stagger(addresses, until)
        self._selector = selectors.DefaultSelector()
        self._under_way: set[socket.socket] = set()
        self._error: OSError = TimeoutError()

    def winner(self) -> socket.socket:
        """Return the first socket that connects; close the others."""
        try:
            won = self._raced()
            self._under_way.discard(won)
            won.setblocking(True)
            return won
        finally:
            self._selector.close()
            for sock in self._under_way:
                sock.close()

    def _raced(self) -> socket.socket:
        due = 0.0
        while self._waiting or self._under_way:
            now = time.monotonic()
            if self._waiting and (now >= due or not self._under_way):
                due = now + self._stagger
                if (sock := self._begun(self._waiting.pop(0))) is not None:
                    return sock
                continue
            seconds = left_or_raise(self._until)
            if self._waiting:
                seconds = min(due - now, seconds or due - now)
            if (sock := self._connected(seconds)) is not None:
                return sock
        raise self._error

    def _begun(self, address: Address) -> socket.socket | None:
        """Start to connect; return the socket if it is connected at once."""
        try:
            left_or_raise(self._until)
            sock = _made(address, self._prepare)
        except TimeoutError:
            raise
        except OSError as error:
            self._error = error
            return None
        self._under_way.add(sock)
        sock.setblocking(False)
        code = sock.connect_ex(address[4])
        if code in _UNDER_WAY:
            self._selector.register(sock, selectors.EVENT_WRITE)
            return None
        return sock if self._succeeded(sock, code) else None

    def _connected(self, seconds: float | None) -> socket.socket | None:
        """Wait for one of the sockets; return it if it is connected."""
        for key, _ in self._selector.select(seconds):
            sock: Any = key.fileobj
            self._selector.unregister(sock)
            if self._succeeded(sock, sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                return sock  # type: ignore[no-any-return]  # only sockets are registered
        return None

    def _succeeded(self, sock: socket.socket, code: int) -> bool:
        if code:
            self._error = OSError(code, os.strerror(code))
            self._under_way.discard(sock)
            sock.close()
        return not code


async def aopen_socket(addresses: Sequence[Address], prepare: Prepare, until: float | None) -> socket.socket:
    """Return a connected, non-blocking socket, as `open_socket` does; the caller applies `asyncio.timeout`."""
    loop = asyncio.get_running_loop()
    if len(addresses) == 1:
        return await _attempt(loop, addresses[0], prepare)
    stagger = _stagger(addresses, until)
    waiting, attempts = list(addresses), set[asyncio.Task[socket.socket]]()
    error: BaseException = OSError("no address")
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(loop.create_task(_attempt(loop, waiting.pop(0), prepare)))
            done, _ = await asyncio.wait(
                attempts, timeout=stagger if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in done:
                attempts.discard(attempt)
                failed = attempt.exception()
                if failed is None:
                    return attempt.result()
                error = failed
        raise error
    finally:
        for attempt in attempts:
            _give_up(attempt)


async def _attempt(loop: asyncio.AbstractEventLoop, address: Address, prepare: Prepare) -> socket.socket:
    sock = _made(address, prepare)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, address[4])
    except BaseException:
        sock.close()
        raise
    return sock


def _give_up(attempt: "asyncio.Task[socket.socket]") -> None:
    """Cancel an attempt; close its socket if it has connected meanwhile."""

    def close(done: "asyncio.Task[socket.socket]") -> None:
        if not done.cancelled() and done.exception() is None:
            done.result().close()

    attempt.cancel()
    attempt.add_done_callback(close)
