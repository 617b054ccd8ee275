"""Raw clients and containers by the name of an alias, for the sync and async `get_valkey_connection`."""

from typing import Any, TypeVar

from django.core.cache import caches

from django_valkey._backend.backend import Backend
from django_valkey._config import django_settings
from django_valkey._config.registry import Wired, wired
from django_valkey.exceptions import ConfigurationError
from dvcache.types import Key, Mode

C = TypeVar("C")


def of_server(alias: str, mode: Mode, write: bool, key: Key | None) -> Any:
    """Return a valkey-py client for one server of an alias; for async code, a coroutine.

    Args:
        alias: an alias of CACHES.
        mode: the mode of the calling code.
        write: True for the primary; False for a replica, if there is one.
        key: with shards, the stored key that selects the shard.

    Raises:
        NotImplementedError: the alias uses another backend.
    """
    client = client_of(alias, mode)
    return client.get_client(key=key) if hasattr(client, "get_server_name") else client.get_client(write)


def client_of(alias: str, mode: Mode) -> Any:
    """Return `cache.client` of an alias, in this mode.

    Args:
        alias: an alias of CACHES.
        mode: the mode of the calling code.

    Raises:
        NotImplementedError: the alias uses another backend.
    """
    cache = caches[alias]
    client = cache.client_in(mode) if isinstance(cache, Backend) else getattr(cache, "client", None)
    if not hasattr(client, "get_client"):
        raise NotImplementedError("This backend does not support this feature")
    return client


def of_class(alias: str, cls: type[C], cure: str) -> C:
    """Return `caches[alias]` of this thread or task.

    Args:
        alias: an alias of CACHES.
        cls: the class that it must have.
        cure: what to do if it is of another class, for the error.

    Raises:
        TypeError: it is of another class.
    """
    cache: object = caches[alias]
    if isinstance(cache, cls):
        return cache
    found = f"{type(cache).__module__}.{type(cache).__qualname__}"
    raise TypeError(f"CACHES[{alias!r}]: BACKEND: the cache is a {found}, not a {cls.__name__}; {cure}")


def of_alias(alias: str) -> Wired:
    """Return the container and its parts for `caches[alias]`.

    Raises:
        ConfigurationError: there is no such alias, it uses another backend, or its settings are wrong.
    """
    path, location, params = django_settings.arguments(alias)
    backend = django_settings.loaded(path)
    if not isinstance(backend, type) or not issubclass(backend, Backend):
        raise ConfigurationError(f"{path!r} is not a backend of django_valkey", alias=alias, key="BACKEND")
    return wired(backend, location, params)
