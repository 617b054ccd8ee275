"""Which servers an entry means, and which role each has: every row of the table, and every block of the documents."""

import warnings
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
import valkey.asyncio.sentinel
import valkey.connection
import valkey.sentinel

from dvcache.errors import ConfigurationError, ConfigurationWarning
from dvcache.settings import Settings
from dvcache.types import Endpoint

SENTINELS = [("sentinel-1", 26379), ("sentinel-2", 26379), ("sentinel-3", 26379)]
PLAIN, SENTINEL = "django_valkey.pool.ConnectionFactory", "django_valkey.pool.SentinelConnectionFactory"
SENTINEL_CLIENT = "django_valkey.client.SentinelClient"

PAIR = ["valkey://s/0?is_master=1", "valkey://s/0?is_master=0"]
BOTH = ["s primary", "s replica"]


def parsed(location: object, *, factory: object = None, **options: object) -> Settings:
    entry = {"LOCATION": location, "OPTIONS": options}
    return Settings.parse(entry, alias="pages", connection_factory=factory)


def watched(location: object, **options: object) -> Settings:
    """An alias on sentinels, by its factory."""
    return parsed(location, **{"CONNECTION_FACTORY": SENTINEL, "SENTINELS": SENTINELS, **options})


def refused(location: object, *, factory: object = None, **options: object) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        parsed(location, factory=factory, **options)
    assert caught.value.alias == "pages"
    return caught.value


def roles(settings: Settings) -> list[str]:
    return [f"{endpoint.service or endpoint.host} {endpoint.role}" for endpoint in settings.endpoints]


# Sentinel: the rows of the table ------------------------------------------------------------------------------------


def test_a_sentinel_client_with_one_url_means_the_primary_and_the_replicas_of_that_service() -> None:
    settings = parsed("valkey://s/db", CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=SENTINELS)
    assert settings.endpoints == (
        Endpoint(alias="pages", host="", service="s", role="primary", sentinels=tuple(SENTINELS)),
        Endpoint(alias="pages", host="", service="s", role="replica", sentinels=tuple(SENTINELS)),
    )
    assert (settings.read_from, settings.read_only, settings.write_anywhere) == ("replica", False, False)


@pytest.mark.parametrize("role", [0, 1])
def test_a_sentinel_client_with_one_url_ignores_is_master_with_a_warning(role: int) -> None:
    with pytest.warns(ConfigurationWarning, match=r"CACHES\['pages'\]: LOCATION: is_master was ignored") as caught:
        settings = parsed(f"valkey://s/0?is_master={role}", CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=SENTINELS)
    assert caught[0].filename == __file__
    assert roles(settings) == BOTH


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (["valkey://s/0"], ["s primary"]),
        (["valkey://s/0?is_master=0"], BOTH),
        (["valkey://s/0", "valkey://s/0"], ["s primary"]),
        (["valkey://s/0", "valkey://t/0"], ["s primary", "t primary"]),
        (PAIR, BOTH),
        (",".join(PAIR), BOTH),
    ],
)
@pytest.mark.parametrize("client", [SENTINEL_CLIENT, "django_valkey.client.DefaultClient"])
def test_a_list_of_services_says_the_roles_and_without_is_master_each_is_primary(
    location: object, expected: list[str], client: str
) -> None:
    assert roles(watched(location, CLIENT_CLASS=client)) == expected


@pytest.mark.parametrize(
    ("location", "expected", "read_only"),
    [
        ("valkey://s/0", ["s primary"], False),
        ("valkey://s/0?is_master=1", ["s primary"], False),
        ("valkey://s/0?is_master=true", ["s primary"], False),
        ("valkey://s/0?is_master=0", BOTH, True),
        ("valkey://s/0?is_master=false", BOTH, True),
        (PAIR, BOTH, False),
        (PAIR[::-1], BOTH, False),
        ([*PAIR[:1], *PAIR[1:] * 2], BOTH, False),
        (["valkey://s?is_master=0", "valkey://t?is_master=0"], ["s primary", "s replica", "t replica"], True),
        (["valkey://s?is_master=0", "valkey://t", "valkey://u"], ["t primary", "s replica", "u primary"], False),
    ],
)
def test_a_default_client_on_sentinels_writes_to_the_first_primary_and_reads_the_rest(
    location: object, expected: list[str], *, read_only: bool
) -> None:
    settings = watched(location)
    assert roles(settings) == expected
    assert settings.read_only is read_only


# Plain servers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (["valkey://a", "valkey://b", "valkey://c"], ["a primary", "b replica", "c replica"]),
        ("valkey://a, valkey://b", ["a primary", "b replica"]),
        (("valkey://a", "valkey://a"), ["a primary", "a replica"]),
        (["valkey://a"], ["a primary"]),
        ({"valkey://a"}, ["a primary"]),
        (["valkey://a", "valkey://b?is_master=1", "valkey://c"], ["b primary", "a replica", "c replica"]),
        (["valkey://a?is_master=0", "valkey://b", "valkey://c"], ["b primary", "a replica", "c replica"]),
        (["valkey://a?is_master=1", "valkey://b?is_master=1"], ["a primary", "b primary"]),
    ],
)
def test_a_list_of_servers_is_the_primary_and_its_replicas_unless_is_master_says_otherwise(
    location: object, expected: list[str]
) -> None:
    settings = parsed(location)
    assert roles(settings) == expected
    assert not settings.read_only
    assert not any(endpoint.service or endpoint.sentinels for endpoint in settings.endpoints)


def test_every_server_has_its_own_credentials_and_the_options_of_the_alias() -> None:
    primary, replica = parsed(["valkey://u:p@a/1", "valkeys://b/1"], PASSWORD="q", SOCKET_TIMEOUT=2).endpoints
    assert (primary.options, primary.timeout) == ({"username": "u", "password": "p"}, 2)
    assert (replica.options, replica.timeout, replica.scheme) == ({"password": "q"}, 2, "valkeys")


def test_a_credential_provider_is_made_once_for_all_servers() -> None:
    primary, replica = parsed(["valkey://a", "valkey://b"], CREDENTIAL_PROVIDER=Provider).endpoints
    assert primary.options["credential_provider"] is replica.options["credential_provider"]


class Provider:
    """Credentials that change."""

    def get_credentials(self) -> tuple[str]:
        return ("p",)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (["memory://a", "memory://b"], "memory:// has no replicas"),
        (["valkey://a", "embedded://"], "embedded:// has no replicas"),
        ({"valkey://a", "valkey://b"}, "a set has no order"),
        ("valkey://a?is_master=0", "list the primary too"),
        (["valkey://a?is_master=0", "valkey://b?is_master=0"], "list the primary too"),
    ],
)
def test_a_list_that_cannot_be_served_says_why(location: object, reason: str) -> None:
    error = refused(location)
    assert error.key == "LOCATION"
    assert reason in str(error)


# Where reads and failed writes go -----------------------------------------------------------------------------------


def test_reads_may_be_kept_on_the_primary() -> None:
    assert parsed(["valkey://a", "valkey://b"]).read_from == "replica"
    assert parsed(["valkey://a", "valkey://b"], READ_FROM="primary").read_from == "primary"


def test_reads_from_replicas_where_there_are_none_are_a_warning() -> None:
    with pytest.warns(ConfigurationWarning, match=r"OPTIONS\['READ_FROM'\] has no effect; LOCATION names no replica"):
        parsed("valkey://a", READ_FROM="replica")
    assert parsed("valkey://a", READ_FROM="primary").read_from == "primary"


@pytest.mark.parametrize("value", [False, 0])
def test_a_write_is_tried_on_other_servers_only_where_replicas_are_said_to_be_writable(value: object) -> None:
    assert parsed(["valkey://a", "valkey://b"], REPLICA_READ_ONLY=value).write_anywhere
    assert parsed("valkey://a", REPLICA_READ_ONLY=value).write_anywhere
    assert not parsed("valkey://a", REPLICA_READ_ONLY=True).write_anywhere


@pytest.mark.parametrize("options", [{"REPLICA_READ_ONLY": False}, {"READ_FROM": "primary"}])
def test_replicas_alone_are_neither_written_to_nor_passed_over(options: dict[str, object]) -> None:
    error = refused("valkey://s?is_master=0", CONNECTION_FACTORY=SENTINEL, SENTINELS=SENTINELS, **options)
    assert error.key == f"OPTIONS[{next(iter(options))!r}]"
    assert "names replicas only" in str(error)


# Which classes mean Sentinel ----------------------------------------------------------------------------------------

ASYNC = "django_valkey.async_cache"


class SentinelClient:
    """Stands for the adapter's class, by its module and name."""

    __module__ = "django_valkey.client.sentinel"


@pytest.mark.parametrize(
    "client",
    [
        SENTINEL_CLIENT,
        f" {SENTINEL_CLIENT} ",
        "django_valkey.client.sentinel.SentinelClient",
        f"{ASYNC}.client.AsyncSentinelClient",
        f"{ASYNC}.client.sentinel.AsyncSentinelClient",
        SentinelClient,
    ],
)
@pytest.mark.parametrize("factory", [None, PLAIN, SENTINEL, f"{ASYNC}.pool.AsyncConnectionFactory"])
def test_a_sentinel_client_of_either_colour_means_sentinel_whatever_the_factory(
    client: object, factory: str | None
) -> None:
    assert roles(parsed("valkey://s/0", factory=factory, CLIENT_CLASS=client, SENTINELS=SENTINELS)) == BOTH


@pytest.mark.parametrize(
    "client",
    [
        None,
        "django_valkey.client.DefaultClient",
        "django_valkey.client.default.DefaultClient",
        f"{ASYNC}.client.AsyncDefaultClient",
        f"{ASYNC}.client.default.AsyncDefaultClient",
    ],
)
@pytest.mark.parametrize(
    "named",
    [
        {"CONNECTION_FACTORY": SENTINEL},
        {"CONNECTION_FACTORY": f"{ASYNC}.pool.AsyncSentinelConnectionFactory"},
        {"CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool"},
        {"CONNECTION_POOL_CLASS": "valkey.asyncio.sentinel.SentinelConnectionPool"},
        {"CONNECTION_POOL_CLASS": valkey.sentinel.SentinelConnectionPool},
        {"CONNECTION_POOL_CLASS": valkey.asyncio.sentinel.SentinelConnectionPool},
        {"CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool", "CONNECTION_FACTORY": PLAIN},
    ],
)
def test_a_default_client_is_on_sentinels_by_its_factory_or_its_pool(client: object, named: dict[str, Any]) -> None:
    assert roles(parsed(PAIR, CLIENT_CLASS=client, SENTINELS=SENTINELS, **named)) == BOTH


def test_the_factory_of_the_alias_goes_before_that_for_every_alias() -> None:
    assert roles(parsed("valkey://s", factory=SENTINEL, SENTINELS=SENTINELS)) == ["s primary"]
    assert roles(parsed("valkey://a:1", factory=SENTINEL, CONNECTION_FACTORY=PLAIN)) == ["a primary"]
    assert roles(parsed("valkey://s", factory=PLAIN, CONNECTION_FACTORY=SENTINEL, SENTINELS=SENTINELS)) == ["s primary"]
    assert parsed("valkey://a:1", factory=PLAIN) == parsed("valkey://a:1")


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (SENTINEL_CLIENT, ["s primary"]),
        (f"{ASYNC}.client.sentinel.AsyncSentinelClient", ["s primary"]),
    ],
)
def test_a_client_that_is_named_as_the_factory_means_its_own_factory_and_warns_once(
    client: str, expected: list[str]
) -> None:
    with pytest.warns(ConfigurationWarning, match="connection_factory .*names a client") as caught:
        assert roles(parsed("valkey://s", factory=client, SENTINELS=SENTINELS)) == expected
    assert len(caught) == 1
    with pytest.warns(ConfigurationWarning, match=r"CACHES\['pages'\]: OPTIONS\['CONNECTION_FACTORY'\] names a client"):
        assert roles(parsed("valkey://s", CONNECTION_FACTORY=client, SENTINELS=SENTINELS)) == expected


@pytest.mark.parametrize(
    "client", ["client.DefaultClient", "client.herd.HerdClient", "async_cache.client.default.AsyncDefaultClient"]
)
def test_a_plain_client_as_the_factory_is_said_once_for_all_aliases_and_not_where_an_alias_has_its_own(
    client: str,
) -> None:
    factory = f"django_valkey.{client}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            assert roles(parsed("valkey://a", factory=factory)) == ["a primary"]
    assert len(caught) == 1
    parsed("valkey://a", factory=factory, CONNECTION_FACTORY=PLAIN)


@pytest.mark.parametrize("client", ["client.HerdClient", "async_cache.client.herd.AsyncHerdClient"])
def test_a_herd_client_is_the_default_one_with_the_herd_policy(client: str) -> None:
    found = parsed("valkey://a", CLIENT_CLASS=f"django_valkey.{client}")
    assert found == parsed("valkey://a", HERD=True, PREFIX_HASHES=False)


@pytest.mark.parametrize("factory", ["mine.Factory", 7, "django_valkey.client.ShardClien"])
def test_a_wrong_factory_for_every_alias_is_named(factory: object) -> None:
    assert refused("valkey://a", factory=factory).key == "connection_factory"


# Sentinels and services ---------------------------------------------------------------------------------------------


def test_a_service_keeps_its_case_and_its_credentials_and_sentinels_have_their_own() -> None:
    settings = watched(
        "valkeys://u:p%40@My-Service.Name_1/3?socket_timeout=2&ssl_cert_reqs=none",
        SENTINEL_KWARGS={"username": "v", "password": "q", "socket_timeout": 0.5, "min_other_sentinels": 1},
        CONNECTION_POOL_KWARGS={"max_connections": 4},
    )
    assert settings.endpoints == (
        Endpoint(
            alias="pages",
            scheme="valkeys",
            host="",
            db=3,
            max_connections=4,
            timeout=2.0,
            connect_timeout=2.0,
            service="My-Service.Name_1",
            sentinels=tuple(SENTINELS),
            options={"username": "u", "password": "p@", "ssl_cert_reqs": "none"},
            sentinel_options={"username": "v", "password": "q", "socket_timeout": 0.5, "min_other_sentinels": 1},
        ),
    )
    assert settings.endpoints[0].name == "valkeys://My-Service.Name_1/3?role=primary"
    assert "p@" not in repr(settings)
    assert "'q'" not in repr(settings)


def test_ssl_among_the_arguments_of_the_pool_secures_the_nodes_and_not_the_sentinels() -> None:
    [endpoint] = watched("valkey://s", CONNECTION_POOL_KWARGS={"ssl": True}).endpoints
    assert (endpoint.scheme, endpoint.sentinel_options) == ("valkeys", {})
    [endpoint] = watched("valkey://s", SENTINEL_KWARGS={"ssl": True, "ssl_cert_reqs": "none"}).endpoints
    assert (endpoint.scheme, endpoint.sentinel_options) == ("valkey", {"ssl": True, "ssl_cert_reqs": "none"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((("h", 1), ["h", "2"]), (("h", 1), ("h", 2))),
        ([("h", 1), ("h", 1)], (("h", 1),)),
        ([("::1", 1)], (("::1", 1),)),
    ],
)
def test_sentinels_are_hosts_and_ports(given: object, expected: object) -> None:
    assert watched("valkey://s", SENTINELS=given).endpoints[0].sentinels == expected


def test_what_was_given_is_never_changed_and_never_shared() -> None:
    entry: dict[str, Any] = {
        "LOCATION": ["valkey://s?is_master=0"],
        "OPTIONS": {"CLIENT_CLASS": SENTINEL_CLIENT, "SENTINELS": [["h", 1]], "SENTINEL_KWARGS": {"password": "p"}},
    }
    before = deepcopy(entry)
    settings = Settings.parse(entry)
    assert entry == before
    entry["OPTIONS"]["SENTINELS"][0].clear()
    entry["OPTIONS"]["SENTINEL_KWARGS"].clear()
    assert settings == Settings.parse(before)


# What goes wrong is named -------------------------------------------------------------------------------------------

DOCUMENTED = (
    "Settings DJANGO_VALKEY_CONNECTION_FACTORY or CACHE[].OPTIONS.CONNECTION_POOL_CLASS is not configured correctly."
)


@pytest.mark.parametrize(
    "given",
    [
        *(None, [], (), {}, "", "h:26379", 7, ["h:26379"], ("h", 26379), [("h",)], [("h", 1, 2)], [(1, "h")]),
        *([("h", None)], [("h", 1.5)], [("", 1)], [("valkey://h", 1)], [("h:1", 1)], [("u@h", 1)], {("h", 1)}),
    ],
)
@pytest.mark.parametrize("named", [{"CLIENT_CLASS": SENTINEL_CLIENT}, {"CONNECTION_FACTORY": SENTINEL}])
def test_sentinel_needs_a_list_of_hosts_and_ports(given: object, named: dict[str, Any]) -> None:
    error = refused("valkey://s", SENTINELS=given, **named)
    assert error.key == "OPTIONS['SENTINELS']"
    assert "SENTINELS must be provided as a list of (host, port)." in str(error)
    assert "[('127.0.0.1', 26379)]" in str(error)


@pytest.mark.parametrize("port", [0, 70000, True, "x", -1])
def test_the_port_of_a_sentinel_is_a_port(port: object) -> None:
    error = refused("valkey://s", CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=[("h", port)])
    assert error.key == "OPTIONS['SENTINELS']"
    assert "port must be a number from 1 to 65535" in str(error)


@pytest.mark.parametrize("named", [{}, {"CLIENT_CLASS": "django_valkey.client.DefaultClient"}])
@pytest.mark.parametrize("factory", [None, PLAIN])
def test_sentinels_that_nothing_asks_are_an_error_that_says_what_to_set(
    named: dict[str, Any], factory: str | None
) -> None:
    error = refused("valkey://s", factory=factory, SENTINELS=SENTINELS, **named)
    assert error.key == "OPTIONS['SENTINELS']"
    assert f"set OPTIONS['CLIENT_CLASS'] = '{SENTINEL_CLIENT}'" in str(error)
    assert f"OPTIONS['CONNECTION_FACTORY'] = '{SENTINEL}'" in str(error)
    assert refused("valkey://a", SENTINEL_KWARGS={"password": "p"}, **named).key == "OPTIONS['SENTINEL_KWARGS']"
    assert parsed("valkey://a", SENTINELS=[], SENTINEL_KWARGS={}, **named) == parsed("valkey://a", **named)


@pytest.mark.parametrize(
    "pool",
    [
        "valkey.connection.ConnectionPool",
        "valkey.asyncio.connection.BlockingConnectionPool",
        valkey.connection.BlockingConnectionPool,
    ],
)
@pytest.mark.parametrize("named", [{"CLIENT_CLASS": SENTINEL_CLIENT}, {"CONNECTION_FACTORY": SENTINEL}])
def test_a_pool_that_asks_no_sentinel_is_the_documented_error(pool: object, named: dict[str, Any]) -> None:
    error = refused("valkey://s", SENTINELS=SENTINELS, CONNECTION_POOL_CLASS=pool, **named)
    assert error.key == "OPTIONS['CONNECTION_POOL_CLASS']"
    assert DOCUMENTED in str(error)
    assert "valkey.sentinel.SentinelConnectionPool" in str(error)


@pytest.mark.parametrize("location", ["valkey://127.0.0.1:6379/1", "memory://", "valkey://h/1"])
def test_a_plain_alias_under_a_sentinel_factory_for_every_alias_is_told_to_name_its_own(location: str) -> None:
    error = refused(location, factory=SENTINEL)
    assert error.key == "OPTIONS['SENTINELS']"
    assert "the connection factory for every alias asks for Sentinel" in str(error)
    assert f"set OPTIONS['CONNECTION_FACTORY'] = '{PLAIN}'" in str(error)
    assert "for every alias" not in str(refused(location, factory=SENTINEL, CLIENT_CLASS=SENTINEL_CLIENT))
    assert parsed(location, factory=SENTINEL, CONNECTION_FACTORY=PLAIN) == parsed(location)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("valkey://127.0.0.1/0", "the address of a server"),
        ("valkey://[::1]/0", "the address of a server"),
        ("valkey://localhost/0", "the address of a server"),
        ("valkey://service:6379/0", "the address of a server"),
        ("valkey://sentinel-1:26379/0", "the address of a server"),
        (["valkey://s/0", "valkey://10.0.0.1:6379/0"], "the address of a server"),
        ("valkey:///0", "the URL names no service"),
        ("unix:///run/valkey.sock", "unix:// cannot be reached through sentinels"),
        ("memory://s", "memory:// cannot be reached through sentinels"),
    ],
)
def test_a_nodes_address_where_the_name_of_a_service_belongs_is_named(location: object, reason: str) -> None:
    error = refused(location, CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=SENTINELS)
    assert error.key == "LOCATION"
    assert reason in str(error)
    assert "'valkey://service_name/0'" in str(error)
    error = refused(location, factory=SENTINEL, SENTINELS=SENTINELS)
    assert f"set OPTIONS['CONNECTION_FACTORY'] = '{PLAIN}'" in str(error)


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"pasword": "s3cr3t"}, "did you mean password?"),
        ({"password": 7}, "password must be text"),
        ({"socket_timeout": 0}, "socket_timeout must be a positive number"),
        ({"host": "h"}, "host is not for sentinels"),
        ({"db": 1}, "db is not for sentinels"),
        ({"min_other_sentinels": -1}, "min_other_sentinels must be a whole number"),
        ({"ssl_cert_reqs": "none"}, "write 'ssl': True as well"),
        ({"credential_provider": Provider(), "password": "s3cr3t"}, "exclude each other"),
        ({7: 1}, "7 is no argument"),
        ([], "must be a mapping"),
    ],
)
def test_the_arguments_of_sentinels_are_those_of_a_connection(kwargs: Any, reason: str) -> None:
    error = refused("valkey://s", CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=SENTINELS, SENTINEL_KWARGS=kwargs)
    assert error.key == "OPTIONS['SENTINEL_KWARGS']"
    assert reason in str(error)
    assert "s3cr3t" not in str(error)


# The documents' configurations, with a LOCATION and SENTINELS where they leave them out -----------------------------

BACKEND, ASYNC_BACKEND = "django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"

ONE_FOR_ALL: Mapping[str, dict[str, Any]] = {
    "default": {
        "LOCATION": "valkey://service_name/db",
        "OPTIONS": {
            "CLIENT_CLASS": "django_valkey.client.SentinelClient",
            "SENTINELS": SENTINELS,
            "SENTINEL_KWARGS": {},
            "CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool",
        },
    },
    "minimal": {
        "BACKEND": BACKEND,
        "LOCATION": "valkey://minimal_service_name/db",
        "OPTIONS": {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": SENTINELS},
    },
    "other": {
        "BACKEND": BACKEND,
        "LOCATION": [
            "valkey://other_service_name/db?is_master=1",
            "valkey://other_service_name/db?is_master=0",
        ],
        "OPTIONS": {"SENTINELS": SENTINELS},
    },
    "readonly": {
        "BACKEND": BACKEND,
        "LOCATION": "valkey://readonly_service_name/db?is_master=0",
        "OPTIONS": {"SENTINELS": SENTINELS},
    },
}
EACH_ITS_OWN: Mapping[str, dict[str, Any]] = {
    "sentinel": {
        "BACKEND": BACKEND,
        "LOCATION": "valkey://service_name/db",
        "OPTIONS": {
            "CLIENT_CLASS": "django_valkey.client.SentinelClient",
            "SENTINELS": SENTINELS,
            "CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool",
            "CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory",
        },
    },
    "default": {
        "BACKEND": BACKEND,
        "LOCATION": "valkey://127.0.0.1:6379/1",
        "OPTIONS": {"CLIENT_CLASS": "django_valkey.client.DefaultClient"},
    },
}
ASYNC_CLIENT: Mapping[str, Any] = {
    "BACKEND": "path.to.backend",
    "LOCATION": ["valkey://user:pass@127.0.0.1:6379"],
    "OPTIONS": {"CLIENT_CLASS": "django_valkey.async_cache.client.AsyncDefaultClient"},
}
ASYNC_SENTINEL: Mapping[str, Any] = {
    "BACKEND": ASYNC_BACKEND,
    "LOCATION": "valkey://service_name/db",
    "OPTIONS": {
        "CLIENT_CLASS": "django_valkey.client.SentinelClient",
        "SENTINELS": SENTINELS,
        "SENTINEL_KWARGS": {},
    },
}
ASYNC_FACTORY: Mapping[str, Any] = {
    "BACKEND": ASYNC_BACKEND,
    "LOCATION": "valkey://service_name/db",
    "OPTIONS": {
        "CONNECTION_FACTORY": "django_valkey.async_cache.pool.AsyncSentinelConnectionFactory",
        "SENTINELS": SENTINELS,
    },
}


def of_entry(entry: Mapping[str, Any], factory: object = None) -> Settings:
    before = deepcopy(entry)
    settings = Settings.parse(entry, connection_factory=factory)
    assert entry == before
    assert {endpoint.db for endpoint in settings.endpoints} <= {0, 1}
    return settings


@pytest.mark.parametrize(
    ("alias", "service", "expected", "read_only"),
    [
        ("default", "service_name", ["primary", "replica"], False),
        ("minimal", "minimal_service_name", ["primary", "replica"], False),
        ("other", "other_service_name", ["primary", "replica"], False),
        ("readonly", "readonly_service_name", ["primary", "replica"], True),
    ],
)
def test_the_documented_aliases_under_one_factory(
    alias: str, service: str, expected: list[str], *, read_only: bool
) -> None:
    settings = of_entry(ONE_FOR_ALL[alias], "django_valkey.pool.SentinelConnectionFactory")
    assert roles(settings) == [f"{service} {role}" for role in expected]
    assert settings.read_only is read_only
    assert all(endpoint.sentinels == tuple(SENTINELS) for endpoint in settings.endpoints)


def test_the_documented_mix_of_sentinel_and_plain_aliases() -> None:
    assert roles(of_entry(EACH_ITS_OWN["sentinel"])) == ["service_name primary", "service_name replica"]
    assert roles(of_entry(EACH_ITS_OWN["default"])) == ["127.0.0.1 primary"]


def test_the_documented_async_client_with_credentials_in_a_list() -> None:
    [endpoint] = of_entry(ASYNC_CLIENT).endpoints
    assert endpoint.options == {"username": "user", "password": "pass"}


def test_the_documented_async_aliases_on_sentinels() -> None:
    assert roles(of_entry(ASYNC_SENTINEL)) == ["service_name primary", "service_name replica"]
    assert roles(of_entry(ASYNC_FACTORY)) == ["service_name primary"]


@pytest.mark.parametrize("entry", [ASYNC_CLIENT, ASYNC_SENTINEL])
def test_the_documented_client_as_the_factory_for_every_alias_changes_no_topology(entry: Mapping[str, Any]) -> None:
    with pytest.warns(ConfigurationWarning, match="connection_factory .*names a client"):
        settings = of_entry(entry, "django_valkey.async_cache.client.default.AsyncDefaultClient")
    assert settings == of_entry(entry)


def test_the_documented_factory_of_an_alias_goes_before_the_documented_factory_for_every_alias() -> None:
    settings = of_entry(ASYNC_FACTORY, "django_valkey.async_cache.client.default.AsyncDefaultClient")
    assert roles(settings) == ["service_name primary"]


def test_a_sentinels_certificate_without_a_key_holds_its_key() -> None:
    kwargs = {"ssl": True, "ssl_certfile": "/a.pem"}
    options = {
        "CLIENT_CLASS": "django_valkey.client.SentinelClient",
        "SENTINELS": [("s", 1)],
        "SENTINEL_KWARGS": kwargs,
    }
    [endpoint, *_] = Settings.parse({"LOCATION": "valkey://service/0", "OPTIONS": options}).endpoints
    assert endpoint.sentinel_options["ssl_keyfile"] == "/a.pem"
