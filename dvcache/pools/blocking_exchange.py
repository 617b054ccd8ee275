"""The exchange of batches on a blocking socket.

A batch takes one write and, if its replies are short, one read: two system calls, without polling. The timeout limits
silence: it restarts with each byte in either direction. The deadline limits the whole exchange.
"""

import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any, Final

from libvalkey import ProtocolError

from dvcache import errors
from dvcache.pools.connect import reader
from dvcache.pools.connecting.silence_limit import patiently
from dvcache.pools.packing import LARGEST, check_sizes, packed
from dvcache.pools.reply_shapes import KINDS, check_of
from dvcache.pools.resp3 import UNREADABLE
from dvcache.pools.resp3_parser import INCOMPLETE
from dvcache.types import Batch, Endpoint

BUFFER: Final = 65536
"""Bytes of replies that are read at once, unless the endpoint sets `socket_read_size`."""
_DONTWAIT: Final = int(socket.MSG_DONTWAIT)
_RECORD: Final = 16384
"""Bytes of one write on a socket that reports progress only when all of them are written (TLS)."""
_LARGE: Final = 262_144
"""Bytes of replies above which the parser's buffer is not kept."""

_LAST_WORDS: Final = 0.05
"""Seconds to look for an error reply that the server sent before it closed the connection."""
_SOON: Final = 16
"""Divisor of the timeout: if less than that part has passed, reading starts with the whole timeout."""
_CLOSED: Final = "the server closed the connection"

_GLANCE: Final = 0.001
"""Seconds to look for replies after the timeout."""


class BlockingExchange:
    """The socket, buffers and parser of a connection. `SyncConnection.open` sets `_sock`, `_buffer` and `_plain`."""

    __slots__ = (
        "_buffer",
        "_check",
        "_endpoint",
        "_feed",
        "_gets",
        "_has_data",
        "_is_large",
        "_plain",
        "_sock",
        "_timeout",
        "is_cooperative",
        "refusals",
        "since",
        "used",
    )

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._timeout = endpoint.timeout
        self._check = check_of(endpoint)
        self._sock: socket.socket
        self._buffer: bytearray
        self._plain: bool
        """True if the kernel applies the timeout: without TLS, and not under gevent or eventlet."""
        self.refusals: list[errors.ServerError] = []
        """Errors such as "Protocol error", after which the server reads no more and closes the connection."""
        self._is_large = False
        self.is_cooperative = False
        """True if gevent or eventlet waits for its socket, so that no other thread may touch it."""
        self.since = 0.0
        """Start of the wait for the first byte of a reply; 0 while no thread waits in the kernel."""
        self.used = 0.0
        """End of its last exchange."""

    def _listen(self) -> None:
        """Start with an empty parser."""
        replies = reader(self._endpoint, self.refusals)
        self._gets, self._feed, self._has_data = replies.gets, replies.feed, replies.has_data

    def exchange(  # noqa: C901  # each call would cost time
        self, batch: Batch, started: float, until: float | None = None
    ) -> list[Any]:
        """Write the batch and read its replies.

        Args:
            batch: the commands.
            started: the present time.
            until: the deadline; None applies only the timeout.

        Raises:
            TimeoutError, BlockingIOError: no reply within the timeout.
            OSError, EOFError, ProtocolError: the connection cannot be used again.
        """
        timeout = self._timeout
        if not self._plain or (until is not None and (timeout is None or until - started < timeout)):
            self.write(batch, until)
            return self.read(batch, started, until)
        # Inlined `write` and `read` for small batches without a tight deadline: the calls would cost 3 %.
        data = packed(batch)
        if len(data) > BUFFER:
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
        # From here on, the watchdog watches the wait: a signal would restart the kernel's timeout.
        self.since = started
        if not (received := self._sock.recv_into(self._buffer)):
            raise EOFError(_CLOSED)
        self.since = 0.0
        try:
            self._feed(self._buffer, 0, received)
            reply = self._gets()
        except TypeError as error:  # a RESP3 map whose keys are arrays
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
        """Write the data that the system did not take at once; return False if the server refuses to read it.

        Raises:
            OSError: the connection cannot be used again.
        """
        if isinstance(error, BlockingIOError):
            self._write_rest(memoryview(data), len(data), until)
            return True
        if isinstance(error, ConnectionError) and self._is_refused():
            return False
        raise error

    def write(self, batch: Batch, until: float | None = None) -> None:
        """Write the batch. It raises the errors of `exchange`."""
        data = packed(batch)
        if len(data) > LARGEST:
            check_sizes(batch)
        self._is_large = len(data) > BUFFER
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
        """Write the remaining data; wait as long as the peer takes some bytes within each timeout."""
        try:
            while data:
                send = partial(self._sock.send, data[:part])
                data = data[patiently(self._sock, send, self._timeout, until, watches_queue=self._is_large) :]
        finally:
            self._reset_timeout()

    def read(self, batch: Batch, started: float, until: float | None = None) -> list[Any]:
        """Read the replies of the batch that was written. It raises the errors of `exchange`."""
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
        """Read as `read` does, after a wait for other servers: data that has arrived, the rest within the timeout."""
        waited = time.monotonic() - started
        if self._timeout is None or waited < self._timeout / _SOON or self.refusals:
            return self.read(batch, started, until)
        first = max(self._timeout - waited, _GLANCE)
        return self._ended(self._gathered(INCOMPLETE, batch, until, first))

    def _ended(self, replies: list[Any]) -> list[Any]:
        """Return the replies of a batch; raise if more data has arrived."""
        if self._has_data():
            raise ProtocolError("more replies than commands")
        self._is_large = False
        self.used = time.monotonic()
        return replies

    def _gathered(self, reply: Any, batch: Batch, until: float | None, first: float | None = None) -> list[Any]:
        """Return the replies of a batch whose first reply is parsed or incomplete.

        Args:
            reply: the first reply, or INCOMPLETE.
            batch: the commands.
            until: the deadline.
            first: seconds for the next bytes; None applies the timeout.
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
        return self._check(batch, replies)

    def _parsed(self) -> Any:
        """Return the next reply in the received data, or INCOMPLETE."""
        try:
            return self._gets()
        except TypeError as error:  # a RESP3 map whose keys are arrays
            raise ProtocolError(UNREADABLE) from error

    def _receive(self) -> int:
        received = self._sock.recv_into(self._buffer)
        if not received:
            raise EOFError(_CLOSED)
        self._feed(self._buffer, 0, received)
        return received

    def _receive_rest(self, replies: list[Any], count: int, until: float | None, first: float | None = None) -> None:
        """Read the remaining replies; wait as long as some bytes arrive within each timeout.

        Args:
            replies: the list to extend.
            count: the total number of replies.
            until: the deadline.
            first: seconds for the first bytes; None applies the timeout.
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
            self._reset_timeout()
        # A new parser frees the buffer that large replies have grown.
        if total > _LARGE and not self._has_data():
            self._listen()

    def _is_tight(self, until: float | None, now: float) -> bool:
        """Return True if the deadline comes before the timeout."""
        return until is not None and (self._timeout is None or until - now < self._timeout)

    def _is_refused(self) -> bool:
        """Return True if the server sent an error that refuses the command before it closed the connection."""
        with suppress(OSError, EOFError, ProtocolError):
            self._sock.settimeout(_LAST_WORDS)
            while not self.refusals:
                self._receive()
                while self._gets() is not INCOMPLETE:
                    pass
        return bool(self.refusals)

    def _reset_timeout(self) -> None:
        self._sock.settimeout(None if self._plain else self._timeout)
