"""Test custom clients on real servers: the valkey-py client that runs a command, and raw access."""

import asyncio
from typing import Any, Final

import pytest
import valkey
import valkey.asyncio
from django.core.cache import caches
from django.test.utils import override_settings

from django_valkey.async_cache.client import AsyncDefaultClient, AsyncSentinelClient
from django_valkey.base_client import DEFAULT_TIMEOUT, _main_exceptions
from django_valkey.client import DefaultClient, SentinelClient
from django_valkey.exceptions import ConnectionInterrupted
from tests.support.custom_caches import ASYNC, SYNC, calls, of, path
from tests.support.servers import Server
from tests.support.topologies import SentinelFleet

pytestmark = pytest.mark.usefixtures("raw_pools")


class ByNumber(DefaultClient):
    """A client that reads from the third of its databases, by `get_next_client_index`."""

    def get_next_client_index(self, write: bool = True, **_: Any) -> int:
        calls["index"] += 1
        return 0 if write else 2


class Whole(DefaultClient):
    """A client with its own raw clients."""

    def get_client(self, **_: Any) -> Any:
        calls["get_client"] += 1
        return self.connect(2)


class Connecting(DefaultClient):
    """A client that overrides `connect`."""

    def connect(self, _: int = 0) -> Any:
        calls["connect"] += 1
        return super().connect(2)


class AsyncByNumber(AsyncDefaultClient):
    """The same for async code."""

    def get_next_client_index(self, write: bool = True, **_: Any) -> int:
        calls["index"] += 1
        return 0 if write else 2


class AsyncWhole(AsyncDefaultClient):
    """The same for async code."""

    async def get_client(self, **_: Any) -> Any:
        calls["get_client"] += 1
        return await self.connect(2)


def aliased(server: Server, client: type) -> Any:
    backend = ASYNC if issubclass(client, AsyncDefaultClient) else SYNC
    location = [server.url(each) for each in (1, 2, 3)]
    entry = {"BACKEND": backend, "LOCATION": location, "OPTIONS": {"CLIENT_CLASS": path(client)}}
    calls.clear()
    return override_settings(CACHES={"default": entry})


def held(server: Server, number: int) -> list[str]:
    with valkey.Valkey.from_url(server.url(number)) as raw:
        return sorted(key.decode() for key in raw.scan_iter("*"))


@pytest.mark.parametrize("client", [ByNumber, AsyncByNumber])
def test_commands_use_the_client_of_an_overridden_get_client(server: Server, client: type) -> None:
    with aliased(server, client):

        async def scenario() -> None:
            cache = caches["default"]
            assert await cache.aset("a", 1)
            assert await cache.aget("a") is None
            assert await cache.aget_or_set("a", 2) == 1

        asyncio.run(scenario())
        if client is ByNumber:
            cache = caches["default"]
            assert cache.set("b", 1)
            assert cache.get("b") is None
            assert sorted(cache.keys("*")) == ["a", "b"]
            assert cache.incr("b") == 2
        assert calls["index"] >= 3
    assert ":1:a" in held(server, 1)
    assert held(server, 2) == held(server, 3) == []


@pytest.mark.parametrize("client", [Whole, Connecting, AsyncWhole])
def test_commands_use_the_client_of_an_overridden_connect(server: Server, client: type) -> None:
    with aliased(server, client):

        async def scenario() -> None:
            cache = caches["default"]
            assert await cache.aset("a", 1)
            assert await cache.aget("a") == 1
            assert await cache.aincr("a") == 2
            assert await cache.aget_many(["a", "b"]) == {"a": 2}

        asyncio.run(scenario())
        assert sum(calls.values()) >= (1 if client is Connecting else 4)
    assert held(server, 3) == [":1:a"]
    assert held(server, 1) == held(server, 2) == []


RAW: Final = [
    "get_client",
    "get_client_with_index",
    "get_next_client_index",
    "connect",
    "disconnect",
    "encode",
    "decode",
]


def test_sync_client_returns_the_results_of_django_valkeys_client(server: Server) -> None:
    with override_settings(CACHES={"default": {"BACKEND": SYNC, "LOCATION": [server.url(1), server.url(2)]}}):
        cache = caches["default"]
        client = cache.client
        assert all(hasattr(client, name) for name in RAW)
        assert (client.get_next_client_index(), client.get_next_client_index(write=False)) == (0, 1)
        assert client.get_next_client_index(False, [1]) == 0
        raw, index = client.get_client_with_index(write=True)
        assert index == 0
        assert raw is client.get_client(True, None) is client._clients[0]
        assert client.get_client(write=False).client_info()["db"] == 2
        assert raw.set(client.make_key("a"), client.encode({"b": 1}))
        assert client.decode(raw.get(":1:a")) == cache._wired.container.cache().get_or_set("a", None) == {"b": 1}
        assert (client.encode(5), client.encode(1.5), client.decode(b"5")) == (5, 1.5, 5)
        assert client.connect(1) is not client.connect(1)
        client.disconnect(0)
        client.disconnect(client=client.get_client(write=False))
        assert raw.ping()
        assert client.close() is None


def test_async_client_returns_the_results_of_django_valkeys_client(server: Server) -> None:
    async def scenario() -> None:
        cache = caches["default"]
        client = cache.client
        assert client.get_next_client_index(write=True) == 0
        raw, index = await client.get_client_with_index(write=False)
        assert index == 1
        assert (await (await client.get_client()).client_info())["db"] == 1
        assert await raw.set(client.make_key("a"), client.encode([1]))
        assert client.decode(await raw.get(":1:a")) == [1]
        assert await cache.get("a") == await client.aget("a") == await client.get("a") == [1]
        assert isinstance(await client.connect(), valkey.asyncio.Valkey)
        await client.disconnect()
        await client.disconnect(1)
        await client.close()

    with override_settings(CACHES={"default": {"BACKEND": ASYNC, "LOCATION": [server.url(1), server.url(2)]}}):
        asyncio.run(scenario())


class ByHand(DefaultClient):
    """A client with operations written in commands of valkey-py, as django-valkey's own methods are."""

    def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        calls["get"] += 1
        nkey = self.make_key(key, version=version)
        client = self._get_client(write=False, client=client, key=nkey)
        try:
            value = client.get(nkey)
        except _main_exceptions as error:
            raise ConnectionInterrupted(connection=client) from error
        return default if value is None else self.decode(value)

    def set(  # noqa: PLR0917  # as django-valkey's
        self,
        key: Any,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
        client: Any = None,
        nx: bool = False,
        xx: bool = False,
    ) -> Any:
        calls["set"] += 1
        nkey, nvalue = self.make_key(key, version=version), self.encode(value)
        if timeout is DEFAULT_TIMEOUT:
            timeout = self._backend.default_timeout
        client, _ = self.get_client_with_index(write=True, tried=[]) if client is None else (client, 0)
        return client.set(nkey, nvalue, nx=nx, px=None if timeout is None else int(timeout * 1000), xx=xx)

    def members(self, key: Any) -> Any:
        return self._decode_iterable_result(list(self.get_client().smembers(self.make_key(key))))


class AsyncByHand(AsyncDefaultClient):
    """The same for async code."""

    async def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        calls["get"] += 1
        client = await self._get_client(write=False, client=client)
        nkey = self.make_key(key, version=version)
        try:
            value = await client.get(nkey)
        except _main_exceptions as error:
            raise ConnectionInterrupted(connection=client) from error
        return default if value is None else self.decode(value)

    async def set(  # noqa: PLR0917  # as django-valkey's
        self,
        key: Any,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,  # noqa: ASYNC109  # the entry's
        version: Any = None,
        client: Any = None,
        nx: bool = False,
        xx: bool = False,
    ) -> Any:
        calls["set"] += 1
        if timeout is DEFAULT_TIMEOUT:
            timeout = self._backend.default_timeout
        client = await self._get_client(write=True, client=client)
        return await client.set(self.make_key(key, version), self.encode(value), nx=nx, px=int(timeout * 1000), xx=xx)


@pytest.mark.parametrize("client", [ByHand, AsyncByHand])
def test_operations_written_with_raw_client_commands_work_as_before(server: Server, client: type) -> None:
    backend = SYNC if client is ByHand else ASYNC
    entry = {"BACKEND": backend, "LOCATION": server.url(1), "OPTIONS": {"CLIENT_CLASS": path(client)}}
    calls.clear()

    async def scenario() -> None:
        cache = caches["default"]
        assert await cache.aset("a", {"b": 1})
        assert await cache.aget("a") == {"b": 1}
        assert await cache.aadd("a", 2) is False
        assert await cache.aget_or_set("new", 5, timeout=60) == 5
        assert await cache.aincr("new", 2) == 7
        assert await cache.attl("new") == 60
        assert await cache.aget_many(["a", "new", "none"]) == {"a": {"b": 1}, "new": 7}
        assert await cache.ahas_key("none") is False
        assert (calls["get"], calls["set"]) == (7, 4)

    with override_settings(CACHES={"default": entry}):
        asyncio.run(scenario())
        if client is ByHand:
            cache = caches["default"]
            assert cache.get("a") == {"b": 1}
            cache.sadd("set", 1, "x")
            assert cache.client.members("set") == {1, "x"}
    assert held(server, 1)[:2] == [":1:a", ":1:new"]


class Watched(SentinelClient):
    """A custom client of a service."""

    def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        calls["get"] += 1
        return super().get(key, default, version, client)

    def make_key(self, key: Any, version: Any = None, prefix: Any = None) -> Any:
        calls["make_key"] += 1
        return super().make_key(key, version, prefix)


class AsyncWatched(AsyncSentinelClient):
    """The same for async code."""

    async def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        calls["get"] += 1
        return await super().get(key, default, version, client)

    def make_key(self, key: Any, version: Any = None, prefix: Any = None) -> Any:
        calls["make_key"] += 1
        return super().make_key(key, version, prefix)


@pytest.mark.parametrize("client", [Watched, AsyncWatched])
def test_custom_clients_work_on_real_sentinels(fleet: SentinelFleet, client: type) -> None:
    backend = SYNC if client is Watched else ASYNC
    options = {"CLIENT_CLASS": path(client), "SENTINELS": fleet.addresses, "READ_FROM": "primary"}
    entry = {"BACKEND": backend, "LOCATION": "valkey://service_name/0", "OPTIONS": options}
    fleet.replication("service_name")
    calls.clear()
    with override_settings(CACHES={"default": entry}):
        cache = caches["default"]
        assert of(cache, "set")("a", 1)
        assert of(cache, "get")("a") == 1
        assert of(cache, "has_key")("a")
        assert of(cache, "incr")("a") == 2
        assert calls["get"] == 3
        assert calls["make_key"] >= 5
