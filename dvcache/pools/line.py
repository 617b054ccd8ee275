"""A line: one connection of an event loop, shared by all its tasks.

Batches written in one tick of the loop leave in one write; their replies resolve futures in order. A cancelled
caller's replies are read and dropped, so that nobody else's place moves.
"""

import asyncio
import copy
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any, Final

from libvalkey import ProtocolError
from typing_extensions import override

from dvcache import errors
from dvcache.errors import ConnectionLost, ReplyTimeout, TransportError
from dvcache.pools.connections import aconnect, async_connection, located, reader
from dvcache.pools.packing import packed
from dvcache.pools.pushes import INCOMPLETE
from dvcache.pools.shapes import KINDS, UNREADABLE, check, speaks_resp3
from dvcache.types import Batch, Endpoint

IN_FLIGHT: Final = 16 * 1024 * 1024
"""Bytes of commands without a reply past which callers wait; TLS transports never call `pause_writing`."""


class Line(asyncio.Protocol):
    """One multiplexed connection. Every method belongs to the loop that opened it."""

    __slots__ = (
        "_endpoint",
        "_feed",
        "_gets",
        "_in_flight",
        "_loop",
        "_out",
        "_partial",
        "_pending",
        "_resp3",
        "_room",
        "_timer",
        "_transport",
        "_writer",
        "keeper",
        "lost",
    )

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        self._endpoint, self._loop = endpoint, loop
        replies = reader(endpoint)
        self._gets, self._feed = replies.gets, replies.feed
        self._resp3 = speaks_resp3(endpoint)
        self._out: list[tuple[asyncio.Future[list[Any]], Batch, bytes]] = []
        self._pending: deque[tuple[asyncio.Future[list[Any]], Batch, int, float]] = deque()
        self._partial: list[Any] = []
        self._in_flight = 0
        self._room: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.keeper: AsyncGenerator[None, None] | None = None
        """What ends the line with its loop; held here, for as long as the loop holds the transport."""
        self.lost = False
        """Whether the connection has ended: a new line is needed."""

    async def open(self) -> None:
        """Let valkey-py connect, then take the transport over.

        Raises:
            ConnectError: the server could not be reached within the connect timeout.
            ServerError: it refused the credentials or the database.
        """
        endpoint = self._endpoint
        if endpoint.scheme == "embedded":
            endpoint = await asyncio.to_thread(located, endpoint)
        connection = async_connection(endpoint)
        try:
            await aconnect(connection, self._endpoint)
            writer, stream = connection._writer, connection._reader  # noqa: SLF001  # the seam to valkey-py
            assert writer is not None
            assert stream is not None
            self._writer = writer  # kept: its __del__ closes the transport
            self._transport = writer.transport
            self._transport.set_protocol(self)
            connection._writer = connection._reader = None  # noqa: SLF001  # disconnect() would close, and can hang
            if buffered := bytes(stream._buffer):  # type: ignore[attr-defined]  # noqa: SLF001  # asyncio offers no other way
                self.data_received(buffered)
        finally:
            if (writer := connection._writer) is not None:  # noqa: SLF001  # connecting failed or was cancelled
                writer.transport.abort()
                connection._writer = connection._reader = None  # noqa: SLF001  # as above

    @property
    def is_full(self) -> bool:
        """Whether so much is in flight that a caller should await `room()` first."""
        return self._in_flight > IN_FLIGHT

    async def room(self) -> None:
        """Wait until less is in flight, or the line is lost."""
        while self.is_full and not self.lost:
            if self._room is None:
                self._room = self._loop.create_future()
            await asyncio.shield(self._room)

    def send(self, batch: Batch) -> asyncio.Future[list[Any]]:
        """Write the batch at the end of this tick; the future holds its replies, or a TransportError."""
        data = packed(batch)
        future: asyncio.Future[list[Any]] = self._loop.create_future()
        if self.lost:
            future.set_exception(ConnectionLost("connection lost: it has ended", **self._where))
            return future
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append((future, batch, data))
        self._in_flight += len(data)
        return future

    def _flush(self) -> None:
        """Write what this tick has gathered, but for callers that are gone already."""
        if self._transport is None or self.lost:
            return
        now = self._loop.time()
        out, self._out = self._out, []
        written = []
        for future, batch, data in out:
            if future.done():
                self._in_flight -= len(data)
            else:
                written.append(data)
                self._pending.append((future, batch, len(data), now))
        self._transport.write(written[0] if len(written) == 1 else b"".join(written))
        if self._timer is None and self._endpoint.timeout is not None:
            self._timer = self._loop.call_at(now + self._endpoint.timeout, self._check_timeout)

    def _check_timeout(self) -> None:
        """End the line if the oldest batch is overdue, else look again when it would be."""
        self._timer = None
        if not self._pending or self._endpoint.timeout is None:
            return
        due = self._pending[0][3] + self._endpoint.timeout
        if due <= self._loop.time():
            self._fail(ReplyTimeout(f"no answer within {self._endpoint.timeout:g} s", **self._where))
        else:
            self._timer = self._loop.call_at(due, self._check_timeout)

    @override
    def data_received(self, data: bytes) -> None:
        try:
            self._feed(data)
            gets = self._gets
            while (reply := gets()) is not INCOMPLETE:
                batch = self._pending[0][1]
                if (count := len(batch)) == 1:
                    kinds = KINDS.get(batch[0][0])
                    if kinds is None or type(reply) not in kinds:
                        check(batch, [reply], resp3=self._resp3)
                    self._resolve([reply])
                    continue
                replies = self._partial
                replies.append(reply)
                while len(replies) < count and (reply := gets()) is not INCOMPLETE:
                    replies.append(reply)  # here, not in a call for each reply: batches have hundreds
                if len(replies) == count:
                    self._partial = []
                    check(batch, replies, resp3=self._resp3)
                    self._resolve(replies)
        except (ProtocolError, IndexError, TypeError) as error:
            # Not RESP, or a reply that nobody awaits: whose the next one is cannot be known.
            reason = error if isinstance(error, ProtocolError) else UNREADABLE
            self._fail(errors.ProtocolError(f"connection lost: protocol error: {reason}", **self._where))

    def _resolve(self, replies: list[Any]) -> None:
        future, _, size, _ = self._pending.popleft()
        self._in_flight -= size
        if not future.done():
            future.set_result(replies)
        if self._room is not None and not self.is_full:
            self._make_room()

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionLost(f"connection lost: {exc or 'the server closed the connection'}", **self._where))

    @property
    def _where(self) -> dict[str, str]:
        return {"alias": self._endpoint.alias, "endpoint": self._endpoint.name}

    def _fail(self, error: TransportError) -> None:
        """End the connection, and every batch that awaits a reply with the error."""
        if self.lost:
            return
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
        for future in [entry[0] for entry in self._pending] + [entry[0] for entry in self._out]:
            if not future.done():
                future.set_exception(copy.copy(error))  # one each: a traceback grows where it is raised
        self._pending.clear()
        self._out.clear()
        self._make_room()

    def abort(self) -> None:
        """End the connection now."""
        self._fail(ConnectionLost("connection lost: it was closed", **self._where))

    def rest(self) -> None:
        """End the connection if nobody awaits anything of it; the next batch opens another."""
        if not self._pending and not self._out and not self._in_flight:
            self.abort()

    def forget(self) -> None:
        """Release the socket of a line whose loop was closed under it."""
        self.lost = True
        transport, self._transport = self._transport, None
        if transport is not None:
            forget(transport)


def forget(transport: asyncio.WriteTransport) -> None:
    """Release the socket of a transport whose loop may be closed."""
    try:
        transport.abort()
    except RuntimeError:  # the loop is closed: finish what abort() would have scheduled there
        finish = getattr(transport, "_call_connection_lost", None)
        if finish is not None:
            finish(None)
