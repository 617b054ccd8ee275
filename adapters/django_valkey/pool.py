"""Connection factories for sync code: valkey-py's own clients, for what the cache has no method for."""

from collections.abc import Mapping
from typing import Any, ClassVar

import valkey
from valkey.connection import ConnectionPool

from django_valkey import conf
from django_valkey.base_pool import BaseConnectionFactory, BaseSentinelConnectionFactory
from django_valkey.exceptions import improperly_configured
from dvcache.pools.idle import end_idle
from dvcache.settings import components


class ConnectionFactory(BaseConnectionFactory[valkey.Valkey, ConnectionPool]):
    """Makes clients of servers. Arguments and errors are those of `BaseConnectionFactory`."""

    path_pool_cls = "valkey.connection.ConnectionPool"
    path_base_cls = "valkey.client.Valkey"
    path_parser_cls = "valkey.connection.DefaultParser"

    def connect(self, url: str) -> Any:
        """Return a client of a URL. Nothing is connected before its first command."""
        return self.get_connection(self.make_connection_params(url))

    def get_connection(self, params: dict[str, Any]) -> Any:
        """Return a client of the parameters that `make_connection_params` returns."""
        return self._client(params)

    def disconnect(self, connection: Any) -> None:
        """End the connections of the client's pool that nobody uses; the next command opens others."""
        end_idle(connection.connection_pool)


class SentinelConnectionFactory(BaseSentinelConnectionFactory[valkey.Valkey, ConnectionPool], ConnectionFactory):
    """Makes clients of services. Arguments and errors are those of `BaseSentinelConnectionFactory`."""

    path_pool_cls = "valkey.sentinel.SentinelConnectionPool"
    path_sentinel_cls: ClassVar[str] = "valkey.sentinel.Sentinel"


def get_connection_factory(path: str | None = None, options: Mapping[str, Any] | None = None) -> Any:
    """Return the connection factory in effect: that of the options, else DJANGO_VALKEY_CONNECTION_FACTORY, else `path`.

    Args:
        path: the dotted path of a factory's class.
        options: the OPTIONS of an alias, which the factory is made of.

    Raises:
        ConfigurationError: the path names nothing.
    """
    given = options or {}
    reference = given.get("CONNECTION_FACTORY") or conf.connection_factory() or path
    with improperly_configured():
        cls: Any = components.load(reference, "OPTIONS['CONNECTION_FACTORY']")
    return cls(given)
