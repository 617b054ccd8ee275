"""Factories and clients as projects write them: every overridden method counts its calls."""

from typing import Any, ClassVar

from django_valkey.async_cache.client import AsyncDefaultClient
from django_valkey.async_cache.pool import AsyncConnectionFactory, AsyncSentinelConnectionFactory
from django_valkey.client import DefaultClient
from django_valkey.pool import ConnectionFactory, SentinelConnectionFactory


class Counting:
    """A project's overrides: each counts its calls, and connections have the factory's client name."""

    name: ClassVar[str] = ""
    calls: ClassVar[dict[str, int]] = {}
    pools: ClassVar[list[Any]] = []

    @classmethod
    def count(cls, name: str) -> None:
        Counting.calls[name] = Counting.calls.get(name, 0) + 1

    def make_connection_params(self, url: str | None) -> dict[str, Any]:
        self.count("make_connection_params")
        params: dict[str, Any] = super().make_connection_params(url)  # type: ignore[misc]  # a mix-in
        return {**params, "client_name": self.name}

    def get_connection_pool(self, params: Any) -> Any:
        self.count("get_connection_pool")
        pool = super().get_connection_pool(params)  # type: ignore[misc]
        self.pools.append(pool)
        return pool

    def get_or_create_connection_pool(self, params: Any) -> Any:
        self.count("get_or_create_connection_pool")
        return super().get_or_create_connection_pool(params)  # type: ignore[misc]

    def get_parser_cls(self) -> Any:
        self.count("get_parser_cls")
        return super().get_parser_cls()  # type: ignore[misc]


class CountingSync(Counting):
    def connect(self, url: str) -> Any:
        self.count("connect")
        return super().connect(url)  # type: ignore[misc]

    def get_connection(self, params: Any) -> Any:
        self.count("get_connection")
        return super().get_connection(params)  # type: ignore[misc]

    def disconnect(self, connection: Any) -> None:
        self.count("disconnect")
        super().disconnect(connection)  # type: ignore[misc]


class CountingAsync(Counting):
    async def connect(self, url: str) -> Any:
        self.count("connect")
        return await super().connect(url)  # type: ignore[misc]

    async def get_connection(self, params: Any) -> Any:
        self.count("get_connection")
        return await super().get_connection(params)  # type: ignore[misc]

    async def disconnect(self, connection: Any) -> None:
        self.count("disconnect")
        await super().disconnect(connection)  # type: ignore[misc]


class Factory(CountingSync, ConnectionFactory):
    """The project's factory."""


class AsyncFactory(CountingAsync, AsyncConnectionFactory):
    """The same for asynchronous code."""


class SentinelFactory(CountingSync, SentinelConnectionFactory):
    """The project's factory for services."""


class AsyncSentinelFactory(CountingAsync, AsyncSentinelConnectionFactory):
    """The same for asynchronous code."""


class Client(DefaultClient):
    CONNECTION_FACTORY_PATH = f"{__name__}.Factory"


class AsyncClient(AsyncDefaultClient):
    CONNECTION_FACTORY_PATH = f"{__name__}.AsyncFactory"


OF = {"sync": (Factory, Client, SentinelFactory), "async": (AsyncFactory, AsyncClient, AsyncSentinelFactory)}
