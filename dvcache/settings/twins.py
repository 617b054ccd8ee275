"""Classes that settings name, in the colour that is asked for: a built-in class of the other one means its twin."""

import inspect
from typing import Any, Final

from dvcache.errors import ConfigurationError
from dvcache.settings import components, other_libraries
from dvcache.types import Colour

_PAIRS: Final = (
    ("django_valkey.client.default.DefaultClient", "django_valkey.async_cache.client.default.AsyncDefaultClient"),
    ("django_valkey.client.default.HashClient", "django_valkey.async_cache.client.default.AsyncHashClient"),
    ("django_valkey.client.herd.HerdClient", "django_valkey.async_cache.client.herd.AsyncHerdClient"),
    ("django_valkey.client.sentinel.SentinelClient", "django_valkey.async_cache.client.sentinel.AsyncSentinelClient"),
    ("django_valkey.client.sharded.ShardClient", "django_valkey.async_cache.client.sharded.AsyncShardClient"),
    ("django_valkey.pool.ConnectionFactory", "django_valkey.async_cache.pool.AsyncConnectionFactory"),
    ("django_valkey.pool.SentinelConnectionFactory", "django_valkey.async_cache.pool.AsyncSentinelConnectionFactory"),
    (
        "django_valkey.cluster_cache.client.default.DefaultClusterClient",
        "django_valkey.cluster_cache.client.default.AsyncDefaultClusterClient",
    ),
    (
        "django_valkey.cluster_cache.pool.ClusterConnectionFactory",
        "django_valkey.cluster_cache.pool.AsyncClusterConnectionFactory",
    ),
    ("valkey.cluster.ValkeyCluster", "valkey.asyncio.cluster.ValkeyCluster"),
    ("valkey.client.Valkey", "valkey.asyncio.client.Valkey"),
    ("valkey.connection.ConnectionPool", "valkey.asyncio.connection.ConnectionPool"),
    ("valkey.connection.BlockingConnectionPool", "valkey.asyncio.connection.BlockingConnectionPool"),
    ("valkey.sentinel.SentinelConnectionPool", "valkey.asyncio.sentinel.SentinelConnectionPool"),
    ("valkey.connection.Connection", "valkey.asyncio.connection.Connection"),
    ("valkey.connection.SSLConnection", "valkey.asyncio.connection.SSLConnection"),
    ("valkey.connection.UnixDomainSocketConnection", "valkey.asyncio.connection.UnixDomainSocketConnection"),
    ("valkey.sentinel.SentinelManagedConnection", "valkey.asyncio.sentinel.SentinelManagedConnection"),
    ("valkey.sentinel.SentinelManagedSSLConnection", "valkey.asyncio.sentinel.SentinelManagedSSLConnection"),
    ("valkey._parsers.libvalkey._LibvalkeyParser", "valkey._parsers.libvalkey._AsyncLibvalkeyParser"),
    ("valkey._parsers.resp2._RESP2Parser", "valkey._parsers.resp2._AsyncRESP2Parser"),
    ("valkey._parsers.resp3._RESP3Parser", "valkey._parsers.resp3._AsyncRESP3Parser"),
)
"""Each sync class, where it is defined, and its asynchronous twin."""

_TWINS: Final[dict[Colour, dict[str, str]]] = {"sync": {twin: own for own, twin in _PAIRS}, "async": dict(_PAIRS)}


def named(reference: object, key: str, colour: Colour) -> type[Any]:
    """Return the class that a setting names.

    Args:
        reference: a dotted path, or the class itself. A class of the user's own is returned as it is.
        key: the setting, for the error.
        colour: which of two twins.

    Raises:
        ConfigurationError: the path names no class.
    """
    found = components.load(reference, key)
    if not isinstance(found, type):
        raise ConfigurationError(f"must name a class, not {type(found).__name__}", key=key)
    other_libraries.refuse_in("CLIENT_CLASS", found, key)
    twin = _TWINS[colour].get(f"{found.__module__}.{found.__qualname__}")
    return found if twin is None else named(twin, key, colour)


def colour_of(cls: type, method: str) -> Colour:
    """Return of which code a class of the user's is.

    Args:
        cls: the class.
        method: a method that waits for the server; of asynchronous code it, or the one that it overrides, is a
            coroutine.
    """
    own = (vars(each).get(method) for each in cls.__mro__)
    return "async" if any(map(inspect.iscoroutinefunction, own)) else "sync"
