"""Connection factories for sync code: valkey-py clients, for commands without a cache method."""

from collections.abc import Mapping
from typing import Any, ClassVar

import valkey
from valkey.connection import ConnectionPool

from django_valkey._config import django_settings
from django_valkey.base_pool import BaseConnectionFactory, BaseSentinelConnectionFactory
from django_valkey.exceptions import improperly_configured
from dvcache.pools.custom.idle import end_idle
from dvcache.settings import components


class ConnectionFactory(BaseConnectionFactory[valkey.Valkey, ConnectionPool]):
    """Makes clients of single servers. Arguments and errors are those of `BaseConnectionFactory`."""

    path_pool_cls = "valkey.connection.ConnectionPool"
    path_base_cls = "valkey.client.Valkey"
    path_parser_cls = "valkey.connection.DefaultParser"

    def connect(self, url: str) -> Any:
        """Return a client for a URL. It connects at its first command."""
        return self.get_connection(self.make_connection_params(url))

    def get_connection(self, params: dict[str, Any]) -> Any:
        """Return a client for parameters from `make_connection_params`."""
        return self._client(params)

    def disconnect(self, connection: Any) -> None:
        """Close the idle connections of the client's pool; the next command opens a new one."""
        end_idle(connection.connection_pool)


class SentinelConnectionFactory(BaseSentinelConnectionFactory[valkey.Valkey, ConnectionPool], ConnectionFactory):
    """Makes clients of Sentinel services. Arguments and errors are those of `BaseSentinelConnectionFactory`."""

    path_pool_cls = "valkey.sentinel.SentinelConnectionPool"
    path_sentinel_cls: ClassVar[str] = "valkey.sentinel.Sentinel"


def get_connection_factory(path: str | None = None, options: Mapping[str, Any] | None = None) -> Any:
    """Return the connection factory in effect: from the options, else DJANGO_VALKEY_CONNECTION_FACTORY, else `path`.

    Args:
        path: the dotted path of the default factory class.
        options: the OPTIONS of an alias, passed to the factory.

    Raises:
        ConfigurationError: the path names nothing.
    """
    given = options or {}
    reference = given.get("CONNECTION_FACTORY") or django_settings.connection_factory() or path
    with improperly_configured():
        cls: Any = components.load(reference, "OPTIONS['CONNECTION_FACTORY']")
    return cls(given)
