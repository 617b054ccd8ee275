"""The methods of clients: the operations, and valkey-py's clients of the servers for what there is no operation for."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django_valkey import replaced
from django_valkey.methods import AsyncMethods, Methods
from dvcache.types import Colour

Raw = TypeVar("Raw")
"""valkey-py's client."""


class _Servers:
    """What `BaseClient` brings."""

    if TYPE_CHECKING:
        connection_factory: Any
        _server: Sequence[str]
        _clients: list[Any]
        _process: int

        def get_next_client_index(self, write: bool = True, tried: Sequence[int] | None = None) -> int: ...


class ClientCommands(Methods, _Servers, Generic[Raw]):
    """The operations, which wait for the server. To be inherited after `BaseClient`."""

    colour: ClassVar[Colour] = "sync"

    def get_client(self, write: bool = True, tried: Sequence[int] | None = None, **_: object) -> Any:
        """Return valkey-py's client of the primary, or without `write` of a replica if there is one.

        Args:
            write: whether it is for a write.
            tried: for reads, the indexes in LOCATION that failed.
        """
        return self.get_client_with_index(write, tried)[0]

    def get_client_with_index(self, write: bool = True, tried: Sequence[int] | None = None) -> tuple[Any, int]:
        """Return the client of `get_client`, and the index of its URL in LOCATION."""
        replaced.refuse_raw()
        index = self.get_next_client_index(write=write, tried=tried)
        if self._process != os.getpid():  # what a forked child inherits is its parent's
            self._clients, self._process = [None] * len(self._clients), os.getpid()
        if self._clients[index] is None:
            self._clients[index] = self.connect(index)
        return self._clients[index], index

    def connect(self, index: int = 0) -> Any:
        """Return a client of valkey-py's, made now, of one URL of LOCATION."""
        replaced.refuse_raw()
        return self.connection_factory.connect(self._server[index])

    def disconnect(self, index: int = 0, client: Any = None) -> None:
        """End the connections of a client of `connect`, by default of the one at the index."""
        self.connection_factory.disconnect(self.connect(index) if client is None else client)

    def close(self, **_: object) -> None:
        """Keep the connections: they are the process's, and outlive every client."""

    def rest(self) -> None:
        """End the connections of raw clients that nobody uses. The cache calls this under CLOSE_CONNECTION."""
        if "connection_factory" in self.__dict__ and not replaced.is_off_network():
            for index in range(len(self._server)):
                self.disconnect(index)

    def _get_client(
        self, write: bool = True, tried: Sequence[int] | None = None, client: Any = None, **kwargs: object
    ) -> Any:
        return client or self.get_client(write=write, tried=tried, **kwargs)


class AsyncClientCommands(AsyncMethods, _Servers, Generic[Raw]):
    """The operations as coroutines, each by two names, `get` and `aget`. To be inherited after `BaseClient`."""

    colour: ClassVar[Colour] = "async"

    async def get_client(self, write: bool = True, tried: Sequence[int] | None = None) -> Any:
        """Return valkey-py's client of the primary, or without `write` of a replica if there is one."""
        return (await self.get_client_with_index(write, tried))[0]

    async def get_client_with_index(self, write: bool = True, tried: Sequence[int] | None = None) -> tuple[Any, int]:
        """Return the client of `get_client`, for the running loop, and the index of its URL in LOCATION."""
        index = self.get_next_client_index(write=write, tried=tried)
        self._clients[index] = client = await self.connect(index)  # its pool is the loop's, and is kept
        return client, index

    async def connect(self, index: int = 0) -> Any:
        """Return a client of valkey-py's, made now, of one URL of LOCATION, for the running loop."""
        replaced.refuse_raw()
        return await self.connection_factory.connect(self._server[index])

    async def disconnect(self, index: int = 0, client: Any = None) -> None:
        """End the connections of a client of `connect`, by default of the one at the index."""
        await self.connection_factory.disconnect(await self.connect(index) if client is None else client)

    async def close(self, **_: object) -> None:
        """Keep the connections: they are the process's, and outlive every client."""

    def rest(self) -> None:
        """Keep the connections under CLOSE_CONNECTION too: what an event loop has ends with the loop."""

    async def _get_client(self, write: bool = True, tried: Sequence[int] | None = None, client: Any = None) -> Any:
        return client or await self.get_client(write=write, tried=tried)
