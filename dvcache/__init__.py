"""A Valkey cache, synchronous and asynchronous from the same operations, wired by a container.

::

    from dvcache import Container, Settings

    settings = Settings.parse({"LOCATION": "valkey://127.0.0.1:6379/1", "TIMEOUT": 60})
    with Container(settings) as container:
        cache = container.cache()
        cache.set("answer", {"value": 42})
        cache.get("answer")                                 # {'value': 42}

    async with Container(settings) as container:
        await container.async_cache().get("answer")         # {'value': 42}

Tests can use the same settings without a network: `Container(settings,
pool_factory=dvcache.testing.MemoryPoolFactory())`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dvcache.cache import AsyncCache, Cache
    from dvcache.container import Container
    from dvcache.containers import Containers
    from dvcache.errors import (
        AskError,
        AuthenticationError,
        CacheError,
        CircuitOpenError,
        ClosedError,
        ClusterDownError,
        ConfigurationError,
        ConfigurationWarning,
        ConnectError,
        ConnectionInterrupted,
        ConnectionLost,
        CrossSlotError,
        DecodeError,
        ExecAbortError,
        LoadingError,
        LockError,
        LockNotOwnedError,
        MasterDownError,
        MovedError,
        NoScriptError,
        NotSupportedError,
        OutOfMemoryError,
        OverloadedError,
        PermissionDenied,
        PoolExhausted,
        ProtocolError,
        ReadOnlyError,
        RedirectError,
        ReplyTimeout,
        SerializationError,
        ServerError,
        TooLargeError,
        TransportError,
        TryAgainError,
        UnavailableError,
        WrongTypeError,
    )
    from dvcache.protocols import AsyncClient, AsyncPool, Client, Compressor, Pool, PoolFactory, Serializer
    from dvcache.settings import Settings
    from dvcache.settings.schema import CacheEntry, Options
    from dvcache.types import DEFAULT, Endpoint

__version__ = "0.1.0"

__all__ = [
    "DEFAULT",
    "AskError",
    "AsyncCache",
    "AsyncClient",
    "AsyncPool",
    "AuthenticationError",
    "Cache",
    "CacheEntry",
    "CacheError",
    "CircuitOpenError",
    "Client",
    "ClosedError",
    "ClusterDownError",
    "Compressor",
    "ConfigurationError",
    "ConfigurationWarning",
    "ConnectError",
    "ConnectionInterrupted",
    "ConnectionLost",
    "Container",
    "Containers",
    "CrossSlotError",
    "DecodeError",
    "Endpoint",
    "ExecAbortError",
    "LoadingError",
    "LockError",
    "LockNotOwnedError",
    "MasterDownError",
    "MovedError",
    "NoScriptError",
    "NotSupportedError",
    "Options",
    "OutOfMemoryError",
    "OverloadedError",
    "PermissionDenied",
    "Pool",
    "PoolExhausted",
    "PoolFactory",
    "ProtocolError",
    "ReadOnlyError",
    "RedirectError",
    "ReplyTimeout",
    "SerializationError",
    "Serializer",
    "ServerError",
    "Settings",
    "TooLargeError",
    "TransportError",
    "TryAgainError",
    "UnavailableError",
    "WrongTypeError",
]

_HOMES: Final = ("errors", "types", "protocols", "settings", "settings.schema", "cache", "container", "containers")
"""The modules that have these names, the quickest to import first."""


def __getattr__(name: str) -> Any:
    """Import a name, or a module of this package, at its first use: pytest loads the package with its plugins."""
    found = _found(name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _found(name: str) -> object:
    if name in __all__:
        modules = (import_module(f"{__name__}.{home}") for home in _HOMES)
        return next(vars(module)[name] for module in modules if name in vars(module))
    if not name.startswith("__"):
        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
