"""The backend whose every method is a coroutine."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valkey.asyncio import Valkey

__all__ = ["get_valkey_connection"]


async def get_valkey_connection(alias: str = "default", write: bool = True, key: str | None = None) -> "Valkey":
    """Return valkey-py's asynchronous client of an alias's server, on the pool of the running event loop.

    Args:
        alias: an alias of CACHES; that of a `ValkeyCache` too.
        write: of the primary; else of a replica, if there is one.
        key: of shards, the stored key whose server is meant: `cache.make_key("a")` of the entry "a".

    Raises:
        NotImplementedError: the alias is another backend's, which has no such clients.
    """
    from django_valkey import raw  # noqa: PLC0415  # a serializer alone needs no wiring

    client: Valkey = await raw.of_server(alias, "async", write, key)
    return client
