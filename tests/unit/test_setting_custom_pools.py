"""Test which custom classes run the commands, and which cannot."""

from typing import Any

import pytest
import valkey.asyncio.connection as aio
import valkey.connection as sync
import valkey.sentinel

from dvcache import Container
from dvcache.errors import ConfigurationError
from dvcache.pools.custom.async_pool import AsyncCustomPool
from dvcache.pools.custom.sources import Classes, FromClasses, FromFactory
from dvcache.pools.custom.sync_pool import CustomPool
from dvcache.pools.factory import Pools
from dvcache.pools.sync_pool import SyncPool
from dvcache.settings import Settings
from dvcache.testing import MemoryPoolFactory
from dvcache.types import Endpoint
from tests.support.custom_pools import (
    Counted,
    OwnAsyncConnection,
    OwnAsyncParser,
    OwnAsyncPool,
    OwnConnection,
    OwnParser,
    OwnPool,
    OwnSentinelPool,
)

RESP2 = "valkey._parsers.resp2"
KWARGS = "CONNECTION_POOL_KWARGS"
SENTINEL = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": [("h", 1)]}


def endpoint(location: Any = "valkey://host/1", **options: Any) -> Endpoint:
    return Settings.parse({"LOCATION": location, "OPTIONS": options}, alias="pages").endpoints[0]


def classes(**options: Any) -> tuple[Classes | str, Classes | str]:
    source = endpoint(**options).driver
    assert isinstance(source, FromClasses)
    return source.sync, source.aio


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"CONNECTION_POOL_CLASS": "valkey.BlockingConnectionPool"},
        {"CONNECTION_POOL_CLASS": "valkey.asyncio.connection.ConnectionPool"},
        {"PARSER_CLASS": "valkey.connection.DefaultParser"},
        {"PARSER_CLS": "valkey._parsers.libvalkey._AsyncLibvalkeyParser"},
        {"CONNECTION_FACTORY": "django_valkey.pool.ConnectionFactory"},
        {KWARGS: {"connection_class": None, "command_packer": None, "protocol": 3}},
    ],
)
def test_built_in_classes_use_the_built_in_pools(options: dict[str, Any]) -> None:
    assert endpoint(**options).driver is None
    assert isinstance(Pools().pool(endpoint(**options)), SyncPool)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"CONNECTION_POOL_CLASS": OwnPool},
            (Classes(pool=OwnPool), "OPTIONS['CONNECTION_POOL_CLASS']"),
        ),
        (
            {"CONNECTION_POOL_CLASS": "tests.support.custom_pools.OwnAsyncPool"},
            ("OPTIONS['CONNECTION_POOL_CLASS']", Classes(pool=OwnAsyncPool)),
        ),
        (
            {
                "PARSER_CLASS": "valkey._parsers.resp2._RESP2Parser",
                "CONNECTION_POOL_CLASS": "valkey.BlockingConnectionPool",
            },
            (
                Classes(pool=sync.BlockingConnectionPool, parser=OwnParser.__mro__[1]),
                Classes(pool=aio.BlockingConnectionPool, parser=OwnAsyncParser.__mro__[1]),
            ),
        ),
        (
            {"PARSER_CLASS": OwnParser, "PARSER_CLS": OwnAsyncParser},
            (
                Classes(pool=sync.ConnectionPool, parser=OwnParser),
                Classes(pool=aio.ConnectionPool, parser=OwnAsyncParser),
            ),
        ),
        (
            {"PARSER_CLASS": OwnParser},
            (Classes(pool=sync.ConnectionPool, parser=OwnParser), "OPTIONS['PARSER_CLASS']"),
        ),
        (
            {KWARGS: {"connection_class": OwnConnection, "parser_class": OwnParser}},
            (
                Classes(pool=sync.ConnectionPool, connection=OwnConnection, parser=OwnParser),
                f"OPTIONS[{KWARGS!r}]",
            ),
        ),
        (
            {KWARGS: {"connection_class": sync.Connection}},
            (
                Classes(pool=sync.ConnectionPool, connection=sync.Connection),
                Classes(pool=aio.ConnectionPool, connection=aio.Connection),
            ),
        ),
    ],
)
def test_custom_class_is_completed_with_the_others_of_its_mode(
    options: dict[str, Any], expected: tuple[Any, Any]
) -> None:
    assert classes(**options) == expected


def test_equal_classes_make_equal_endpoints_and_others_do_not() -> None:
    assert endpoint(CONNECTION_POOL_CLASS=OwnPool) == endpoint(
        CONNECTION_POOL_CLASS="tests.support.custom_pools.OwnPool"
    )
    assert hash(endpoint(CONNECTION_POOL_CLASS=OwnPool)) == hash(endpoint(CONNECTION_POOL_CLASS=OwnPool))
    assert endpoint(CONNECTION_POOL_CLASS=OwnPool) != endpoint()
    assert endpoint(PARSER_CLASS=OwnParser) != endpoint(CONNECTION_POOL_CLASS=OwnPool)
    assert endpoint(CONNECTION_FACTORY=Factory) == endpoint(CONNECTION_FACTORY=Factory)
    assert endpoint(CONNECTION_FACTORY=Factory) != endpoint(CONNECTION_FACTORY=Factory, SCAN_COUNT=7)


def test_sentinel_discovery_is_chosen_by_the_class() -> None:
    def discovers(**options: Any) -> bool:
        source = endpoint("valkey://service", **SENTINEL, **options).driver
        assert source is not None
        return source.discovers

    class Managed(valkey.sentinel.SentinelManagedConnection):  # type: ignore[misc]  # valkey-py has no types to follow
        """A connection that asks its pool for the address."""

    assert discovers(CONNECTION_POOL_CLASS=OwnSentinelPool)
    assert discovers(CONNECTION_POOL_KWARGS={"connection_class": Managed})
    assert not discovers(CONNECTION_POOL_KWARGS={"connection_class": OwnConnection})
    assert not discovers(PARSER_CLASS=OwnParser, CONNECTION_POOL_CLASS="valkey.sentinel.SentinelConnectionPool")


class Factory:
    """A factory with the required methods and nothing else."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def connect(self, url: str) -> Any:
        raise AssertionError(url)

    def disconnect(self, connection: Any) -> None:
        raise AssertionError(connection)


class Failing(Factory):
    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        raise RuntimeError("it is down")


def test_factory_is_made_once_from_the_options_for_all_servers() -> None:
    options = {"CONNECTION_FACTORY": Factory, "SCAN_COUNT": 7, "PASSWORD": "secret"}
    first, second = Settings.parse({"LOCATION": ["valkey://a", "valkey://b"], "OPTIONS": options}).endpoints
    assert isinstance(first.driver, FromFactory)
    assert isinstance(second.driver, FromFactory)
    assert first.driver.factory is second.driver.factory
    assert first.driver.factory.options == options
    assert (first.driver.url, second.driver.url) == ("valkey://a", "valkey://b")
    assert "secret" not in repr(first)


@pytest.mark.parametrize(
    ("location", "options", "key", "reason"),
    [
        (
            "valkey://h",
            {"CONNECTION_POOL_CLASS": dict},
            "CONNECTION_POOL_CLASS",
            "dict lacks get_connection",
        ),
        ("valkey://h", {"CONNECTION_POOL_CLASS": "mine.Pool"}, "CONNECTION_POOL_CLASS", "there is no module 'mine'"),
        ("valkey://h", {"PARSER_CLASS": dict}, "PARSER_CLASS", "dict lacks read_response"),
        ("valkey://h", {"PARSER_CLS": "valkey.connection.parse_url"}, "PARSER_CLS", "must name a class"),
        ("valkey://h", {KWARGS: {"connection_class": dict}}, KWARGS, "dict lacks read_response"),
        ("valkey://h", {"CONNECTION_POOL_CLASS": OwnPool, KWARGS: {"decode_responses": True}}, KWARGS, "must stay off"),
        ("valkey://h", {"CONNECTION_FACTORY": dict}, "CONNECTION_FACTORY", "dict lacks connect and disconnect"),
        ("valkey://h", {"CONNECTION_FACTORY": Failing}, "CONNECTION_FACTORY", "Failing cannot be created: Runtime"),
        (
            "valkey://h",
            {"CONNECTION_FACTORY": Factory, "CLUSTER": True},
            "CONNECTION_FACTORY",
            "ClusterConnectionFactory",
        ),
        ("embedded://", {"CONNECTION_FACTORY": Factory}, "CONNECTION_FACTORY", "embedded:// has no URL"),
        ("valkeys://h", {KWARGS: {"connection_class": OwnConnection}}, KWARGS, "inherit SSLConnection"),
        (
            "valkey://h",
            {KWARGS: {"connection_class": OwnAsyncConnection, "ssl": True}},
            KWARGS,
            "inherit SSLConnection",
        ),
        ("unix:///s", {KWARGS: {"connection_class": OwnConnection}}, KWARGS, "inherit UnixDomainSocketConnection"),
    ],
)
def test_class_that_cannot_run_commands_is_an_error_of_the_settings(
    location: str, options: dict[str, Any], key: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint(location, **options)
    assert (caught.value.alias, caught.value.key) == ("pages", f"OPTIONS[{key!r}]")
    assert reason in str(caught.value)


class Decoding(OwnPool):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, decode_responses=True)


def test_pool_that_decodes_replies_is_refused_before_it_connects() -> None:
    with pytest.raises(ConfigurationError, match=r"pages.*decode_responses must stay off: Decoding sets it"):
        Pools().pool(endpoint(CONNECTION_POOL_CLASS=Decoding)).execute((("GET", "k"),))


@pytest.mark.parametrize("options", [{"CONNECTION_POOL_CLASS": OwnPool}, {"CONNECTION_FACTORY": Factory}])
def test_memory_pools_stay_off_the_network_with_custom_classes(options: dict[str, Any]) -> None:
    settings = Settings.parse({"LOCATION": "valkey://production.example.com", "OPTIONS": options})
    Counted.reset()
    with Container(settings, pool_factory=MemoryPoolFactory()) as container:
        assert container.cache().set("a", 1)
        assert container.cache().get("a") == 1
    assert not Counted.calls


def test_pools_that_are_gone_are_not_remembered() -> None:
    pools = Pools()
    kept = [pools.pool(endpoint()), pools.pool(endpoint(CONNECTION_POOL_CLASS=OwnPool))]
    pools.async_pool(endpoint(CONNECTION_POOL_CLASS=OwnPool))
    assert len(pools._made) == 2
    assert [type(pool) for pool in kept] == [SyncPool, CustomPool]
    assert isinstance(pools.async_pool(endpoint(CONNECTION_POOL_CLASS=OwnPool)), AsyncCustomPool)
    pools.release()
