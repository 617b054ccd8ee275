"""Raw access: valkey-py clients for the sync and async `get_valkey_connection`."""

from typing import Any

from django.core.cache import caches

from django_valkey.backend import Backend
from dvcache.types import Colour, Key


def of_server(alias: str, colour: Colour, write: bool, key: Key | None) -> Any:
    """Return a valkey-py client for one server of an alias; for async code, a coroutine.

    Args:
        alias: an alias of CACHES.
        colour: the mode of the calling code.
        write: True for the primary; False for a replica, if there is one.
        key: with shards, the stored key that selects the shard.

    Raises:
        NotImplementedError: the alias uses another backend.
    """
    client = client_of(alias, colour)
    return client.get_client(key=key) if hasattr(client, "get_server_name") else client.get_client(write)


def client_of(alias: str, colour: Colour) -> Any:
    """Return `cache.client` of an alias, in this mode.

    Args:
        alias: an alias of CACHES.
        colour: the mode of the calling code.

    Raises:
        NotImplementedError: the alias uses another backend.
    """
    cache = caches[alias]
    client = cache.client_in(colour) if isinstance(cache, Backend) else getattr(cache, "client", None)
    if not hasattr(client, "get_client"):
        raise NotImplementedError("This backend does not support this feature")
    return client
