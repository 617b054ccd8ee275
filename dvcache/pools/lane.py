"""A lane: one blocking connection that one thread uses at a time.

A batch is one write and, for short replies, one read: two system calls, without a poll between them. The timeout is a
limit for silence: it begins anew with each byte in either direction. The deadline bounds the whole.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any, Final

from libvalkey import ProtocolError

from dvcache import errors
from dvcache.pools.connections import connect, connection, interrupt, located, reader
from dvcache.pools.health import PING, interval
from dvcache.pools.packing import LARGEST, check_sizes, packed
from dvcache.pools.pushes import INCOMPLETE
from dvcache.pools.readiness import is_readable
from dvcache.pools.shapes import KINDS, UNREADABLE, check, speaks_resp3
from dvcache.pools.silence import limit_in_kernel, patiently
from dvcache.types import Batch, Endpoint

_BUFFER: Final = 65536
_DONTWAIT: Final = int(socket.MSG_DONTWAIT)
_RECORD: Final = 16384
"""Bytes of one write where the socket reports nothing before all of them are written (TLS)."""
_LARGE: Final = 262_144
"""Bytes of replies past which the parser's buffer is not kept."""

_LAST_WORDS: Final = 0.05
"""Seconds to look for what the server said before it closed the connection."""
_PONG: Final = 1.0
"""Seconds for the answer to PING, at most."""
_SOON: Final = 16
"""What part of the timeout may have gone by when reading begins with all of it."""
_CLOSED: Final = "the server closed the connection"

_GLANCE: Final = 0.001
"""Seconds to look for replies once the timeout is over."""


class Lane:
    """One connection, used by one thread at a time."""

    __slots__ = (
        "__weakref__",
        "_buffer",
        "_checked_after",
        "_connection",
        "_ending",
        "_endpoint",
        "_feed",
        "_gets",
        "_has_data",
        "_is_large",
        "_plain",
        "_resp3",
        "_sock",
        "_timeout",
        "is_cooperative",
        "lost",
        "overdue",
        "refusals",
        "retired",
        "silent",
        "since",
        "used",
    )

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._timeout = endpoint.timeout
        self._resp3 = speaks_resp3(endpoint)
        self._connection: Any = None
        self._ending = threading.RLock()
        self.refusals: list[errors.ServerError] = []
        """The server's "Protocol error", after which it reads no more and ends the connection."""
        self._is_large = False
        self.is_cooperative = False
        """Whether gevent or eventlet waits for its socket: another thread must not touch it."""
        self.lost = False
        """Whether it is of no more use: it must not carry another batch."""
        self.retired = False
        """Whether it must not carry another batch, as the server's name may lead to another one by now."""
        self.since = 0.0
        """When the wait for the first byte of a reply began; 0 while nothing is waited for in the kernel."""
        self.overdue = 0.0
        """The `since` of the wait that the watchdog ended."""
        self.used = 0.0
        """When its last exchange ended."""
        self.silent = False
        """Whether it did not answer PING (`health_check_interval`)."""
        self._checked_after = interval(endpoint)

    def open(self, until: float | None = None) -> None:
        """Let valkey-py connect, then take the socket over.

        Args:
            until: the deadline.

        Raises:
            ConnectError: the server could not be reached within the connect timeout, or by the deadline.
            ServerError: it refused the credentials or the database.
        """
        endpoint = self._endpoint
        self._connection = connection(located(endpoint, until))
        connect(self._connection, endpoint, until)
        sock = self._connection._sock  # noqa: SLF001  # the seam to valkey-py: it connects, we talk
        assert sock is not None
        self._sock: socket.socket = sock
        self._listen()
        size: Any = endpoint.options.get("socket_read_size")
        self._buffer = bytearray(size or _BUFFER)
        sock.settimeout(None)
        # Sockets of gevent and eventlet never block the thread: the kernel's timeout has no effect there.
        self.is_cooperative = not os.get_blocking(sock.fileno())
        self._plain = endpoint.scheme != "valkeys" and not self.is_cooperative
        self.used = time.monotonic()
        if self._plain and self._timeout is not None:
            limit_in_kernel(sock, self._timeout)
        self._rest()

    def _listen(self) -> None:
        """Begin with an empty parser."""
        replies = reader(self._endpoint, self.refusals)
        self._gets, self._feed, self._has_data = replies.gets, replies.feed, replies.has_data

    def exchange(  # noqa: C901  # calls would cost
        self, batch: Batch, started: float, until: float | None = None
    ) -> list[Any]:
        """Write the batch and read its replies.

        Args:
            batch: the commands.
            started: the present time.
            until: when the exchange must have ended; None leaves it to the timeout.

        Raises:
            TimeoutError, BlockingIOError: no reply within the timeout.
            OSError, EOFError, ProtocolError: the connection is of no more use.
        """
        timeout = self._timeout
        if not self._plain or (until is not None and (timeout is None or until - started < timeout)):
            self.write(batch, until)
            return self.read(batch, started, until)
        # The steps of write and read for what is small and in time: the calls would cost 3 %.
        data = packed(batch)
        if len(data) > _BUFFER:
            self.write(batch, until)
            return self.read(batch, started, until)
        try:
            written = self._sock.send(data, _DONTWAIT)
        except OSError as error:
            if not self._went_on(error, data, until):
                return [self.refusals[0]] * len(batch)
        else:
            if written < len(data):
                self._write_rest(memoryview(data)[written:], len(data), until)
        self.since = started
        if not (received := self._sock.recv_into(self._buffer)):
            raise EOFError(_CLOSED)
        self.since = 0.0
        try:
            self._feed(self._buffer, 0, received)
            reply = self._gets()
        except TypeError as error:  # a map whose keys are arrays
            raise ProtocolError(UNREADABLE) from error
        kinds = KINDS.get(batch[0][0])
        if len(batch) == 1 and kinds is not None and type(reply) in kinds:
            replies = [reply]
        else:
            replies = self._gathered(reply, batch, until)
        if self._has_data():
            raise ProtocolError("more replies than commands")
        self.used = time.monotonic()
        return replies

    def _went_on(self, error: OSError, data: bytes, until: float | None) -> bool:
        """Write data that the system did not take at once; return False if the server will not read it.

        Raises:
            OSError: the connection is of no more use.
        """
        if isinstance(error, BlockingIOError):
            self._write_rest(memoryview(data), len(data), until)
            return True
        if isinstance(error, ConnectionError) and self._is_refused():
            return False
        raise error

    def write(self, batch: Batch, until: float | None = None) -> None:
        """Write the batch. Errors are those of `exchange`."""
        data = packed(batch)
        if len(data) > LARGEST:
            check_sizes(batch)
        self._is_large = len(data) > _BUFFER
        try:
            if self._plain:
                try:
                    written = self._sock.send(data, _DONTWAIT)
                except BlockingIOError:
                    written = 0
                if written < len(data):
                    self._write_rest(memoryview(data)[written:], len(data), until)
            elif len(data) <= _RECORD and not self._is_tight(until, time.monotonic()):
                self._sock.sendall(data)
            else:
                self._write_rest(memoryview(data), len(data) if self.is_cooperative else _RECORD, until)
        except ConnectionError:
            if not self._is_refused():
                raise

    def _write_rest(self, data: memoryview, part: int, until: float | None) -> None:
        """Write on, waiting for as long as the peer takes some bytes within the timeout."""
        try:
            while data:
                send = partial(self._sock.send, data[:part])
                data = data[patiently(self._sock, send, self._timeout, until, watches_queue=self._is_large) :]
        finally:
            self._rest()

    def read(self, batch: Batch, started: float, until: float | None = None) -> list[Any]:
        """Read the replies of the batch that was written. Errors are those of `exchange`."""
        if self.refusals:
            return [self.refusals[0]] * len(batch)
        reply: Any = INCOMPLETE
        if not (self._is_large or self._is_tight(until, started)):
            self.since = started
            self._receive()
            self.since = 0.0
            reply = self._parsed()
        return self._ended(self._gathered(reply, batch, until))

    def read_late(self, batch: Batch, started: float, until: float | None = None) -> list[Any]:
        """Read as `read` after other servers were waited for: what has arrived, and the rest within the timeout."""
        waited = time.monotonic() - started
        if self._timeout is None or waited < self._timeout / _SOON or self.refusals:
            return self.read(batch, started, until)
        first = max(self._timeout - waited, _GLANCE)
        return self._ended(self._gathered(INCOMPLETE, batch, until, first))

    def _ended(self, replies: list[Any]) -> list[Any]:
        """Return the replies of a batch, which must be all that has come."""
        if self._has_data():
            raise ProtocolError("more replies than commands")
        self._is_large = False
        self.used = time.monotonic()
        return replies

    def _gathered(self, reply: Any, batch: Batch, until: float | None, first: float | None = None) -> list[Any]:
        """Return the replies of a batch of which the first was parsed, or is incomplete.

        Args:
            reply: the first one.
            batch: the commands.
            until: when the reading must have ended.
            first: seconds for the next bytes; None gives them the timeout.
        """
        replies: list[Any] = []
        while reply is not INCOMPLETE:
            replies.append(reply)
            if len(replies) == len(batch):
                break
            reply = self._parsed()
        else:
            try:
                self._receive_rest(replies, len(batch), until, first)
            except TypeError as error:  # as in _parsed
                raise ProtocolError(UNREADABLE) from error
        check(batch, replies, resp3=self._resp3)
        return replies

    def _parsed(self) -> Any:
        """Return the next reply of what was received, or INCOMPLETE."""
        try:
            return self._gets()
        except TypeError as error:  # a map whose keys are arrays
            raise ProtocolError(UNREADABLE) from error

    def _receive(self) -> int:
        received = self._sock.recv_into(self._buffer)
        if not received:
            raise EOFError(_CLOSED)
        self._feed(self._buffer, 0, received)
        return received

    def _receive_rest(self, replies: list[Any], count: int, until: float | None, first: float | None = None) -> None:
        """Read on, waiting for as long as some bytes come within the timeout.

        Args:
            replies: where the replies go.
            count: how many there are in the end.
            until: when the reading must have ended.
            first: seconds for the first bytes; None gives them the timeout.
        """
        total = 0
        try:
            while len(replies) < count:
                limit = self._timeout if first is None else first
                total += patiently(self._sock, self._receive, limit, until, watches_queue=self._is_large)
                first = None
                while len(replies) < count and (reply := self._gets()) is not INCOMPLETE:
                    replies.append(reply)
        except (EOFError, ConnectionError):
            if not self.refusals:
                raise
            replies += [self.refusals[0]] * (count - len(replies))
        finally:
            self._rest()
        if total > _LARGE and not self._has_data():
            self._listen()

    def _is_tight(self, until: float | None, now: float) -> bool:
        """Return True if the deadline comes before the timeout."""
        return until is not None and (self._timeout is None or until - now < self._timeout)

    def _is_refused(self) -> bool:
        """Return True if the server has said before it closed the connection that it will not read the command."""
        with suppress(OSError, EOFError, ProtocolError):
            self._sock.settimeout(_LAST_WORDS)
            while not self.refusals:
                self._receive()
                while self._gets() is not INCOMPLETE:
                    pass
        return bool(self.refusals)

    def _rest(self) -> None:
        self._sock.settimeout(None if self._plain else self._timeout)

    def is_dead(self) -> bool:
        """Return True if a resting lane has ended, or holds what nobody asked for."""
        try:
            if is_readable(self._sock, cooperative=self.is_cooperative):
                return True
        finally:
            if self.is_cooperative:
                self._rest()
        checked = self._checked_after
        self.silent = bool(checked) and time.monotonic() - self.used > checked and not self._answers()
        return self.silent

    def _answers(self) -> bool:
        """Return True if the server answers PING, or refuses it, in time."""
        try:
            self.exchange(PING, now := time.monotonic(), now + _PONG)
        except (OSError, EOFError, ProtocolError):
            return False
        return True

    @property
    def descriptor(self) -> int:
        """The descriptor of its socket; -1 after it was dropped."""
        return self._sock.fileno()

    def interrupt(self) -> None:
        """End the connection under the thread that uses it, which finds it closed. Called from another thread."""
        with self._ending:
            interrupt(getattr(self._connection, "_sock", None))

    def drop(self) -> None:
        """End the connection."""
        with self._ending:  # or an interruption could hit what has the descriptor next
            if self._connection is not None:
                self._connection.disconnect()
