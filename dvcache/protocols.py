"""Protocols of the replaceable parts.

A `Serializer` and a `Compressor` convert values to bytes and back. A `Client` runs batches on one topology; a `Pool` is
a client of one server. A `PoolFactory` makes pools: replace it to run any wiring without a network.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from dvcache.types import Batch, Endpoint


class Serializer(Protocol):
    """Converts values, except exact ints and floats, to bytes and back. Called by the codec, from any thread."""

    def dumps(self, value: object, /) -> bytes:
        """Return the value as bytes; raise any exception for a value that cannot be serialized."""
        ...

    def loads(self, data: bytes, /) -> object:
        """Return the value passed to `dumps`; raise any exception for bytes that `dumps` did not return."""
        ...


class Compressor(Protocol):
    """Compresses serialized values. Called by the codec, from any thread.

    A compressor may have `magic: bytes`, the prefix of all its output; without it, the codec tries to decompress all
    data.
    """

    def compress(self, data: bytes, /) -> bytes:
        """Return the compressed bytes. If they are longer, the codec stores the original."""
        ...

    def decompress(self, data: bytes, /) -> bytes:
        """Return the bytes passed to `compress`; raise any exception for bytes that `compress` did not return."""
        ...


class Client(Protocol):
    """Runs batches on one topology. Called by `drive.run`, from any thread."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Return one reply per command, in order. An error reply is a `ServerError` in its place; it is not raised.

        Args:
            batch: the commands.
            until: the deadline in seconds of `time.monotonic`; None for none. It bounds everything: the wait for a
                connection, connecting, each attempt on each server.

        Raises:
            TransportError: no reply arrived; the commands may have been performed.
        """
        ...

    def close(self) -> None:
        """Close every connection. A later `execute` raises `ClosedError`."""
        ...


class AsyncClient(Protocol):
    """Runs batches on one topology. Called by `drive.arun`, on any event loop."""

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Return the replies, as `Client.execute` does."""
        ...

    def close(self) -> None:
        """Close every connection on every loop, without waiting. A later `execute` raises `ClosedError`."""
        ...


class Pool(Client, Protocol):
    """Connections of one process to one server."""


class AsyncPool(AsyncClient, Protocol):
    """Connections of one process to one server, one per running event loop."""


@runtime_checkable
class Releasable(Protocol):
    """A pool or pool factory that can close its idle connections. Called by `Container.release`, from any thread."""

    def release(self) -> None:
        """Close idle connections; the next command opens new ones."""
        ...


class Pending(Protocol):
    """A batch that was written and whose replies are outstanding. Used by the thread that wrote it."""

    def replies(self) -> Sequence[Any]:
        """Return the replies, with the errors of `Client.execute`. Called at most once."""
        ...

    def abandon(self) -> None:
        """Discard the replies. Called instead of `replies`."""
        ...


class Begins(Client, Protocol):
    """A pool that can write a batch now and read its replies later, so that several servers work concurrently.

    Optional: `clients.pool_adapter` looks for `begin` once, when a client is built; a pool without it runs its batch
    when its replies are needed. A pool may also have `connects() -> bool`, True if `begin` would connect first: several
    such pools connect concurrently.
    """

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch; return None if the pool cannot. Arguments and errors are those of `execute`."""
        ...


class AsyncBegins(AsyncClient, Protocol):
    """An asynchronous pool that can write a batch without creating a task. Optional."""

    def begin(self, batch: Batch, until: float | None = None, /) -> "asyncio.Future[list[Any]] | None":
        """Write the batch; return the future of its replies or error, or None if writing requires awaiting."""
        ...


class Retires(Client, Protocol):
    """A pool that can reconnect because its server's name may now resolve to another server. Optional.

    Called by the runners when a primary replies READONLY. An asynchronous pool's method is awaited.
    """

    def retire(self) -> Any:
        """Close idle connections, and open a new one for the next command."""
        ...


class PoolFactory(Protocol):
    """Makes pools. Called by the container's builders, once per endpoint and mode; does not connect."""

    def pool(self, endpoint: Endpoint, /) -> Pool:
        """Return a new pool for the endpoint."""
        ...

    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        """Return a new asynchronous pool for the endpoint."""
        ...
