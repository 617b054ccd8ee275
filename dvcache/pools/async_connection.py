"""A multiplexed connection: one connection of an event loop, shared by all its tasks.

Batches sent in one tick of the loop are written together at its end. Sequential ones, of callers that await one reply
before they send the next batch, are written at once, which saves a tick. Replies resolve futures in order. Replies of a
caller that was cancelled, or whose deadline has passed, are read and dropped.

Signal safety: an exception can end a callback at any instruction, even before a `try`. Therefore `unusable` is set
while a callback runs, and code that finds it set ends the connection.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from math import inf
from time import monotonic
from typing import Any, Final, TypeAlias

from libvalkey import ProtocolError, pack_command
from typing_extensions import override

from dvcache import errors
from dvcache.errors import ConnectionLost
from dvcache.pools.async_limits import GLANCES, Limits
from dvcache.pools.connect import reader
from dvcache.pools.packing import LARGE, packed
from dvcache.pools.reply_shapes import KINDS, check_of
from dvcache.pools.resp3 import UNREADABLE
from dvcache.pools.resp3_parser import INCOMPLETE
from dvcache.pools.takeover import forget, is_readable, opened
from dvcache.types import Batch, Endpoint

IN_FLIGHT: Final = 16 * 1024 * 1024
"""Bytes of unanswered commands above which batches wait; TLS transports never call `pause_writing`."""

BUFFER: Final = 256 * 1024
"""Bytes of one read."""

REST: Final = 0.001
"""Seconds without a received byte after which a connection is checked before a write."""

Apart: TypeAlias = Callable[[Batch, float | None], "asyncio.Future[list[Any]]"]
"""Runs a batch on a separate connection."""


class MultiplexedConnection(Limits, asyncio.Protocol):
    """One multiplexed connection. Every method must be called on the loop that opened it."""

    __slots__ = (
        "__weakref__",
        "_check",
        "_feed",
        "_gets",
        "_grown",
        "_has_data",
        "_in_flight",
        "_is_sequential",
        "_partial",
        "_writer",
        "apart",
        "keeper",
    )

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(endpoint, loop)
        self._renew_reader()
        self._check = check_of(endpoint)
        self._partial: list[Any] = []
        self._in_flight = 0
        self._is_sequential = True  # the last tick with writes had one batch, and nothing was in flight
        self._writer: asyncio.StreamWriter | None = None
        self.apart: Apart | None = None
        """Runs a batch that the server may refuse for its size by closing the connection."""
        self.keeper: AsyncGenerator[None, None] | None = None
        """See `per_loop.OfLoop`."""

    async def open(self) -> None:
        """Connect by valkey-py, then take over the transport.

        Raises:
            ConnectError: the server could not be reached within the connect timeout.
            ServerError: the server refused the credentials or the database.
        """
        self._writer, ended = await opened(self._endpoint, self)
        self._transport = self._writer.transport
        self._heard = monotonic()
        if ended:
            self._end(ended)

    def send(self, batch: Batch, until: float | None = None) -> asyncio.Future[list[Any]]:
        """Write the batch, at once or at the end of this tick; return the future of its replies.

        The future fails with a `TransportError` if the connection does.

        Args:
            batch: the commands.
            until: the deadline of the future, in `time.monotonic` seconds.
        """
        if until is None:
            until = inf
        if self.unusable or self._in_flight > IN_FLIGHT:
            return self._waiting_for_room(batch, until)
        data = pack_command(batch[0]) if len(batch) == 1 else packed(batch)
        size = len(data)
        if size > LARGE and self.apart is not None:
            return self.apart(batch, None if until == inf else until)
        future: asyncio.Future[list[Any]] = self.loop.create_future()
        if until < self._due:
            self._watch(until)
        if not self._out:
            self._since = since = monotonic()
            if since + self._patience < self._due:
                self._watch(since + self._patience)
            if self._is_sequential and not self._pending and size < BUFFER and self._is_idle(since):
                self.unusable = True
                # Queued before the write: replies may arrive as soon as it starts.
                self._pending.append((future, until, batch, data, since))
                self._in_flight += size
                self._written += size
                self._transport.write(data)
                self.unusable = False
                return future
            self.loop.call_soon(self._flush)
        self._out.append((future, until, batch, data, self._since))
        self._in_flight += size
        return future

    def _is_idle(self, now: float) -> bool:
        """Return True if an idle connection holds no unread data."""
        return now - self._heard <= REST or not is_readable(self._transport)

    def _waiting_for_room(self, batch: Batch, until: float) -> asyncio.Future[list[Any]]:
        future: asyncio.Future[list[Any]] = self.loop.create_future()
        if self.unusable:
            future.set_exception(ConnectionLost("connection lost: it has ended", **self._where))
            return future
        due = min(until, monotonic() + self._patience)
        if due < self._due:
            self._watch(due)
        self._waiting.append((future, until, batch))
        return future

    def _admit(self) -> None:
        """Send the waiting batches in order, as far as `IN_FLIGHT` allows."""
        waiting = self._waiting
        while waiting and self._in_flight <= IN_FLIGHT:
            future, deadline, batch = waiting[0]
            if not future.done():
                try:
                    data = packed(batch)
                except Exception as error:  # noqa: BLE001  # the error belongs to this caller
                    future.set_exception(error)
                else:
                    if len(data) > LARGE and self.apart is not None:
                        self.apart(batch, None if deadline == inf else deadline).add_done_callback(_into(future))
                        waiting.popleft()
                        continue
                    if not self._out:
                        self._since = monotonic()
                        self.loop.call_soon(self._flush)
                    self._out.append((future, deadline, batch, data, self._since))
                    self._in_flight += len(data)
            waiting.popleft()

    def _flush(self) -> None:
        """Write the batches of this tick, except those whose callers are gone."""
        if self.unusable:
            self._interrupted()
            return
        self.unusable = True
        pending, out = self._pending, self._out
        if not (pending or self._is_idle(self._since)):
            self._read_first()
            return
        written = [entry for entry in out if not entry[0].done()]
        if len(written) < len(out):
            self._in_flight -= sum(len(entry[3]) for entry in out if entry[0].done())
        self._is_sequential = len(written) == 1 and not pending
        data = written[0][3] if len(written) == 1 else b"".join([entry[3] for entry in written])
        pending.extend(written)  # before the write, as in `send`
        self._written += len(data)
        self._transport.write(data)
        out.clear()
        if len(data) > BUFFER:
            self.pause_writing()  # a large write: check from now on that the server takes it
        self.unusable = False

    def _read_first(self) -> None:
        """Let the loop read unexpected data on an idle connection, which would be taken for the next batch's reply."""
        self._glances += 1
        if self._glances > GLANCES:
            self._end("the event loop does not read the data that has arrived")
            return
        self.loop.call_soon(self._flush)
        self.unusable = False

    @override
    def data_received(self, data: bytes | memoryview) -> None:  # noqa: C901, PLR0912  # each call would cost time
        if self.unusable:
            self._interrupted()
            return
        self.unusable = True
        self._heard = monotonic()
        gets, pending, kinds_of = self._gets, self._pending, KINDS.get
        try:
            self._feed(data)
            while (reply := gets()) is not INCOMPLETE:
                future, _, batch, sent, _ = pending[0]
                if len(batch) == 1:
                    kinds = kinds_of(batch[0][0])
                    replies = [reply]
                    if kinds is None or type(reply) not in kinds:
                        replies = self._check(batch, replies)
                elif (gathered := self._gathered(reply, len(batch))) is None:
                    break
                else:
                    replies = self._check(batch, gathered)
                if not future.done():
                    future.set_result(replies)
                pending.popleft()
                self._in_flight -= len(sent)
                if not pending:
                    break  # `has_data` below shows whether more has arrived
        except (ProtocolError, IndexError, TypeError) as error:
            # Not RESP, or an unexpected reply: the following replies can no longer be assigned to commands.
            self._break(error if isinstance(error, ProtocolError) else UNREADABLE)
            return
        if pending:
            self._grown = True
        elif self._has_data():
            self._break("more replies than commands")
            return
        elif self._grown:
            self._renew_reader()
        if self._waiting:
            self._admit()
        self.unusable = False

    def _break(self, reason: object) -> None:
        """End the connection after a violation of the protocol."""
        self._fail(errors.ProtocolError(f"connection lost: protocol error: {reason}", **self._where))

    def _gathered(self, reply: Any, count: int) -> list[Any] | None:
        """Return the replies of a batch of several commands once all have arrived, else None."""
        replies, gets = self._partial, self._gets
        replies.append(reply)
        while len(replies) < count and (reply := gets()) is not INCOMPLETE:
            replies.append(reply)
        if len(replies) < count:
            return None
        self._partial = []
        return replies

    def _renew_reader(self) -> None:
        """Parse with a new buffer: libvalkey keeps one of the size of the largest reply."""
        replies = reader(self._endpoint)
        self._gets, self._feed, self._has_data = replies.gets, replies.feed, replies.has_data
        self._grown = False

    def abort(self) -> None:
        """End the connection now."""
        self._end("it was closed")

    def end_if_idle(self) -> None:
        """End the connection if no reply is awaited; the next batch opens another one."""
        if not any(self._queues):
            self.abort()

    def forget(self) -> None:
        """Release the socket of a connection whose loop was closed before it."""
        self.unusable = True
        transport, self._transport = self._transport, None
        if transport is not None:
            forget(transport)


def _into(future: asyncio.Future[list[Any]]) -> Callable[[asyncio.Future[list[Any]]], None]:
    """Return a callback that copies the result of one future to another."""

    def hand_over(done: asyncio.Future[list[Any]]) -> None:
        if done.cancelled():
            future.cancel()
        elif (error := done.exception()) is not None:
            if not future.done():
                future.set_exception(error)
        elif not future.done():
            future.set_result(done.result())

    return hand_over
