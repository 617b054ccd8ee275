"""The seams: what can be replaced, and by what shape of thing.

A `Serializer` and a `Compressor` turn values to bytes and back. A `Client` runs batches on one topology; a `Pool` is a
client of one server. A `PoolFactory` makes pools, and is the one thing to replace to take every wiring off the network.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from dvcache.types import Batch, Endpoint


class Serializer(Protocol):
    """Turns any value but an exact int or float into bytes. Called by the codec, from any thread."""

    def dumps(self, value: object, /) -> bytes:
        """Return the value as bytes; raise whatever it likes for a value that it cannot express."""
        ...

    def loads(self, data: bytes, /) -> object:
        """Return the value that `dumps` was given; raise for bytes that it did not write."""
        ...


class Compressor(Protocol):
    """Makes serialized bytes shorter. Called by the codec, from any thread.

    A compressor may carry `magic: bytes`, the bytes that all its output starts with; without it, reading tries.
    """

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes in compressed form, which may be longer: the codec then keeps the original."""
        ...

    def decompress(self, data: bytes, /) -> bytes:
        """Return what `compress` was given; raise for bytes that it did not write."""
        ...


class Client(Protocol):
    """Runs batches on one topology. Called by `drive.run`, from any thread."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Return one reply for each command, in order. A server's error is a `ServerError` in its place, not raised.

        Args:
            batch: the commands.
            until: the deadline in seconds of `time.monotonic`; None for none. It bounds everything: the wait for a
                connection, connecting, each attempt on each server.

        Raises:
            TransportError: no reply came; whether the commands were performed is not known.
        """
        ...

    def close(self) -> None:
        """End every connection. A later `execute` raises `ClosedError`."""
        ...


class AsyncClient(Protocol):
    """Runs batches on one topology. Called by `drive.arun`, on any event loop."""

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """As `Client.execute`."""
        ...

    def close(self) -> None:
        """End every connection on every loop, without waiting. A later `execute` raises `ClosedError`."""
        ...


class Pool(Client, Protocol):
    """The connections of one process to one server."""


class AsyncPool(AsyncClient, Protocol):
    """The connections of one process to one server, one for each running event loop."""


@runtime_checkable
class Releasable(Protocol):
    """A pool, or a pool factory, that can end its idle connections. Called by `Container.release`, from any thread."""

    def release(self) -> None:
        """End the connections that nobody uses; the next command opens others."""
        ...


class Pending(Protocol):
    """A batch that is written and not yet answered. Called by the thread that began it."""

    def replies(self) -> Sequence[Any]:
        """Return the replies as `Client.execute` does, with its errors. Called at most once."""
        ...

    def abandon(self) -> None:
        """Read no replies. Called instead of `replies`."""
        ...


class Begins(Client, Protocol):
    """A pool that can write a batch and be read from later; several servers then work on a caller's batches at once.

    It is for a pool to offer: `clients.exchanges` looks for `begin`. One without it runs its batch when its turn comes.
    A pool may also have `connects() -> bool`, True if `begin` would connect first: several such pools connect at once.
    """

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch; return None where what stands behind cannot. Arguments and errors are those of `execute`."""
        ...


class AsyncBegins(AsyncClient, Protocol):
    """An asynchronous pool that can write a batch without a task for it. It is for a pool to offer."""

    def begin(self, batch: Batch, until: float | None = None, /) -> "asyncio.Future[list[Any]] | None":
        """Write the batch and return what will hold its replies, or an error; None where that takes awaiting."""
        ...


class Retires(Client, Protocol):
    """A pool that can connect anew, as its server's name may lead to another one. It is for a pool to offer.

    Called by `clients.standalone` when a primary answers READONLY. An asynchronous pool's method is awaited.
    """

    def retire(self) -> Any:
        """End the connections that nobody uses, and have the next command open another."""
        ...


class PoolFactory(Protocol):
    """Makes pools. Called by the container's builders, once for each endpoint and colour; connects nothing itself."""

    def pool(self, endpoint: Endpoint, /) -> Pool:
        """Return a new pool for the endpoint."""
        ...

    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        """Return a new asynchronous pool for the endpoint."""
        ...
