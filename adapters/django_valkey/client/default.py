"""`DefaultClient`: the operations of an alias, and valkey-py's clients of its servers."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from django_valkey import locks
from django_valkey.backend import Backend
from django_valkey.base_client import BaseClient
from dvcache.cache import Cache


class DefaultClient(Cache, BaseClient):
    """The client of servers: LOCATION is `[primary, replica, …]`. Arguments are those of `BaseClient`."""

    CONNECTION_FACTORY_PATH = "django_valkey.pool.ConnectionFactory"

    def __init__(self, server: object, params: Mapping[str, Any], backend: Backend) -> None:
        BaseClient.__init__(self, server, params, backend)

    get_lock = lock = locks.get_lock

    def connect(self, index: int = 0) -> Any:
        """Return valkey-py's client of one URL of LOCATION."""
        return self.connection_factory.connect(self._server[index])

    def get_client(self, write: bool = True) -> Any:
        """Return valkey-py's client of the primary, or without `write` of a replica if there is one."""
        return self.connect(self._index(write=write))

    def disconnect(self, index: int = 0, client: Any = None) -> None:
        """End the connections of a client of `connect`, by default of the one at the index."""
        self.connection_factory.disconnect(self.connect(index) if client is None else client)

    @override
    def rest(self) -> None:
        if "connection_factory" in self.__dict__:
            for index in range(len(self._server)):
                self.disconnect(index)


class HashClient(DefaultClient):
    """The default client, whose hashes are named as other entries are, with prefix and version.

    As `OPTIONS["PREFIX_HASHES"] = True` beside any other client, whose hashes are named by their name alone.
    """
