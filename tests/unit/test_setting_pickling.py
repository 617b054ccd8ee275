"""Test that settings and all their parts can be copied and pickled, and show no credential."""

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from dvcache.compressors.zstd import ZstdCompressor, zstd
from dvcache.serializers.typed import Kind, TypedSerializer
from dvcache.settings import Settings
from dvcache.settings.pickling import Arguments
from dvcache.types import DEFAULT
from tests.support.settings_entries import URL, parsed

SECRET = "s3cr3t"


def key_function(key: str, prefix: str, version: int) -> str:
    return f"{prefix}{version}{key}"


class Factory:
    """A connection factory of the project that holds an object that cannot be pickled."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options, self.lock = options, iter(())

    def connect(self, url: str) -> Any:
        raise AssertionError(url)

    def disconnect(self, connection: object) -> None:
        raise AssertionError(connection)


class Provider:
    """A credential provider."""

    def get_credentials(self) -> tuple[str, str]:
        return "u", SECRET

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Provider)

    def __hash__(self) -> int:
        return 0


SENTINELS = {"SENTINELS": [("h", 26379)], "SENTINEL_KWARGS": {"password": SECRET}}
CONFIGURED: dict[str, tuple[object, dict[str, object]]] = {
    "plain": (f"valkey://u:{SECRET}@h/1", {}),
    "tls": (f"valkeys://u:{SECRET}@h/1?ssl_min_version=TLSv1.2&ssl_ca_certs=/ca.pem&ssl_password={SECRET}", {}),
    "unix": (f"unix://u:{SECRET}@/run/valkey.sock?db=2", {}),
    "replicas": ([URL, f"{URL}?socket_timeout=1"], {"READ_FROM": "primary"}),
    "options": (URL, {"USERNAME": SECRET, "PASSWORD": SECRET, "CONNECTION_POOL_KWARGS": {"client_name": "c"}}),
    "provider": (URL, {"CREDENTIAL_PROVIDER": Provider}),
    "sentinel": (
        f"valkey://u:{SECRET}@service/0",
        {"CLIENT_CLASS": "django_valkey.client.SentinelClient", **SENTINELS},
    ),
    "cluster": (f"valkey://u:{SECRET}@h:7000", {"CLUSTER": True, "BASE_CLIENT_KWARGS": {"ssl": True}}),
    "shards": ([f"valkey://u:{SECRET}@h/1", f"valkey://u:{SECRET}@h/2"], {"SHARDED": True}),
    "memory": ("memory://", {}),
    "herd": (URL, {"HERD": {"timeout": 5, "background": True}, "TIMEOUT_JITTER": 0.1}),
    "own classes": (
        URL,
        {
            "CONNECTION_POOL_CLASS": "tests.support.custom_pools.OwnPool",
            "CONNECTION_POOL_KWARGS": {"connection_class": "tests.support.custom_pools.OwnConnection"},
        },
    ),
    "own factory": (f"valkey://u:{SECRET}@h/1", {"CONNECTION_FACTORY": Factory, "PASSWORD": SECRET}),
    "signed": (URL, {"SERIALIZER": "dvcache.serializers.signed.SignedSerializer", "SIGNING_KEYS": [SECRET]}),
    "deadline": (URL, {"DEADLINE": 7}),
    "checked hosts": (f"valkeys://u:{SECRET}@h", {"TLS_CHECK_HOSTNAME": True}),
    "mapped addresses": (URL, {"CLUSTER": True, "ADDRESS_REMAP": {"10.0.0.1:6379": "h:7000"}}),
}
WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {n}": lambda each, n=n: pickle.loads(pickle.dumps(each, n)) for n in range(2, 6)},
}


def settings(name: str) -> Settings:
    location, options = CONFIGURED[name]
    return parsed(location, KEY_FUNCTION=key_function, OPTIONS=options)


@pytest.mark.parametrize("name", CONFIGURED)
@pytest.mark.parametrize("way", WAYS)
def test_copy_of_settings_is_equal_and_works(name: str, way: str) -> None:
    made = settings(name)
    copied = WAYS[way](made)
    assert copied == made
    assert copied.default_marker is DEFAULT
    assert copied.key_function is key_function
    assert hash(copied.endpoints) == hash(made.endpoints)
    for one, other in zip(copied.endpoints, made.endpoints, strict=True):
        assert (one, dict(one.options), dict(one.sentinel_options)) == (
            other,
            dict(other.options),
            dict(other.sentinel_options),
        )
        assert WAYS[way](other) == other


@pytest.mark.parametrize("name", CONFIGURED)
def test_repr_of_settings_and_their_parts_shows_no_credential(name: str) -> None:
    made = settings(name)
    parts: list[object] = [made, *made.endpoints, made.serializer, made.endpoints[0].driver]
    parts += [each for endpoint in made.endpoints for each in (endpoint.options, endpoint.sentinel_options)]
    for way in WAYS.values():
        for each in (*parts, way(made)):
            assert SECRET not in f"{each!r} {each!s}"


def made(package: str, *methods: str) -> list[Any]:
    """Make one object of each of the package's classes that have the methods."""
    modules = [import_module(f"{package}.{each.name}") for each in iter_modules(import_module(package).__path__)]
    own = [cls for each in modules for cls in vars(each).values() if getattr(cls, "__module__", "") == each.__name__]
    found = [cls for cls in own if isinstance(cls, type) and all(hasattr(cls, method) for method in methods)]
    return [cls.from_options({"SIGNING_KEYS": [SECRET]}) for cls in found if hasattr(cls, "from_options")]


DICTIONARY = b"text and text " * 20
ZSTD = zstd.ZstdDict(DICTIONARY, is_raw=True)
DICTIONARIES = [ZstdCompressor(dictionary=each) for each in (DICTIONARY, ZSTD, ZSTD.as_prefix, ZSTD.as_digested_dict)]
SERIALIZERS = [*made("dvcache.serializers", "dumps", "loads"), TypedSerializer((Kind("$dec", Decimal, str, Decimal),))]
COMPRESSORS = [*made("dvcache.compressors", "compress", "decompress"), *DICTIONARIES]


@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize("way", WAYS)
def test_copy_of_each_serializer_reads_the_others_output(serializer: Any, way: str) -> None:
    copied = WAYS[way](serializer)
    assert copied.loads(serializer.dumps([1, "a"])) == [1, "a"]


@pytest.mark.parametrize("compressor", COMPRESSORS)
@pytest.mark.parametrize("way", WAYS)
def test_copy_of_each_compressor_reads_the_others_output(compressor: Any, way: str) -> None:
    copied = WAYS[way](compressor)
    assert copied.decompress(compressor.compress(b"text" * 100)) == b"text" * 100


def test_arguments_are_a_mapping_that_never_changes() -> None:
    given = {"username": "u", "password": SECRET}
    arguments = Arguments(given)
    given.clear()
    assert arguments == {"username": "u", "password": SECRET} == {**arguments}
    assert len(arguments) == 2
    assert repr(arguments) == "<arguments: username, password>"
    assert not hasattr(arguments, "__setitem__")
