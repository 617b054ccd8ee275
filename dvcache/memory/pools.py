"""Pools without a network, for `memory://` in settings and for `dvcache.testing.MemoryPoolFactory`."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from typing_extensions import override

from dvcache.errors import ClosedError, ServerError
from dvcache.memory.arguments import encoded
from dvcache.memory.cluster import SoleNode, Store
from dvcache.memory.store import MemoryStore
from dvcache.protocols import AsyncPool, Pool
from dvcache.types import Batch, Endpoint

_stores: Final[dict[str, MemoryStore]] = {}


def memory_store(endpoint: Endpoint) -> Store:
    """Return this process's store of a `memory://` endpoint. There is one for each host name."""
    store = _stores.get(endpoint.host) or _stores.setdefault(endpoint.host, MemoryStore())
    return SoleNode(store, (endpoint.host, endpoint.port)) if endpoint.in_cluster else store


class _Connection:
    """The connection from one endpoint to a store."""

    __slots__ = ("_closed", "_endpoint", "_store")

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        self._store, self._endpoint = store, endpoint
        self._closed = False

    def exchange(self, batch: Batch) -> Sequence[Any]:
        """Run the commands. Encode all of them first, as an argument that cannot be sent must leave no effect."""
        if self._closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
        commands = [[encoded(argument) for argument in command] for command in batch]
        return [self._located(self._store.execute(self._endpoint.db, command)) for command in commands]

    def _located(self, reply: object) -> object:
        if isinstance(reply, ServerError):
            reply.alias, reply.endpoint = self._endpoint.alias, self._endpoint.name
        return reply

    def close(self) -> None:
        """Make later exchanges raise `ClosedError`."""
        self._closed = True


class MemoryPool(Pool):
    """A pool of an in-memory server, for any number of threads."""

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        self._connection = _Connection(store, endpoint)

    @override
    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        return self._connection.exchange(batch)

    @override
    def close(self) -> None:
        self._connection.close()


class AsyncMemoryPool(AsyncPool):
    """A pool of an in-memory server, for any number of event loops. Other tasks run during its round trips."""

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        self._connection = _Connection(store, endpoint)

    @override
    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        await asyncio.sleep(0)
        return self._connection.exchange(batch)

    @override
    def close(self) -> None:
        self._connection.close()
