"""A lane: one blocking connection that one thread uses at a time.

A batch is one write and, for short replies, one read: two system calls, without a poll between them.
"""

import select
import socket
import struct
import threading
import time
from typing import Any, Final

from libvalkey import ProtocolError

from dvcache.pools.connections import INCOMPLETE, connect, connection, interrupt, located, reader
from dvcache.pools.packing import packed
from dvcache.types import Batch, Endpoint

_BUFFER: Final = 65536

_SOON: Final = 16
"""What part of the timeout may have gone by when reading begins with all of it."""
_GLANCE: Final = 0.001
"""Seconds to look for replies once the timeout is over."""


class Lane:
    """One connection, used by one thread at a time."""

    __slots__ = (
        "_buffer",
        "_connection",
        "_ending",
        "_endpoint",
        "_feed",
        "_gets",
        "_has_data",
        "_plain",
        "_sock",
        "_timeout",
        "used",
    )

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection = connection(located(endpoint))
        self._ending = threading.Lock()

    def open(self) -> None:
        """Let valkey-py connect, then take the socket over.

        Raises:
            ConnectError: the server could not be reached within the connect timeout.
            ServerError: it refused the credentials or the database.
        """
        endpoint = self._endpoint
        connect(self._connection, endpoint)
        sock = self._connection._sock  # noqa: SLF001  # the seam to valkey-py: it connects, we talk
        assert sock is not None
        self._sock: socket.socket = sock
        self._timeout = endpoint.timeout
        self._plain = endpoint.scheme != "valkeys"
        replies = reader(endpoint)
        self._gets, self._feed, self._has_data = replies.gets, replies.feed, replies.has_data
        self._buffer = bytearray(_BUFFER)
        self.used = time.monotonic()
        if self._plain and self._timeout is not None:
            # The kernel's own timeout saves the poll that settimeout() makes before each system call.
            timeval = struct.pack("@ll", int(self._timeout), int(self._timeout % 1 * 1_000_000) or 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        self._rest()

    def exchange(self, batch: Batch, started: float) -> list[Any]:
        """Write the batch and read its replies.

        Raises:
            TimeoutError, BlockingIOError: no reply within the timeout.
            OSError, EOFError, ProtocolError: the connection is of no more use.
        """
        self.write(batch)
        return self.read(batch, started)

    def write(self, batch: Batch) -> None:
        """Write the batch. Errors are those of `exchange`."""
        self._sock.sendall(packed(batch))

    def read(self, batch: Batch, started: float) -> list[Any]:
        """Read the replies of the batch that was written. Errors are those of `exchange`."""
        self._receive()
        replies: list[Any] = []
        gets = self._gets
        for _ in batch:
            if (reply := gets()) is INCOMPLETE:
                self._receive_rest(replies, len(batch), started)
                break
            replies.append(reply)
        if self._has_data():
            raise ProtocolError("more replies than commands")
        self.used = started
        return replies

    def read_late(self, batch: Batch, started: float) -> list[Any]:
        """Read as `read` after other servers were waited for: what has arrived, and the rest within the timeout."""
        if self._timeout is None or time.monotonic() - started < self._timeout / _SOON:
            return self.read(batch, started)
        replies: list[Any] = []
        self._receive_rest(replies, len(batch), started, at_least=_GLANCE)
        if self._has_data():
            raise ProtocolError("more replies than commands")
        self.used = started
        return replies

    def _receive(self) -> None:
        received = self._sock.recv_into(self._buffer)
        if not received:
            raise EOFError("the server closed the connection")
        self._feed(self._buffer, 0, received)  # type: ignore[arg-type]  # any buffer; the stub says str | bytes

    def _receive_rest(self, replies: list[Any], count: int, started: float, at_least: float = 0.0) -> None:
        """Read on after a first part, within what is left of the timeout, but at least for so many seconds."""
        try:
            while len(replies) < count:
                if self._timeout is not None:
                    left = max(started + self._timeout - time.monotonic(), at_least)
                    if left <= 0:
                        raise TimeoutError
                    self._sock.settimeout(left)
                self._receive()
                while len(replies) < count and (reply := self._gets()) is not INCOMPLETE:
                    replies.append(reply)
        finally:
            self._rest()

    def _rest(self) -> None:
        self._sock.settimeout(None if self._plain else self._timeout)

    def is_dead(self) -> bool:
        """Say whether a resting lane has ended, or holds what nobody asked for."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def interrupt(self) -> None:
        """End the connection under the thread that uses it, which finds it closed. Called from another thread."""
        with self._ending:
            interrupt(self._connection._sock)  # noqa: SLF001  # as above

    def drop(self) -> None:
        """End the connection."""
        with self._ending:  # or an interruption could hit what has the descriptor next
            self._connection.disconnect()
