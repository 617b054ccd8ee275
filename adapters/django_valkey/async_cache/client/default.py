"""`AsyncDefaultClient`: the operations of an alias as coroutines, and valkey-py's clients of its servers."""

import valkey.asyncio

from django_valkey.base_client import AsyncClientCommands, BaseClient


class AsyncDefaultClient(BaseClient[valkey.asyncio.Valkey], AsyncClientCommands[valkey.asyncio.Valkey]):
    """The client of servers: LOCATION is `[primary, replica, …]`. Arguments are those of `BaseClient`."""

    CONNECTION_FACTORY_PATH = "django_valkey.async_cache.pool.AsyncConnectionFactory"


class AsyncHashClient(AsyncDefaultClient):
    """The default client, whose hashes are named as other entries are, with prefix and version.

    As `OPTIONS["PREFIX_HASHES"] = True` beside any other client, whose hashes are named by their name alone.
    """
