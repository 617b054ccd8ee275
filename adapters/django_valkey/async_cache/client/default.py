"""`AsyncDefaultClient`: the operations of an alias as coroutines, and valkey-py's clients of its servers."""

from collections.abc import Mapping
from typing import Any

from django_valkey import locks
from django_valkey.backend import Backend
from django_valkey.base_client import BaseClient
from dvcache.cache import AsyncCache


class AsyncDefaultClient(AsyncCache, BaseClient):
    """The client of servers: LOCATION is `[primary, replica, …]`. Arguments are those of `BaseClient`."""

    colour = "async"
    CONNECTION_FACTORY_PATH = "django_valkey.async_cache.pool.AsyncConnectionFactory"

    def __init__(self, server: object, params: Mapping[str, Any], backend: Backend) -> None:
        BaseClient.__init__(self, server, params, backend)

    get_lock = lock = locks.aget_lock

    async def connect(self, index: int = 0) -> Any:
        """Return valkey-py's client of one URL of LOCATION, for the running loop."""
        return await self.connection_factory.connect(self._server[index])

    async def get_client(self, write: bool = True) -> Any:
        """Return valkey-py's client of the primary, or without `write` of a replica if there is one."""
        return await self.connect(self._index(write=write))

    async def disconnect(self, index: int = 0, client: Any = None) -> None:
        """End the connections of a client of `connect`, by default of the one at the index."""
        await self.connection_factory.disconnect(await self.connect(index) if client is None else client)


class AsyncHashClient(AsyncDefaultClient):
    """The default client, whose hashes are named as other entries are, with prefix and version.

    As `OPTIONS["PREFIX_HASHES"] = True` beside any other client, whose hashes are named by their name alone.
    """
