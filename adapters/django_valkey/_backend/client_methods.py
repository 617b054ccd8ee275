"""Methods of client classes: the operations, and valkey-py clients for other commands."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django_valkey._methods.methods import AsyncMethods, Methods
from django_valkey._raw import replaced_pools
from dvcache.types import Mode

Raw = TypeVar("Raw")
"""Type of the valkey-py client."""


class _Servers:
    """Attributes of `BaseClient`, for type checkers."""

    if TYPE_CHECKING:
        connection_factory: Any
        _server: Sequence[str]
        _clients: list[Any]
        _process: int

        def get_next_client_index(self, write: bool = True, tried: Sequence[int] | None = None) -> int: ...


class ClientCommands(Methods, _Servers, Generic[Raw]):
    """The operations, for sync code. Inherit it after `BaseClient`."""

    mode: ClassVar[Mode] = "sync"

    def get_client(self, write: bool = True, tried: Sequence[int] | None = None, **_: object) -> Any:
        """Return a valkey-py client of the primary, or with `write=False` of a replica if there is one.

        Args:
            write: whether to select the primary.
            tried: for reads, the indexes in LOCATION that failed.
        """
        return self.get_client_with_index(write, tried)[0]

    def get_client_with_index(self, write: bool = True, tried: Sequence[int] | None = None) -> tuple[Any, int]:
        """Return the client from `get_client`, and the index of its URL in LOCATION."""
        replaced_pools.refuse_raw()
        index = self.get_next_client_index(write=write, tried=tried)
        if self._process != os.getpid():  # the parent still uses inherited connections
            self._clients, self._process = [None] * len(self._clients), os.getpid()
        if self._clients[index] is None:
            self._clients[index] = self.connect(index)
        return self._clients[index], index

    def connect(self, index: int = 0) -> Any:
        """Return a new valkey-py client for one URL of LOCATION."""
        replaced_pools.refuse_raw()
        return self.connection_factory.connect(self._server[index])

    def disconnect(self, index: int = 0, client: Any = None) -> None:
        """Close the idle connections of a client from `connect`; by default of the one at this index."""
        self.connection_factory.disconnect(self.connect(index) if client is None else client)

    def close(self, **_: object) -> None:
        """Do nothing: the connections belong to the process and outlive every client."""

    def rest(self) -> None:
        """Close the idle connections of raw clients. The cache calls this with CLOSE_CONNECTION."""
        if "connection_factory" in self.__dict__ and not replaced_pools.is_off_network():
            for index in range(len(self._server)):
                self.disconnect(index)

    def _get_client(
        self, write: bool = True, tried: Sequence[int] | None = None, client: Any = None, **kwargs: object
    ) -> Any:
        return client or self.get_client(write=write, tried=tried, **kwargs)


class AsyncClientCommands(AsyncMethods, _Servers, Generic[Raw]):
    """The operations as coroutines, each under two names, `get` and `aget`. Inherit it after `BaseClient`."""

    mode: ClassVar[Mode] = "async"

    async def get_client(self, write: bool = True, tried: Sequence[int] | None = None) -> Any:
        """Return a valkey-py client of the primary, or with `write=False` of a replica if there is one."""
        return (await self.get_client_with_index(write, tried))[0]

    async def get_client_with_index(self, write: bool = True, tried: Sequence[int] | None = None) -> tuple[Any, int]:
        """Return the client from `get_client`, for the running loop, and the index of its URL in LOCATION."""
        index = self.get_next_client_index(write=write, tried=tried)
        self._clients[index] = client = await self.connect(index)  # cheap: the pool belongs to the loop and is shared
        return client, index

    async def connect(self, index: int = 0) -> Any:
        """Return a new valkey-py client for one URL of LOCATION and the running loop."""
        replaced_pools.refuse_raw()
        return await self.connection_factory.connect(self._server[index])

    async def disconnect(self, index: int = 0, client: Any = None) -> None:
        """Close the idle connections of a client from `connect`; by default of the one at this index."""
        await self.connection_factory.disconnect(await self.connect(index) if client is None else client)

    async def close(self, **_: object) -> None:
        """Do nothing: the connections belong to the process and outlive every client."""

    def rest(self) -> None:
        """Do nothing, also with CLOSE_CONNECTION: connections of an event loop are closed with the loop."""

    async def _get_client(self, write: bool = True, tried: Sequence[int] | None = None, client: Any = None) -> Any:
        return client or await self.get_client(write=write, tried=tried)
