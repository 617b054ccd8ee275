"""Test which servers an entry means, and their roles: every row of the table, and every block of the documents."""

import pytest

from dvcache.errors import ConfigurationWarning
from dvcache.types import Endpoint
from tests.support import topology_entries
from tests.support.topology_entries import (
    BOTH,
    PAIR,
    SENTINEL,
    SENTINEL_CLIENT,
    SENTINELS,
    Provider,
    parsed,
    refused,
    roles,
    watched,
)


def test_sentinel_client_with_one_url_means_primary_and_replicas() -> None:
    settings = parsed("valkey://s/db", CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=SENTINELS)
    assert settings.endpoints == (
        Endpoint(alias="pages", host="", service="s", role="primary", sentinels=tuple(SENTINELS)),
        Endpoint(alias="pages", host="", service="s", role="replica", sentinels=tuple(SENTINELS)),
    )
    assert (settings.read_from, settings.read_only, settings.write_anywhere) == ("replica", False, False)


@pytest.mark.parametrize("role", [0, 1])
def test_sentinel_client_with_one_url_ignores_is_master_with_a_warning(role: int) -> None:
    with pytest.warns(ConfigurationWarning, match=r"cache 'pages': LOCATION: is_master was ignored") as caught:
        settings = parsed(f"valkey://s/0?is_master={role}", CLIENT_CLASS=SENTINEL_CLIENT, SENTINELS=SENTINELS)
    assert caught[0].filename == topology_entries.__file__
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
def test_sentinel_service_list_has_roles_and_is_primary_by_default(
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
def test_default_client_on_sentinels_writes_to_the_primary_only(
    location: object, expected: list[str], *, read_only: bool
) -> None:
    settings = watched(location)
    assert roles(settings) == expected
    assert settings.read_only is read_only


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
def test_server_list_is_primary_and_replicas_unless_is_master_differs(location: object, expected: list[str]) -> None:
    settings = parsed(location)
    assert roles(settings) == expected
    assert not settings.read_only
    assert not any(endpoint.service or endpoint.sentinels for endpoint in settings.endpoints)


def test_every_server_has_its_own_credentials_and_the_options_of_the_alias() -> None:
    primary, replica = parsed(["valkey://u:p@a/1", "valkeys://b/1"], PASSWORD="q", SOCKET_TIMEOUT=2).endpoints
    assert (primary.options, primary.timeout) == ({"username": "u", "password": "p"}, 2)
    assert (replica.options, replica.timeout, replica.scheme) == ({"password": "q"}, 2, "valkeys")


def test_credential_provider_is_made_once_for_all_servers() -> None:
    primary, replica = parsed(["valkey://a", "valkey://b"], CREDENTIAL_PROVIDER=Provider).endpoints
    assert primary.options["credential_provider"] is replica.options["credential_provider"]


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
def test_server_list_that_cannot_be_served_is_reported(location: object, reason: str) -> None:
    error = refused(location)
    assert error.key == "LOCATION"
    assert reason in str(error)


def test_replica_reads_may_be_turned_off() -> None:
    assert parsed(["valkey://a", "valkey://b"]).read_from == "replica"
    assert parsed(["valkey://a", "valkey://b"], READ_FROM="primary").read_from == "primary"


def test_replica_reads_without_replicas_are_a_warning() -> None:
    with pytest.warns(ConfigurationWarning, match=r"OPTIONS\['READ_FROM'\] has no effect; LOCATION names no replica"):
        parsed("valkey://a", READ_FROM="replica")
    assert parsed("valkey://a", READ_FROM="primary").read_from == "primary"


@pytest.mark.parametrize("value", [False, 0])
def test_replica_writes_happen_only_if_replicas_are_declared_writable(value: object) -> None:
    assert parsed(["valkey://a", "valkey://b"], REPLICA_READ_ONLY=value).write_anywhere
    assert parsed("valkey://a", REPLICA_READ_ONLY=value).write_anywhere
    assert not parsed("valkey://a", REPLICA_READ_ONLY=True).write_anywhere


@pytest.mark.parametrize("options", [{"REPLICA_READ_ONLY": False}, {"READ_FROM": "primary"}])
def test_replicas_alone_are_neither_written_to_nor_skipped(options: dict[str, object]) -> None:
    error = refused("valkey://s?is_master=0", CONNECTION_FACTORY=SENTINEL, SENTINELS=SENTINELS, **options)
    assert error.key == f"OPTIONS[{next(iter(options))!r}]"
    assert "names only replicas" in str(error)
