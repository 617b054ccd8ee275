"""Test that raw clients are refused while a test has replaced the pools, so that the server keeps its entries."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
import valkey
import valkey.asyncio
from django.core.cache import caches
from django.test.utils import override_settings

from django_valkey import async_cache, get_valkey_connection
from django_valkey._backend import aliases
from django_valkey._config import registry
from django_valkey.async_cache.client import AsyncDefaultClient
from django_valkey.async_cache.pool import AsyncConnectionFactory
from django_valkey.client import DefaultClient
from django_valkey.cluster_cache.pool import AsyncClusterConnectionFactory, ClusterConnectionFactory
from django_valkey.pool import ConnectionFactory, get_connection_factory
from dvcache import NotSupportedError
from dvcache.pools.factory import Pools
from dvcache.testing import MemoryPoolFactory
from tests.support.servers import Server

pytestmark = pytest.mark.usefixtures("raw_pools")
SYNC: Final = "django_valkey.cache.ValkeyCache"
ASYNC: Final = "django_valkey.async_cache.cache.AsyncValkeyCache"


class OwnFactory:
    """A custom factory that inherits from none of ours."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def connect(self, url: str) -> Any:
        return valkey.Valkey.from_url(url)

    def disconnect(self, connection: Any) -> None:
        connection.close()


class Choosing(DefaultClient):
    """A client that overrides `get_client`."""

    def get_client(self, **_: Any) -> Any:
        return valkey.Valkey.from_url(self._server[0])


class AsyncChoosing(AsyncDefaultClient):
    async def get_client(self, **_: Any) -> Any:
        return valkey.asyncio.Valkey.from_url(self._server[0])


class OwnLock:
    """A custom lock, which receives a raw client."""

    def __init__(self, client: Any, name: str, **_: Any) -> None:
        client.set(name, 1)


def waited(found: Any) -> Any:
    return asyncio.run(_await(found)) if inspect.isawaitable(found) else found


async def _await(found: Any) -> Any:
    return await found


def made(server: Server, factory: type[Any]) -> Any:
    return factory({}), server.url()


Way = Callable[[Any, Server], Any]
WAYS: Final[dict[str, Way]] = {
    "get_valkey_connection": lambda _, __: get_valkey_connection("default").flushdb(),
    "get_valkey_connection of a replica": lambda _, __: get_valkey_connection("default", write=False),
    "asynchronous get_valkey_connection": lambda _, __: async_cache.get_valkey_connection("default"),
    "get_client": lambda cache, _: cache.client_in("sync").get_client(),
    "asynchronous get_client": lambda cache, _: cache.client_in("async").get_client(),
    "get_client of the cache's client": lambda cache, _: cache.client.get_client(),
    "get_client_with_index": lambda cache, _: cache.client.get_client_with_index(),
    "_get_client": lambda cache, _: cache.client._get_client(),
    "connect": lambda cache, _: cache.client.connect(),
    "disconnect": lambda cache, _: cache.client.disconnect(),
    "the factory's connect": lambda cache, server: cache.client.connection_factory.connect(server.url()),
    "the factory's parameters": lambda cache, s: cache.client.connection_factory.make_connection_params(s.url()),
    "the factory's pool": lambda cache, s: cache.client.connection_factory.get_connection_pool({"url": s.url()}),
    "a shared pool": lambda cache, s: cache.client.connection_factory.get_or_create_connection_pool({"url": s.url()}),
    "a factory": lambda _, server: ConnectionFactory({}).connect(server.url()),
    "an asynchronous factory": lambda _, server: AsyncConnectionFactory({}).connect(server.url()),
    "a cluster's factory": lambda _, server: ClusterConnectionFactory({}).connect(server.url()),
    "a cluster's asynchronous factory": lambda _, s: AsyncClusterConnectionFactory({}).get_connection({"url": s.url()}),
    "get_connection_factory": lambda _, server: get_connection_factory(
        "django_valkey.pool.ConnectionFactory", {}
    ).connect(server.url()),
}


@contextmanager
def replaced(**entry: Any) -> Iterator[Any]:
    with override_settings(CACHES={"default": entry}), registry.use(pool_factory=MemoryPoolFactory()):
        yield caches["default"]


@pytest.fixture(autouse=True)
def kept(server: Server) -> Iterator[None]:
    """Check that the server's one entry is untouched."""
    server.raw("SET", "precious", 1)
    yield
    assert server.raw("KEYS", "*") == [b"precious"]


@pytest.mark.parametrize("backend", [SYNC, ASYNC])
@pytest.mark.parametrize("way", WAYS)
def test_raw_client_is_refused_while_pools_are_replaced(server: Server, backend: str, way: str) -> None:
    with replaced(BACKEND=backend, LOCATION=server.url()) as cache:
        with pytest.raises(NotSupportedError, match=r"the real server, while pool_factory is replaced \(wiring.use\)"):
            waited(WAYS[way](cache, server))
        waited(cache.set("k", 1))
        assert waited(cache.get("k")) == 1


@pytest.mark.parametrize("kind", ["client", "pipeline"])
@pytest.mark.parametrize("name", ["set", "get", "clear", "get_lock", "iter_keys", "delete_pattern"])
def test_client_argument_is_refused_while_pools_are_replaced(server: Server, kind: str, name: str) -> None:
    raw = valkey.Valkey.from_url(server.url())
    client = raw if kind == "client" else raw.pipeline()
    arguments = {"set": ("k", 1), "clear": (), "iter_keys": ("*",), "delete_pattern": ("*",)}.get(name, ("k",))
    with replaced(BACKEND=SYNC, LOCATION=server.url()) as cache, raw:
        with pytest.raises(NotSupportedError, match="client= would reach the real server"):
            list(getattr(cache, name)(*arguments, client=client))
        assert not raw.connection_pool._in_use_connections


def test_lock_class_of_the_project_is_refused_while_pools_are_replaced(server: Server) -> None:
    with replaced(BACKEND=SYNC, LOCATION=server.url()) as cache:
        with pytest.raises(NotSupportedError):
            cache.get_lock("k", lock_class=OwnLock)
        with pytest.raises(NotSupportedError):
            waited(cache.aget_lock("k", lock_class=OwnLock))


@pytest.mark.parametrize(("client", "backend"), [(Choosing, SYNC), (AsyncChoosing, ASYNC)])
def test_client_with_its_own_get_client_runs_on_the_replaced_pools(server: Server, client: type, backend: str) -> None:
    options = {"CLIENT_CLASS": client}
    with replaced(BACKEND=backend, LOCATION=server.url(), OPTIONS=options) as cache:
        waited(cache.set("k", 1))
        assert waited(cache.get("k")) == 1
        waited(cache.clear())


def test_custom_factory_is_refused_while_pools_are_replaced(server: Server) -> None:
    options = {"CONNECTION_FACTORY": OwnFactory}
    with replaced(BACKEND=SYNC, LOCATION=server.url(), OPTIONS=options) as cache:
        for way in ("get_client", "the factory's connect", "get_valkey_connection"):
            with pytest.raises(NotSupportedError):
                waited(WAYS[way](cache, server))
        cache.clear()


@pytest.mark.parametrize(
    ("client", "method"),
    [
        ("django_valkey.client.ShardClient", "get_client"),
        ("django_valkey.client.ShardClient", "connect"),
        ("django_valkey.cluster_cache.client.DefaultClusterClient", "get_client"),
    ],
)
def test_raw_client_of_each_topology_is_refused_while_pools_are_replaced(
    server: Server, client: str, method: str
) -> None:
    with replaced(BACKEND=SYNC, LOCATION=server.url(), OPTIONS={"CLIENT_CLASS": client}) as cache:
        with pytest.raises(NotSupportedError):
            getattr(cache.client, method)()
        with pytest.raises(NotSupportedError):
            getattr(cache.client_in("async"), method)().send(None)


@pytest.mark.parametrize("name", ["client", "async_client"])
def test_raw_client_is_refused_while_a_client_is_replaced(server: Server, name: str) -> None:
    with override_settings(CACHES={"default": {"BACKEND": SYNC, "LOCATION": server.url()}}):
        factory, endpoint = MemoryPoolFactory(), _endpoint()
        fake: Any = {name: factory.pool(endpoint) if name == "client" else factory.async_pool(endpoint)}
        with registry.use(**fake), pytest.raises(NotSupportedError, match=f"{name} is replaced"):
            get_valkey_connection("default")


def _endpoint() -> Any:
    return aliases.of_alias("default").container.settings.endpoints[0]


def test_older_cache_object_gives_no_raw_client_while_pools_are_replaced(server: Server) -> None:
    entry = {"BACKEND": SYNC, "LOCATION": server.url(), "OPTIONS": {"CLOSE_CONNECTION": True}}
    with override_settings(CACHES={"default": entry}):
        cache = caches["default"]
        raw = cache.client.get_client()
        with registry.use(pool_factory=MemoryPoolFactory()):
            with pytest.raises(NotSupportedError):
                cache.client.get_client()
            cache.close()
        assert cache.client.get_client().ping()
        raw.close()


def test_raw_client_is_given_with_replaced_real_pools_and_after_the_block(server: Server) -> None:
    entry = {"BACKEND": SYNC, "LOCATION": server.url()}
    with override_settings(CACHES={"default": entry}):
        with registry.use(pool_factory=Pools()):
            assert get_valkey_connection("default").ping()
        with registry.use(pool_factory=MemoryPoolFactory()), registry.use():
            assert get_valkey_connection("default").ping()
        with pytest.raises(ZeroDivisionError), registry.use(pool_factory=MemoryPoolFactory()):
            raise ZeroDivisionError
        assert get_valkey_connection("default").ping()
