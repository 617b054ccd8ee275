"""`AsyncDefaultClient`: the operations of an alias as coroutines, and valkey-py clients of its servers."""

import valkey.asyncio

from django_valkey.base_client import AsyncClientCommands, BaseClient


class AsyncDefaultClient(BaseClient[valkey.asyncio.Valkey], AsyncClientCommands[valkey.asyncio.Valkey]):
    """Client of single servers: LOCATION is `[primary, replica, …]`. Arguments are those of `BaseClient`."""

    CONNECTION_FACTORY_PATH = "django_valkey.async_cache.pool.AsyncConnectionFactory"


class AsyncHashClient(AsyncDefaultClient):
    """The default client, with prefix and version in the keys of hashes.

    The same as `OPTIONS["PREFIX_HASHES"] = True` with another client.
    """
