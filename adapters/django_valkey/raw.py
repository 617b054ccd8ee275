"""Raw access: what `get_valkey_connection` of both colours asks for valkey-py's clients."""

from typing import Any

from django.core.cache import caches

from django_valkey.backend import Backend
from dvcache.types import Colour, Key


def of_server(alias: str, colour: Colour, write: bool, key: Key | None) -> Any:
    """Return valkey-py's client of one server of an alias; of the asynchronous colour, a coroutine that does.

    Args:
        alias: an alias of CACHES.
        colour: of the code that is to use the client.
        write: of the primary; else of a replica, if there is one.
        key: of shards, the stored key whose shard is meant.

    Raises:
        NotImplementedError: the alias is another backend's, which has no such clients.
    """
    client = client_of(alias, colour)
    return client.get_client(key=key) if hasattr(client, "get_server_name") else client.get_client(write)


def client_of(alias: str, colour: Colour) -> Any:
    """Return what connects clients of an alias: `cache.client`, in this colour.

    Args:
        alias: an alias of CACHES.
        colour: of the code that is to use the client.

    Raises:
        NotImplementedError: the alias is another backend's, which has no such clients.
    """
    cache = caches[alias]
    client = cache.client_in(colour) if isinstance(cache, Backend) else getattr(cache, "client", None)
    if not hasattr(client, "get_client"):
        raise NotImplementedError("This backend does not support this feature")
    return client
