"""Limit the silence on a blocking socket: the timeout restarts with each byte in either direction."""

import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_SLICE: Final = 0.025
"""Seconds between checks of the send queue during a large write."""


def limit_in_kernel(sock: socket.socket, seconds: float) -> None:
    """Limit each read in the kernel, which saves the poll that `settimeout` makes before each system call."""
    timeval = struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000) or 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)


def patiently(
    sock: socket.socket, action: Callable[[], int], limit: float | None, until: float | None, *, watches_queue: bool
) -> int:
    """Send or receive once; wait until no byte has moved within the limit or the deadline has passed.

    Args:
        sock: the socket; its timeout is changed.
        action: sends or receives, and returns the number of bytes.
        limit: seconds of silence; None for no limit.
        until: the deadline; None for no deadline.
        watches_queue: True if earlier writes may still be in the send queue. While the peer reads, the socket need
            not become writable, but its queue shrinks.

    Raises:
        TimeoutError: the limit or the deadline has passed.
    """
    moved, queued = time.monotonic(), _queued(sock) if watches_queue else 0
    while True:
        now = time.monotonic()
        left = None if limit is None else moved + limit - now
        if until is not None:
            left = until - now if left is None else min(left, until - now)
        if left is not None and left <= 0:
            raise TimeoutError
        sock.settimeout(left if not queued else _SLICE if left is None else min(left, _SLICE))
        try:
            return action()
        except TimeoutError as error:
            if not queued or error.errno is not None:
                raise
            before, queued = queued, _queued(sock)
            if queued < before:
                moved = time.monotonic()


def _queued(sock: socket.socket) -> int:
    """Return the bytes written but not acknowledged by the peer; 0 if the system does not report them."""
    with suppress(OSError):
        [count] = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(count)
    return 0
