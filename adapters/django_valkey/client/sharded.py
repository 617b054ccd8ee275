"""`ShardClient`: the operations of an alias on shards, and valkey-py clients of them."""

from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from django_valkey._raw.sharding import Sharding
from django_valkey.client.default import DefaultClient
from dvcache.types import Key


class ShardClient(Sharding, DefaultClient):
    """Client of shards: every URL in LOCATION is a shard, and a hash ring maps keys to shards.

    The same as `OPTIONS["SHARDED"] = True` with another client. Arguments are those of `BaseClient`.
    """

    @override
    def get_client(self, key: Key | None = None, **_: object) -> Any:  # type: ignore[override]  # as django-valkey's
        """Return a valkey-py client of a key's shard.

        Args:
            key: the stored key, as `make_key` returns it.
        """
        return self._raw(self.get_server_name(key))

    @override
    def get_client_with_index(self, write: bool = True, tried: Sequence[int] | None = None) -> tuple[Any, int]:
        index = self.get_next_client_index(write=write, tried=tried)
        return self._raw(self._server[index]), index

    @override
    def connect(self, index: int = 0) -> dict[str, Any]:
        """Return a valkey-py client of each shard, by its URL as in LOCATION."""
        return {url: self._raw(url) for url in self._server}

    @override
    def disconnect(self, index: int = 0, client: Any = None) -> None:
        super().disconnect(index, self._raw(self._server[index]) if client is None else client)
