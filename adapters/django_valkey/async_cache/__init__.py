"""The backend with only coroutine methods."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valkey.asyncio import Valkey

__all__ = ["get_valkey_connection"]


async def get_valkey_connection(alias: str = "default", write: bool = True, key: str | None = None) -> "Valkey":
    """Return an async valkey-py client for a server of an alias, on the pool of the running event loop.

    Args:
        alias: an alias of CACHES, also one with `ValkeyCache`.
        write: True for the primary; False for a replica, if there is one.
        key: with shards, the stored key that selects the shard: `cache.make_key("a")` for the entry "a".

    Raises:
        NotImplementedError: the alias uses another backend.
    """
    from django_valkey._backend import aliases  # noqa: PLC0415  # a serializer alone needs no wiring

    client: Valkey = await aliases.of_server(alias, "async", write, key)
    return client
