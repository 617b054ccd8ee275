"""Sockets to one of several addresses, tried side by side, so that one without an answer costs a part of the budget.

Each address is tried a moment after the one before, or as soon as that has failed; the first that connects is taken
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

from dvcache.pools.budgets import left

Address: TypeAlias = tuple[Any, ...]
"""As `socket.getaddrinfo` returns one."""

Prepare: TypeAlias = Callable[[socket.socket], object]
"""Sets the options of a socket that is not connected yet."""

STAGGER: Final = 0.25
"""Seconds between two addresses, at most: RFC 8305's Connection Attempt Delay."""

_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


def _stagger(addresses: Sequence[Address], until: float | None) -> float:
    """Return the seconds between two addresses, so that the last one has its share of the budget too."""
    seconds = left(until)
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
        addresses: tried in this order; there is one at least.
        prepare: sets the options of each socket.
        until: `time.monotonic()` by which it must be connected; None waits as long as the system does.

    Raises:
        TimeoutError: none answers by then.
        OSError: none can be connected to; the error of the last one.
    """
    if len(addresses) > 1:
        return _Race(addresses, prepare, until).winner()
    sock = _made(addresses[0], prepare)
    try:
        sock.settimeout(left(until))
        sock.connect(addresses[0][4])
    except BaseException:
        sock.close()
        raise
    return sock


class _Race:
    """Connection attempts to several addresses at once."""

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
            seconds = left(self._until)
            if self._waiting:
                seconds = min(due - now, seconds or due - now)
            if (sock := self._connected(seconds)) is not None:
                return sock
        raise self._error

    def _begun(self, address: Address) -> socket.socket | None:
        """Begin to connect; return the socket if that is done at once."""
        try:
            left(self._until)
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
                return sock  # type: ignore[no-any-return]  # what was registered
        return None

    def _succeeded(self, sock: socket.socket, code: int) -> bool:
        if code:
            self._error = OSError(code, os.strerror(code))
            self._under_way.discard(sock)
            sock.close()
        return not code


async def aopen_socket(addresses: Sequence[Address], prepare: Prepare, until: float | None) -> socket.socket:
    """Return a connected, non-blocking socket, as `open_socket`; the caller bounds it by `asyncio.timeout`."""
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
    """End an attempt; one that has connected meanwhile is closed."""

    def close(done: "asyncio.Task[socket.socket]") -> None:
        if not done.cancelled() and done.exception() is None:
            done.result().close()

    attempt.cancel()
    attempt.add_done_callback(close)
