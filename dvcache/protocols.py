"""Protocols of the replaceable parts.

A `Serializer` and a `Compressor` convert values to bytes and back. A `Client` runs batches on one topology; a `Pool` is
a client of one server. A `PoolFactory` makes pools: replace it to run any wiring without a network.

A class fits if its methods do; it inherits from none of these. `dvcache.provider_checks` checks the methods of a part
when it is given.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from dvcache.types import Batch, Endpoint


class Serializer(Protocol):
    """Converts values, except exact ints and floats, to bytes and back.

    Called by the codec, by several threads at once, and on event loops: a call must not block. A class that settings
    name is created by its `from_options(options)` if it has one, else with `options=` if it takes that, else without
    arguments.
    """

    def dumps(self, value: object, /) -> bytes:
        """Return the value as bytes, exactly of the type `bytes`.

        They must not read as a number (`b"17"`), unless the value equals it: numbers are stored as text. Any exception,
        and any other type, becomes `SerializationError` with the name of the serializer; nothing is sent.
        """
        ...

    def loads(self, data: bytes, /) -> object:
        """Return the value passed to `dumps`; raise any exception for bytes that `dumps` did not return.

        The bytes are what anyone with access to the server stored: reading them should run no code of theirs. After an
        exception the codec tries the fallback serializers; if they fail too, the entry is a miss. It is called once for
        the first value of each type that is stored, to verify that it can be read back.
        """
        ...


class Compressor(Protocol):
    """Compresses serialized values.

    Called by the codec, by several threads at once, and on event loops. A class that settings name is created as a
    serializer is. Two attributes are optional:

    - `magic: bytes`, the prefix of all its output. Without it, the codec tries to decompress all data, and stores a
      value uncompressed only if `decompress` refuses it.
    - `min_length: int`, in bytes; shorter or equal data is not compressed. It replaces `COMPRESS_MIN_LENGTH`.
    """

    def compress(self, data: bytes, /) -> bytes:
        """Return the compressed bytes, exactly of the type `bytes`. If they are not shorter, the original is stored.

        Any exception, any other type, and a result without the compressor's magic become `SerializationError`.
        """
        ...

    def decompress(self, data: bytes, /) -> bytes:
        """Return the bytes passed to `compress`; raise any exception for bytes that `compress` did not return.

        Called with any stored data that begins with `magic`, so it must bound its output: a few stored bytes can
        decompress to more than the memory. The codec passes no limit; `dvcache.compressors.bounds.decompressed` applies
        one while it decompresses, and its `TooLarge` makes the entry a miss. After another exception the data counts as
        uncompressed.
        """
        ...


class Client(Protocol):
    """Runs batches on one topology. Called by `drive.run`, by several threads at once."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Return one reply per command, in order. An error reply is a `ServerError` in its place; it is not raised.

        Args:
            batch: the commands: tuples of text, bytes, ints and floats.
            until: the deadline in seconds of `time.monotonic`; None for none. It bounds everything: the wait for a
                connection, connecting, each attempt on each server. A cache passes the batch alone, a client passes
                both to its pools; a pool that takes the batch alone is called with that.

        Returns:
            One reply for each command, unconverted as by RESP2: bytes, int, None, or a list of replies.

        Raises:
            TransportError: no reply arrived; the commands may have been performed. `IGNORE_EXCEPTIONS` ignores it.
            ClosedError: the client is closed.
        """
        ...

    def close(self) -> None:
        """Close every connection. A later `execute` raises `ClosedError`. May be called twice, from any thread."""
        ...


class AsyncClient(Protocol):
    """Runs batches on one topology. Called by `drive.arun`, by many tasks at once, on any number of event loops.

    Connections belong to the loop that opened them: a client keeps them for each running loop.
    """

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Return the replies, as `Client.execute` does. The task may be cancelled at any `await`."""
        ...

    def close(self) -> None:
        """Close every connection on every loop, without waiting. A later `execute` raises `ClosedError`.

        A plain method, since it may be called where no loop runs. May be called twice.
        """
        ...


class Pool(Client, Protocol):
    """Connections of one process to one server. After a fork, the child opens its own."""


class AsyncPool(AsyncClient, Protocol):
    """Connections of one process to one server, one per running event loop. After a fork, the child opens its own."""


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
    """Makes pools. Called by the container's builders, once per endpoint and mode; does not connect.

    For a cluster it is called from any thread, when a node is discovered. If it has `release` (see `Releasable`),
    `Container.release` calls that.
    """

    def pool(self, endpoint: Endpoint, /) -> Pool:
        """Return a new pool for the endpoint. Its client closes it.

        Raises:
            ConfigurationError: the endpoint cannot be served.
        """
        ...

    def async_pool(self, endpoint: Endpoint, /) -> AsyncPool:
        """Return a new asynchronous pool for the endpoint. Arguments and errors are those of `pool`."""
        ...
