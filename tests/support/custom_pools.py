"""Pool, connection and parser classes as projects write them; each counts its uses."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar, Final, TypeVar

import valkey.asyncio.connection as aio
import valkey.connection as sync
from typing_extensions import override
from valkey._parsers.resp2 import _AsyncRESP2Parser, _RESP2Parser
from valkey.asyncio.sentinel import SentinelConnectionPool as AsyncSentinelConnectionPool
from valkey.sentinel import SentinelConnectionPool

from dvcache.pools.custom.async_pool import AsyncCustomPool
from dvcache.pools.custom.sync_pool import CustomPool
from dvcache.settings import Settings
from dvcache.types import Endpoint

P = TypeVar("P", CustomPool, AsyncCustomPool)


class Counted:
    """Count the calls of each counting method, of a class and its subclasses, since `reset`."""

    calls: ClassVar[dict[str, int]] = {}

    @classmethod
    def count(cls, name: str) -> None:
        Counted.calls[name] = Counted.calls.get(name, 0) + 1

    @classmethod
    def reset(cls) -> None:
        Counted.calls.clear()


class OwnPool(sync.ConnectionPool, Counted):  # type: ignore[misc]  # valkey-py has no types that mypy follows
    @override
    def get_connection(self, command_name: str, *keys: Any, **options: Any) -> Any:
        self.count("get_connection")
        return super().get_connection(command_name, *keys, **options)


class OwnBlockingPool(sync.BlockingConnectionPool, Counted):
    @override
    def release(self, connection: Any) -> None:
        self.count("release")
        super().release(connection)


class OwnAsyncPool(aio.ConnectionPool, Counted):
    @override
    async def get_connection(self, command_name: str, *keys: Any, **options: Any) -> Any:
        self.count("get_connection")
        return await super().get_connection(command_name, *keys, **options)


class OwnAsyncBlockingPool(aio.BlockingConnectionPool, Counted):
    @override
    async def release(self, connection: Any) -> None:
        self.count("release")
        await super().release(connection)


class OwnSentinelPool(SentinelConnectionPool, Counted):
    @override
    def get_connection(self, command_name: str, *keys: Any, **options: Any) -> Any:
        self.count("get_connection")
        return super().get_connection(command_name, *keys, **options)


class OwnAsyncSentinelPool(AsyncSentinelConnectionPool, Counted):
    @override
    async def get_connection(self, command_name: str, *keys: Any, **options: Any) -> Any:
        self.count("get_connection")
        return await super().get_connection(command_name, *keys, **options)


class OwnConnection(sync.Connection, Counted):
    """A connection with an argument that valkey-py's does not have."""

    def __init__(self, *, nickname: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nickname = nickname

    @override
    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self.count(f"send_packed_command {self.nickname}".strip())
        super().send_packed_command(command, check_health)


class OwnAsyncConnection(aio.Connection, Counted):
    def __init__(self, *, nickname: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nickname = nickname

    @override
    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self.count(f"send_packed_command {self.nickname}".strip())
        await super().send_packed_command(command, check_health)


class ForeignConnection:
    """A connection class unrelated to valkey-py's, with one kind of greeting."""

    def __init__(self, host: str, port: int, db: int, socket_timeout: float, socket_connect_timeout: float) -> None:
        seconds = {"socket_timeout": socket_timeout, "socket_connect_timeout": socket_connect_timeout}
        self._inner = sync.Connection(host, port, db, **seconds)

    def pack_commands(self, commands: Any) -> Any:
        return self._inner.pack_commands(commands)

    def send_packed_command(self, command: Any) -> None:
        self._inner.send_packed_command(command)

    def read_response(self) -> Any:
        return self._inner.read_response()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class CarelessConnection(aio.Connection):
    """A connection that stays open after a failed read: its user has to close it."""

    @override
    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        return await super().read_response(*args, **{**kwargs, "disconnect_on_error": False})


class TrustingPool(OwnPool):
    """A pool that does not check whether it is in a forked child."""

    @override
    def _checkpid(self) -> None:
        pass


class OwnParser(_RESP2Parser, Counted):
    @override
    def read_response(self, disable_decoding: bool = False) -> Any:
        self.count("read_response")
        return super().read_response(disable_decoding)


class OwnAsyncParser(_AsyncRESP2Parser, Counted):
    @override
    async def read_response(self, disable_decoding: bool = False) -> Any:
        self.count("read_response")
        return await super().read_response(disable_decoding)


POOL_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "lean": {},
    "own pool": {"CONNECTION_POOL_CLASS": OwnPool},
    "own asynchronous pool": {"CONNECTION_POOL_CLASS": OwnAsyncPool},
}
"""OPTIONS by the custom class that runs the commands."""


def endpoint_of(url: str, **options: Any) -> Endpoint:
    """Return the endpoint of an alias with these OPTIONS."""
    [endpoint] = Settings.parse({"LOCATION": url, "OPTIONS": options}, alias="tested").endpoints
    return endpoint


@contextmanager
def pools_of(cls: type, kind: type[P], make: Callable[[Endpoint], Any], url: str) -> Iterator[Callable[..., P]]:
    """Yield a function that makes pools of connections of a custom class; close them at the end of the block.

    Args:
        cls: the custom class, whose counts are reset.
        kind: class of the pools.
        make: makes a pool.
        url: URL of the server, unless another is given.
    """
    with ExitStack() as exits:

        def pool(location: str = url, *, timeout: float = 5, **kwargs: Any) -> P:
            options = {"CONNECTION_POOL_CLASS": cls, "SOCKET_TIMEOUT": timeout, "CONNECTION_POOL_KWARGS": kwargs}
            made = make(endpoint_of(location, **options))
            assert isinstance(made, kind)
            exits.callback(made.close)
            return made

        Counted.reset()
        yield pool
