"""Settings: every fault of an entry is in one error, and a consequence of a fault is no further fault."""

import pickle
from typing import Any

import pytest

from dvcache import ConfigurationError, ConfigurationWarning, Settings
from dvcache.serializers import JSONSerializer
from tests.support.topology_entries import SENTINEL_CLIENT, SENTINELS

URL = "valkey://127.0.0.1:6379/1"


class Wanting:
    """A pool that is none."""


FAULTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "names: an unknown option and a misplaced argument": (
        {"SOKET_TIMEOUT": 1, "DB": 3},
        {
            "OPTIONS['SOKET_TIMEOUT']": "did you mean SOCKET_TIMEOUT?",
            "OPTIONS['DB']": "write it in the URL of LOCATION",
        },
    ),
    "a wrong type and a wrong LOCATION": (
        {"LOCATION": "http://cache", "SCAN_COUNT": 0},
        {"LOCATION": "must start with one of valkey://", "OPTIONS['SCAN_COUNT']": "must be a number of keys"},
    ),
    "a wrong class and a wrong LOCATION": (
        {"LOCATION": "valkey://h:0", "CLIENT_CLASS": "django_valkey.client.DefaultClien"},
        {"LOCATION": "the port must be", "OPTIONS['CLIENT_CLASS']": "did you mean django_valkey.client.DefaultClient?"},
    ),
    "herd, jitter and a serializer": (
        {"HERD": {"timeuot": 5, "wait": -1}, "TIMEOUT_JITTER": 2, "SERIALIZER": "nowhere.Serializer"},
        {
            "OPTIONS['HERD']": "'timeuot' is not known; did you mean timeout?",
            "OPTIONS['HERD'] ": "wait must be a number of seconds, 0 or more",
            "OPTIONS['TIMEOUT_JITTER']": "must be a number from 0 to 1",
            "OPTIONS['SERIALIZER']": "there is no module 'nowhere'",
        },
    ),
    "TLS": (
        {"TLS_CHECK_HOSTNAME": True, "CONNECTION_POOL_KWARGS": {"ssl_keyfile": "/k.pem"}},
        {
            "LOCATION": "ssl_keyfile needs TLS: write valkeys:// instead of valkey://",
            "LOCATION ": "ssl_keyfile needs ssl_certfile",
            "OPTIONS['TLS_CHECK_HOSTNAME']": "needs TLS: write valkeys:// instead of valkey://",
        },
    ),
    "sentinels": (
        {
            "LOCATION": URL,
            "CLIENT_CLASS": SENTINEL_CLIENT,
            "SENTINELS": [("h", 0), ("h:1", 1)],
            "SENTINEL_KWARGS": {"pasword": "s3cr3t", "db": 1},  # codespell:ignore pasword
        },
        {
            "LOCATION": "the URL names a server, but Sentinel needs a service name",
            "OPTIONS['SENTINELS']": "port must be a number from 1 to 65535, not 0",
            "OPTIONS['SENTINELS'] ": "Write each as in",
            "OPTIONS['SENTINEL_KWARGS']": "did you mean password?",
            "OPTIONS['SENTINEL_KWARGS'] ": "db has no effect on sentinels",
        },
    ),
    "contradicting options": (
        {"CLUSTER": True, "SHARDED": True, "SENTINELS": SENTINELS, "DEADLINE": 1, "HERD": 1},
        {
            "OPTIONS['SHARDED']": "contradicts the cluster of this alias",
            "OPTIONS['SENTINELS']": "has no effect",
            "OPTIONS['DEADLINE']": "1 s is shorter than SOCKET_TIMEOUT, 5 s",
            "OPTIONS['HERD']": "True, False or a mapping",
        },
    ),
    "replicas alone": (
        {
            "LOCATION": "valkey://s?is_master=0",
            "SENTINELS": SENTINELS,
            "READ_FROM": "primary",
            "REPLICA_READ_ONLY": False,
        },
        {"OPTIONS['READ_FROM']": "names only replicas", "OPTIONS['REPLICA_READ_ONLY']": "names only replicas"},
    ),
    "arguments of connections": (
        {
            "LOCATION": "valkey://h?socket_timeout=0&protocol=4",
            "CONNECTION_POOL_KWARGS": {"max_connections": -1, "butter": 1, "DB": 2},
            "SOCKET_CONNECT_TIMEOUT": -1,
        },
        {
            "LOCATION": "socket_timeout must be a positive number",
            "LOCATION ": "protocol must be 2 or 3",
            "OPTIONS['CONNECTION_POOL_KWARGS']": "max_connections must be a whole number",
            "OPTIONS['CONNECTION_POOL_KWARGS'] ": "'butter' is not a connection argument",
            "OPTIONS['CONNECTION_POOL_KWARGS']  ": "there is no argument 'DB'; did you mean db?",
            "OPTIONS['SOCKET_CONNECT_TIMEOUT']": "must be a positive number",
        },
    ),
    "two URLs of three": (
        {"LOCATION": ["valkey://a", "http://b", "valkey://c:0"], "ADDRESS_REMAP": 7},
        {
            "LOCATION": "must start with one of",
            "LOCATION ": "the port must be",
            "OPTIONS['ADDRESS_REMAP']": "must be a function of (host, port)",
        },
    ),
    "classes": (
        {
            "CLIENT_CLASS": "nowhere.Client",
            "CONNECTION_POOL_CLASS": "valkey.connection.BlockingPool",
            "PARSER_CLASS": "redis.connection.HiredisParser",
            "BASE_CLIENT_CLASS": 7,
            "KEY_FUNCTION": "nowhere.function",
        },
        {
            "OPTIONS['CLIENT_CLASS']": "there is no module 'nowhere'",
            "OPTIONS['CONNECTION_POOL_CLASS']": "has no 'BlockingPool'",
            "OPTIONS['PARSER_CLASS']": "leave it out: valkey-py reads replies with libvalkey",
            "OPTIONS['BASE_CLIENT_CLASS']": "must be a dotted path or a class, not int",
            "KEY_FUNCTION": "there is no module 'nowhere'",
        },
    ),
    "a set, and TLS": (
        {"LOCATION": {"valkey://a", "valkey://b"}, "TLS_CHECK_HOSTNAME": True},
        {"LOCATION": "a set has no order", "OPTIONS['TLS_CHECK_HOSTNAME']": "needs TLS"},
    ),
    "an option for sentinels, and a map of addresses": (
        {"SENTINEL_KWARGS": {"ssl": True}, "ADDRESS_REMAP": {"a:1": "b:2"}, "BASE_CLIENT_CLASS": "nowhere.Client"},
        {
            "OPTIONS['SENTINEL_KWARGS']": "has no effect",
            "OPTIONS['ADDRESS_REMAP']": "only sentinels and clusters announce addresses",
            "OPTIONS['BASE_CLIENT_CLASS']": "there is no module 'nowhere'",
        },
    ),
    "a pool class and a database": (
        {"LOCATION": "valkey://h/one", "CONNECTION_POOL_CLASS": Wanting},
        {
            "LOCATION": "must be the number of a database",
            "OPTIONS['CONNECTION_POOL_CLASS']": "Wanting lacks get_connection and release",
        },
    ),
    "an entry without OPTIONS": (
        {"LOCATION": 7, "TIMEOUT": "soon", "VERSION": "one", "KEY_PREFIX": 7, "OPTIONS": ["HERD"], "SSL": True},
        {
            "LOCATION": "must be a URL or a list of URLs",
            "TIMEOUT": "must be a number of seconds",
            "VERSION": "must be a whole number",
            "KEY_PREFIX": "must be text",
            "OPTIONS": "must be a mapping, not list",
            "SSL": "has no effect here; write valkeys://",
        },
    ),
}
"""Keys of an entry and options, and the faults by key: what each says."""

OF_ENTRIES = {"LOCATION", "TIMEOUT", "VERSION", "KEY_PREFIX", "KEY_FUNCTION", "OPTIONS", "SSL"}


def refused(given: dict[str, Any]) -> ConfigurationError:
    options = {name: value for name, value in given.items() if name not in OF_ENTRIES}
    entry = {name: value for name, value in given.items() if name in OF_ENTRIES}
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse({"LOCATION": URL, "OPTIONS": options, **entry}, alias="shop")
    return caught.value


@pytest.mark.parametrize("case", FAULTS)
def test_every_fault_of_an_entry_is_reported_at_once(case: str) -> None:
    given, expected = FAULTS[case]
    error = refused(given)
    assert sorted(fault.key for fault in error.faults) == sorted(key.strip() for key in expected)
    for key, reason in expected.items():
        assert [fault for fault in error.faults if fault.key == key.strip() and reason in fault.reason], (
            key,
            str(error),
        )
    assert str(error).startswith(f"cache 'shop': {len(expected)} faults:\n")
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize("case", FAULTS)
def test_each_of_several_faults_names_alias_and_key(case: str) -> None:
    error = refused(FAULTS[case][0])
    for fault in error.faults:
        assert (fault.alias, fault.faults) == ("shop", (fault,))
        assert str(fault) == f"cache 'shop': {fault.key}: {fault.reason}"
        assert f"\n  {fault.key}: {fault.reason}" in str(error)
    assert error.key == error.faults[0].key


def test_single_fault_is_the_error_itself() -> None:
    error = refused({"SCAN_COUNT": 0})
    assert error.faults == (error,)
    assert str(error) == "cache 'shop': OPTIONS['SCAN_COUNT']: must be a number of keys, 1 or more, not int"


def test_error_of_several_faults_can_be_pickled() -> None:
    error = refused({"SCAN_COUNT": 0, "HERD": 1})
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.key) == (type(error), str(error), error.key)
    assert [str(fault) for fault in copy.faults] == [str(fault) for fault in error.faults]


@pytest.mark.parametrize(
    "options",
    [
        {"CLIENT_CLASS": 7, "SENTINELS": SENTINELS},
        {
            "CLIENT_CLASS": "django_valkey.client.SentinelClien",
            "SENTINELS": SENTINELS,
            "SENTINEL_KWARGS": {"ssl": True},
        },
        {"CLUSTER": "yes", "BASE_CLIENT_KWARGS": {"read_from_replicas": True}, "ADDRESS_REMAP": {"a:1": "b:2"}},
    ],
)
def test_fault_of_a_class_or_topology_has_no_further_fault(options: dict[str, Any]) -> None:
    assert len(refused({"LOCATION": "valkey://service/name", **options}).faults) == 1


def test_same_fault_of_several_urls_is_reported_once() -> None:
    error = refused({"LOCATION": ["valkey://a/1", "valkey://b/1"], "CONNECTION_POOL_KWARGS": {"db": 2}})
    assert error.reason.startswith("db contradicts LOCATION")


def test_custom_class_that_cannot_be_loaded_excuses_no_misspelt_option() -> None:
    keys = [fault.key for fault in refused({"CLIENT_CLASS": "nowhere.Client", "SOKET_TIMEOUT": 1}).faults]
    assert sorted(keys) == ["OPTIONS['CLIENT_CLASS']", "OPTIONS['SOKET_TIMEOUT']"]


def test_unknown_options_are_warned_of_beside_faults() -> None:
    with pytest.warns(ConfigurationWarning, match=r"cache 'shop': OPTIONS\['BUTTER'\] is not known"):
        assert len(refused({"BUTTER": 1, "SCAN_COUNT": 0, "SERIALIZER": JSONSerializer, "HERD": 1}).faults) == 2
