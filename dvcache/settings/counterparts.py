"""Load classes from settings in the required mode: a built-in class of the other mode gives its counterpart."""

import inspect
from typing import Any, Final

from dvcache.errors import ConfigurationError
from dvcache.settings import classes, other_libraries
from dvcache.types import Mode

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
"""Each sync class, under the path of its definition, and its async counterpart."""

_COUNTERPARTS: Final[dict[Mode, dict[str, str]]] = {
    "sync": {counterpart: own for own, counterpart in _PAIRS},
    "async": dict(_PAIRS),
}


def named(reference: object, key: str, mode: Mode) -> type[Any]:
    """Return the class that a setting names, in the required mode.

    Args:
        reference: a dotted path, or the class itself. A class of the user's own is returned unchanged.
        key: the setting, for the error.
        mode: the mode, "sync" or "async".

    Raises:
        ConfigurationError: the path names no class.
    """
    found = classes.load(reference, key)
    if not isinstance(found, type):
        raise ConfigurationError(f"must name a class, not {type(found).__name__}", key=key)
    other_libraries.refuse_in("CLIENT_CLASS", found, key)
    counterpart = _COUNTERPARTS[mode].get(f"{found.__module__}.{found.__qualname__}")
    return found if counterpart is None else named(counterpart, key, mode)


def mode_of(cls: type, method: str) -> Mode:
    """Return the mode of a user's class.

    Args:
        cls: the class.
        method: the name of a method that does I/O. The mode is "async" if it, or a method that it overrides, is a
            coroutine function.
    """
    own = (vars(each).get(method) for each in cls.__mro__)
    return "async" if any(map(inspect.iscoroutinefunction, own)) else "sync"
