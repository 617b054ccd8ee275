"""`AsyncShardClient`: the operations of an alias on shards as coroutines, and valkey-py clients of them."""

from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from django_valkey._raw.sharding import Sharding
from django_valkey.async_cache.client.default import AsyncDefaultClient
from dvcache.types import Key


class AsyncShardClient(Sharding, AsyncDefaultClient):
    """Async client of shards; see `ShardClient`."""

    @override
    async def get_client(self, key: Key | None = None, **_: object) -> Any:  # type: ignore[override]  # as `ShardClient`
        """Return a valkey-py client of a key's shard, for the running loop.

        Args:
            key: the stored key, as `make_key` returns it.
        """
        return await self._raw(self.get_server_name(key))

    @override
    async def get_client_with_index(self, write: bool = True, tried: Sequence[int] | None = None) -> tuple[Any, int]:
        index = self.get_next_client_index(write=write, tried=tried)
        return await self._raw(self._server[index]), index

    @override
    async def connect(self, index: int = 0) -> dict[str, Any]:
        """Return a valkey-py client of each shard, for the running loop, by its URL as in LOCATION."""
        return {url: await self._raw(url) for url in self._server}

    @override
    async def disconnect(self, index: int = 0, client: Any = None) -> None:
        await super().disconnect(index, await self._raw(self._server[index]) if client is None else client)
