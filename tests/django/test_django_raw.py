"""Test connection factories used directly: their clients of valkey-py, and the pools that these share."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest
import valkey
import valkey.asyncio
import valkey.asyncio.connection
import valkey.asyncio.sentinel
import valkey.sentinel
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from django_valkey.async_cache.client import AsyncDefaultClient, AsyncHerdClient, AsyncSentinelClient
from django_valkey.async_cache.pool import AsyncConnectionFactory, AsyncSentinelConnectionFactory
from django_valkey.base_pool import BaseConnectionFactory
from django_valkey.client import DefaultClient, HerdClient, SentinelClient
from django_valkey.pool import ConnectionFactory, SentinelConnectionFactory
from tests.support.servers import Server
from tests.support.topologies import SentinelFleet, role

PATHS = {
    "django_valkey.client.DefaultClient": DefaultClient,
    "django_valkey.client.default.DefaultClient": DefaultClient,
    "django_valkey.client.SentinelClient": SentinelClient,
    "django_valkey.client.sentinel.SentinelClient": SentinelClient,
    "django_valkey.client.herd.HerdClient": HerdClient,
    "django_valkey.async_cache.client.AsyncDefaultClient": AsyncDefaultClient,
    "django_valkey.async_cache.client.default.AsyncDefaultClient": AsyncDefaultClient,
    "django_valkey.async_cache.client.AsyncSentinelClient": AsyncSentinelClient,
    "django_valkey.async_cache.client.sentinel.AsyncSentinelClient": AsyncSentinelClient,
    "django_valkey.async_cache.client.herd.AsyncHerdClient": AsyncHerdClient,
    "django_valkey.pool.ConnectionFactory": ConnectionFactory,
    "django_valkey.pool.SentinelConnectionFactory": SentinelConnectionFactory,
    "django_valkey.async_cache.pool.AsyncConnectionFactory": AsyncConnectionFactory,
    "django_valkey.async_cache.pool.AsyncSentinelConnectionFactory": AsyncSentinelConnectionFactory,
    "django_valkey.base_pool.BaseConnectionFactory": BaseConnectionFactory,
}


pytestmark = pytest.mark.usefixtures("raw_pools")


@pytest.mark.parametrize("path", PATHS)
def test_documented_path_names_its_class(path: str) -> None:
    assert import_string(path) is PATHS[path]


def test_sentinel_classes_extend_the_plain_ones_in_both_modes() -> None:
    assert issubclass(SentinelConnectionFactory, ConnectionFactory)
    assert issubclass(AsyncSentinelConnectionFactory, AsyncConnectionFactory)
    assert issubclass(SentinelClient, DefaultClient)
    assert issubclass(AsyncSentinelClient, AsyncDefaultClient)
    for factory in (ConnectionFactory, AsyncConnectionFactory):
        assert issubclass(factory, BaseConnectionFactory)


def test_factory_connects_a_client_of_valkey_py(server: Server) -> None:
    options = {"SOCKET_TIMEOUT": 2, "SOCKET_CONNECT_TIMEOUT": 1.5, "CONNECTION_POOL_KWARGS": {"client_name": "raw"}}
    before = deepcopy(options)
    factory = ConnectionFactory(options)
    params = factory.make_connection_params(server.url(3))
    assert params == {
        "url": server.url(3),
        "parser_class": valkey.connection.DefaultParser,
        "socket_timeout": 2,
        "socket_connect_timeout": 1.5,
    }
    client = factory.connect(server.url(3))
    assert type(client) is valkey.Valkey
    assert client.client_getname() == "raw"
    assert client.client_info()["db"] == 3
    assert client.connection_pool is factory.get_or_create_connection_pool(params)
    assert factory.get_connection_pool(params) is not client.connection_pool
    assert factory.get_connection(params).connection_pool is client.connection_pool
    factory.disconnect(client)
    assert client.ping()
    assert options == before


def test_async_factory_has_a_pool_for_each_loop_that_closes_with_it(server: Server) -> None:
    factory = AsyncConnectionFactory({"PARSER_CLASS": "valkey.connection.DefaultParser"})

    async def scenario() -> object:
        client = await factory.connect(server.url())
        assert type(client) is valkey.asyncio.Valkey
        assert await client.ping()
        assert (await factory.connect(server.url())).connection_pool is client.connection_pool
        await factory.disconnect(client)
        return client.connection_pool

    assert asyncio.run(scenario()) is not asyncio.run(scenario())
    assert not BaseConnectionFactory._pools


def test_pool_is_shared_only_by_equal_options(server: Server) -> None:
    def pool(url: str = server.url(), **options: Any) -> object:
        return ConnectionFactory(options).connect(url).connection_pool

    assert pool() is pool()
    assert pool(CONNECTION_POOL_KWARGS={"max_connections": 4}) is pool(CONNECTION_POOL_KWARGS={"max_connections": 4})
    assert len({pool(), pool(PASSWORD="a"), pool(PASSWORD="b"), pool(server.url(1)), pool(SOCKET_TIMEOUT=1)}) == 5


class Provider:
    """A credential provider without a hash."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return False

    def get_credentials(self) -> tuple[str, str]:
        return "user", "pass"


@pytest.mark.parametrize("provider", [Provider, Provider()])
def test_pool_with_a_credential_provider_is_shared_too(provider: object) -> None:
    def pool() -> Any:
        return ConnectionFactory({"CREDENTIAL_PROVIDER": provider}).connect("valkey://host").connection_pool

    assert pool() is pool()
    assert isinstance(pool().connection_kwargs["credential_provider"], Provider)
    assert pool() is not ConnectionFactory({"CREDENTIAL_PROVIDER": Provider()}).connect("valkey://host").connection_pool


def test_password_option_applies_to_urls_without_one() -> None:
    def password(url: str) -> object:
        return ConnectionFactory({"PASSWORD": "p"}).connect(url).connection_pool.connection_kwargs["password"]

    assert password("valkey://host") == "p"
    assert password("valkey://:q@host") == "q"
    assert "password" not in ConnectionFactory({"PASSWORD": ""}).make_connection_params("valkey://host")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"SOCKET_TIMEOUT": "2"}, "Socket timeout should be float or integer"),
        ({"SOCKET_CONNECT_TIMEOUT": "2"}, "Socket connect timeout should be float or integer"),
        ({"CONNECTION_POOL_CLASS": "no.such.Pool"}, "there is no module 'no'"),
        ({"BASE_CLIENT_CLASS": "valkey.connection.parse_url"}, "must name a class"),
    ],
)
@pytest.mark.parametrize("cls", [ConnectionFactory, AsyncConnectionFactory])
def test_factory_names_a_wrong_option(cls: type[ConnectionFactory], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        cls(options).make_connection_params("valkey://host")


@pytest.mark.parametrize("cls", [SentinelConnectionFactory, AsyncSentinelConnectionFactory])
def test_sentinel_factory_checks_its_configuration(cls: type[SentinelConnectionFactory]) -> None:
    for options in ({}, {"SENTINELS": []}, {"SENTINELS": None}):
        with pytest.raises(ImproperlyConfigured, match=r"SENTINELS must be provided as a list of \(host, port\)\."):
            cls(options)
    with pytest.raises(ImproperlyConfigured, match="CONNECTION_POOL_CLASS is not configured correctly"):
        cls({"SENTINELS": [("h", 1)], "CONNECTION_POOL_CLASS": "valkey.connection.ConnectionPool"})


def test_sentinel_factory_connects_to_the_role_in_the_url(fleet: SentinelFleet) -> None:
    primary, replicas = fleet.primary("service_name"), fleet.replicas("service_name")
    options = {"SENTINELS": fleet.addresses, "SENTINEL_KWARGS": {"socket_timeout": 2, "min_other_sentinels": 2}}
    before = deepcopy(options)
    factory = SentinelConnectionFactory(options)
    writer = factory.connect("valkey://service_name/db")
    reader = factory.connect("valkey://service_name/1?is_master=0&client_name=reader")
    for client, is_master in ((writer, True), (reader, False)):
        pool = client.connection_pool
        assert type(pool) is valkey.sentinel.SentinelConnectionPool
        assert (pool.is_master, pool.proxy.is_master) == (is_master, is_master)
        assert pool.sentinel_manager.sentinel_kwargs == {"socket_timeout": 2}
        assert pool.sentinel_manager.min_other_sentinels == 2
    assert writer.set("raw", 1)
    assert writer.info("server")["tcp_port"] == primary.port
    assert reader.info("server")["tcp_port"] in {replica.port for replica in replicas}
    assert (reader.client_info()["db"], reader.client_getname()) == (1, "reader")
    assert options == before
    for client in (writer, reader):
        factory.disconnect(client)


def test_async_sentinel_factory_connects_to_the_role_in_the_url(fleet: SentinelFleet) -> None:
    options = {"SENTINELS": fleet.addresses, "CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool"}
    ports = {node.port: role(node) for node in fleet.replication("service_name").nodes}
    factory = AsyncSentinelConnectionFactory(options)

    async def reached(url: str) -> str:
        client = await factory.connect(url)
        assert type(client.connection_pool) is valkey.asyncio.sentinel.SentinelConnectionPool
        port = (await client.info("server"))["tcp_port"]
        await factory.disconnect(client)
        return ports[port]

    for _ in range(2):  # one loop for each
        assert asyncio.run(reached("valkey://service_name/db?is_master=1")) == "master"
        assert asyncio.run(reached("valkey://service_name/db?is_master=0")) == "slave"


def test_sentinel_service_behind_tls_is_found_and_keeps_its_case() -> None:
    options = {"SENTINELS": [("127.0.0.1", 1)], "CONNECTION_POOL_KWARGS": {"ssl_ca_certs": "ca.pem"}}
    sync = SentinelConnectionFactory(options).connect("valkeys://Service/1?is_master=1").connection_pool
    assert sync.service_name == "Service"
    assert sync.connection_class is valkey.sentinel.SentinelManagedSSLConnection
    assert (sync.connection_kwargs["db"], sync.connection_kwargs["ssl_ca_certs"]) == (1, "ca.pem")

    async def aio() -> Any:
        return (await AsyncSentinelConnectionFactory(options).connect("valkeys://Service")).connection_pool

    pool = asyncio.run(aio())
    assert pool.connection_class is valkey.asyncio.sentinel.SentinelManagedSSLConnection
    assert (pool.service_name, pool.is_master) == ("Service", True)
