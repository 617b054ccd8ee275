"""Base of the sync and async shard clients: map a key to a URL of LOCATION."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django_valkey._raw import replaced_pools
from dvcache.routing.ring import Ring
from dvcache.types import Key


class Sharding:
    """The hash ring of an alias. Inherit it before a client class."""

    if TYPE_CHECKING:
        connection_factory: Any
        _server: Sequence[str]

    @cached_property
    def _ring(self) -> Ring:
        return Ring(self._server)

    def get_server_name(self, _key: Key | None) -> str:
        """Return the URL of a key's shard, as in LOCATION. It may contain a password.

        Args:
            _key: the stored key, as `make_key` returns it.
        """
        return self._ring.owner(_key if isinstance(_key, bytes) else str(_key).encode("utf-8", "surrogateescape"))

    def _raw(self, url: str) -> Any:
        replaced_pools.refuse_raw()
        return self.connection_factory.connect(url)
