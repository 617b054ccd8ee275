"""What the shard clients of both colours share: which of the URLs of LOCATION holds a key."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django_valkey import replaced
from dvcache.clients.ring import Ring
from dvcache.types import Key


class Sharding:
    """The ring of an alias. To be inherited before a client's class."""

    if TYPE_CHECKING:
        connection_factory: Any
        _server: Sequence[str]

    @cached_property
    def _ring(self) -> Ring:
        return Ring(self._server)

    def get_server_name(self, _key: Key | None) -> str:
        """Return the URL, as LOCATION has it, of the shard that a key is on. It may hold a password.

        Args:
            _key: the stored key, as `make_key` returns it.
        """
        return self._ring.owner(_key if isinstance(_key, bytes) else str(_key).encode("utf-8", "surrogateescape"))

    def _raw(self, url: str) -> Any:
        replaced.refuse_raw()
        return self.connection_factory.connect(url)
