"""Connection factories for async code: valkey-py clients, for commands without a cache method."""

from typing import Any, ClassVar

import valkey.asyncio
from valkey.asyncio.connection import ConnectionPool

from django_valkey._raw.pools import shared
from django_valkey.base_pool import BaseConnectionFactory, BaseSentinelConnectionFactory
from dvcache.pools.custom.idle import aend_idle


class AsyncConnectionFactory(BaseConnectionFactory[valkey.asyncio.Valkey, ConnectionPool]):
    """Makes clients of single servers, on pools of the running loop. Otherwise as `BaseConnectionFactory`."""

    path_pool_cls = "valkey.asyncio.connection.ConnectionPool"
    path_base_cls = "valkey.asyncio.client.Valkey"
    path_parser_cls = "valkey.asyncio.connection.DefaultParser"

    async def connect(self, url: str) -> Any:
        """Return a client for a URL. It connects at its first command."""
        return await self.get_connection(self.make_connection_params(url))

    async def get_connection(self, params: dict[str, Any]) -> Any:
        """Return a client for parameters from `make_connection_params`."""
        client = self._client(params)
        await shared.keep()
        return client

    async def disconnect(self, connection: Any) -> None:
        """Close the idle connections of the client's pool; the next command opens a new one."""
        await aend_idle(connection.connection_pool)


class AsyncSentinelConnectionFactory(
    BaseSentinelConnectionFactory[valkey.asyncio.Valkey, ConnectionPool], AsyncConnectionFactory
):
    """Makes clients of Sentinel services, on pools of the running loop. Otherwise as the base class."""

    path_pool_cls = "valkey.asyncio.sentinel.SentinelConnectionPool"
    path_sentinel_cls: ClassVar[str] = "valkey.asyncio.sentinel.Sentinel"
