"""Raw access: what `get_valkey_connection` of both colours asks for valkey-py's clients."""

from typing import Any

from django.core.cache import caches

from django_valkey.backend import Backend
from dvcache.types import Colour


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
