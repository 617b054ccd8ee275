"""A blocking connection, used by one thread at a time: how it opens and ends."""

import os
import threading
import time
from typing import Any, Final

from libvalkey import ProtocolError

from dvcache.pools.blocking_exchange import BUFFER, BlockingExchange
from dvcache.pools.connect import connect, connection, interrupt, located
from dvcache.pools.connecting.silence_limit import limit_in_kernel
from dvcache.pools.health_check import PING, interval
from dvcache.pools.socket_state import is_readable
from dvcache.types import Endpoint

_PONG: Final = 1.0
"""Maximum seconds for the reply to PING."""


class SyncConnection(BlockingExchange):
    """One blocking connection, used by one thread at a time."""

    __slots__ = ("__weakref__", "_checked_after", "_connection", "_ending", "lost", "overdue", "retired", "silent")

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._connection: Any = None
        self._ending = threading.RLock()
        self.lost = False
        """True if it must not be used again."""
        self.retired = False
        """True if it must not be used again because the server's name may resolve to another one now."""
        self.overdue = 0.0
        """Value of `since` of the wait that the watchdog ended."""
        self.silent = False
        """True if PING was not answered (`health_check_interval`)."""
        self._checked_after = interval(endpoint)

    def open(self, until: float | None = None) -> None:
        """Connect by valkey-py, then take over the socket.

        Args:
            until: the deadline.

        Raises:
            ConnectError: the server could not be reached within the connect timeout, or by the deadline.
            ServerError: the server refused the credentials or the database.
        """
        endpoint = self._endpoint
        self._connection = connection(located(endpoint, until))
        connect(self._connection, endpoint, until)
        sock = self._connection._sock  # noqa: SLF001  # valkey-py connects; commands are exchanged here
        assert sock is not None
        self._sock = sock
        self._listen()
        size: Any = endpoint.options.get("socket_read_size")
        self._buffer = bytearray(size or BUFFER)
        sock.settimeout(None)
        # A socket of gevent or eventlet is non-blocking in the kernel: a kernel timeout has no effect on it.
        self.is_cooperative = not os.get_blocking(sock.fileno())
        self._plain = endpoint.scheme != "valkeys" and not self.is_cooperative
        self.used = time.monotonic()
        if self._plain and self._timeout is not None:
            limit_in_kernel(sock, self._timeout)
        self._reset_timeout()

    def is_dead(self) -> bool:
        """Return True if an idle connection has ended or holds unexpected data."""
        try:
            if is_readable(self._sock, cooperative=self.is_cooperative):
                return True
        finally:
            if self.is_cooperative:
                self._reset_timeout()
        checked = self._checked_after
        self.silent = bool(checked) and time.monotonic() - self.used > checked and not self._answers()
        return self.silent

    def _answers(self) -> bool:
        """Return True if the server replies to PING in time, even by an error."""
        try:
            self.exchange(PING, now := time.monotonic(), now + _PONG)
        except (OSError, EOFError, ProtocolError):
            return False
        return True

    @property
    def descriptor(self) -> int:
        """File descriptor of its socket; -1 after `drop`."""
        return self._sock.fileno()

    def interrupt(self) -> None:
        """Shut the connection down while another thread uses it; that thread sees it closed."""
        with self._ending:
            interrupt(getattr(self._connection, "_sock", None))

    def drop(self) -> None:
        """Close the connection."""
        with self._ending:  # an interruption must not hit the next socket with the same descriptor
            if self._connection is not None:
                self._connection.disconnect()
