"""Test settings: a class of another cache library is refused everywhere, and ours is suggested."""

import sys
from types import ModuleType
from typing import Any

import pytest

from dvcache.errors import ConfigurationError
from dvcache.settings import Settings
from tests.support.settings_entries import URL, of_options, refused, refused_option


def foreign(name: str, **attributes: Any) -> Any:
    """Return a class as redis-py defines it."""
    module, _, own = name.rpartition(".")
    return type(own, (), {"__module__": module, "__qualname__": own, **attributes})


PARSER = foreign("redis._parsers.hiredis._HiredisParser", read_response=print, on_connect=print)
OwnParser: Any = type("OwnParser", (PARSER,), {"__module__": __name__})
Retry = foreign("redis.retry.Retry")
Timeout = foreign("redis.exceptions.TimeoutError")
KWARGS = ("CONNECTION_POOL_KWARGS", "BASE_CLIENT_KWARGS", "SENTINEL_KWARGS")


@pytest.mark.parametrize(
    ("option", "value", "ours"),
    [
        ("PARSER_CLASS", "redis.connection._HiredisParser", "leave it out: valkey-py reads replies with libvalkey"),
        ("PARSER_CLASS", "redis.connection.HiredisParser", "leave it out"),
        ("PARSER_CLS", "redis.connection.PythonParser", "leave it out"),
        ("PARSER_CLASS", PARSER, "leave it out"),
        ("PARSER_CLASS", OwnParser, "'redis._parsers.hiredis._HiredisParser' belongs to another library"),
        ("PARSER_CLASS", f"{__name__}.OwnParser", "'redis._parsers.hiredis._HiredisParser' belongs to another library"),
        ("PARSER_CLASS", "hiredis.Reader", "leave it out"),
        ("CLIENT_CLASS", "django_redis.client.DefaultClient", "leave it out: SENTINELS, CLUSTER, SHARDED"),
        ("CONNECTION_FACTORY", foreign("django_redis.pool.ConnectionFactory"), "leave it out: SENTINELS, CLUSTER"),
        ("CONNECTION_POOL_CLASS", "redis.BlockingConnectionPool", "'valkey.BlockingConnectionPool'"),
        ("CONNECTION_POOL_CLASS", "redis.connection.ConnectionPool", "'valkey.connection.ConnectionPool'"),
        ("CONNECTION_POOL_CLASS", "redis.sentinel.SentinelConnectionPool", "'valkey.sentinel.SentinelConnectionPool'"),
        ("BASE_CLIENT_CLASS", "redis.client.StrictRedis", "'valkey.client.Valkey'"),
        ("BASE_CLIENT_CLASS", "redis.cluster.RedisCluster", "'valkey.cluster.ValkeyCluster'"),
        ("BASE_CLIENT_CLASS", "fakeredis.FakeStrictRedis", "MemoryPoolFactory"),
        ("CREDENTIAL_PROVIDER", "redis.credentials.UsernamePasswordCredentialProvider", "'valkey.credentials."),
        ("CREDENTIAL_PROVIDER", foreign("redis.credentials.Provider", get_credentials=print)(), "'valkey.credentials."),
    ],
)
def test_option_that_names_another_librarys_class_is_refused(option: str, value: object, ours: str) -> None:
    error = refused_option(**{option: value})
    assert error.key == f"OPTIONS[{option!r}]"
    assert ours in str(error)


@pytest.mark.parametrize(
    ("option", "value", "ours"),
    [
        ("CLIENT_CLASS", "django_redis.client.DefaultClient", "'django_valkey.client.DefaultClient'"),
        ("CLIENT_CLASS", "django_redis.client.herd.HerdClient", "'django_valkey.client.HerdClient'"),
        ("CLIENT_CLASS", " django_redis.client.SentinelClient", "'django_valkey.client.SentinelClient'"),
        ("CLIENT_CLASS", "django_redis.client.OtherClient", "'django_valkey.client.OtherClient'"),
        ("CLIENT_CLASS", "django_cachex.client.KeyValueCacheClient", "counterpart in django_valkey"),
        ("CONNECTION_FACTORY", "django_redis.pool.ConnectionFactory", "'django_valkey.pool.ConnectionFactory'"),
        ("CONNECTION_FACTORY", foreign("django_redis.pool.ConnectionFactory"), "'django_valkey.pool.Connection"),
    ],
)
def test_counterpart_in_the_adapter_is_suggested_to_an_alias_of_it(option: str, value: object, ours: str) -> None:
    entry = {"LOCATION": URL, "OPTIONS": {option: value}}
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse(entry, client_class="django_valkey.client.DefaultClient")
    assert caught.value.key == f"OPTIONS[{option!r}]"
    assert ours in str(caught.value)


@pytest.mark.parametrize("option", KWARGS)
@pytest.mark.parametrize(
    ("argument", "value", "ours"),
    [
        ("connection_class", "redis.SSLConnection", "'valkey.SSLConnection'"),
        ("connection_class", "redis.connection.UnixDomainSocketConnection", "'valkey.connection.Unix"),
        ("connection_class", foreign("fakeredis.FakeConnection"), "memory://"),
        ("connection_class", foreign("redis.connection.Connection"), "'valkey.connection.Connection'"),
        ("parser_class", "redis.connection.HiredisParser", "leave it out"),
        ("parser_class", PARSER, "leave it out"),
        ("retry", Retry(), "'valkey.retry.Retry'"),
        ("retry", type("OwnRetry", (Retry,), {})(), "'valkey.retry.Retry'"),
        ("retry", "redis.retry.Retry", "'valkey.retry.Retry'"),
        ("retry_on_error", [Timeout], "'valkey.exceptions.TimeoutError'"),
        ("retry_on_error", ["redis.exceptions.TimeoutError"], "'valkey.exceptions.TimeoutError'"),
        ("credential_provider", foreign("redis.credentials.Provider")(), "'valkey.credentials.Provider'"),
        ("encoder_class", foreign("redis.connection.Encoder"), "'valkey.connection.Encoder'"),
        ("queue_class", "redis.connection.Queue", "'valkey.connection.Queue'"),
    ],
)
def test_argument_that_names_another_librarys_class_is_refused(
    option: str, argument: str, value: object, ours: str
) -> None:
    error = refused_option(**{option: {argument: value}})
    assert error.key == f"OPTIONS[{option!r}]"
    assert f": {argument}: " in str(error)
    assert ours in str(error)


@pytest.mark.parametrize("key", ["KEY_FUNCTION", "REVERSE_KEY_FUNCTION"])
@pytest.mark.parametrize("value", ["django_redis.util.default_reverse_key", foreign("django_redis.util.Naming")()])
def test_key_function_of_another_library_is_refused(key: str, value: Any) -> None:
    assert refused({"LOCATION": URL, key: value}).key == key


def test_global_factory_of_another_library_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"connection_factory: 'django_redis.pool.ConnectionFactory' belongs"):
        Settings.parse({"LOCATION": URL}, connection_factory="django_redis.pool.ConnectionFactory")
    with pytest.raises(ConfigurationError, match=r"OPTIONS\['CLIENT_CLASS'\]: 'django_redis.client.DefaultClient'"):
        Settings.parse({"LOCATION": URL}, client_class="django_redis.client.DefaultClient")


@pytest.mark.parametrize(
    "options",
    [
        {"PASSWORD": "redis.s3cr3t", "USERNAME": "redis.app"},
        {"LOGGER": "redis.cache"},
        {"CONNECTION_POOL_KWARGS": {"client_name": "redis.web", "lib_name": "redis.py"}},
        {
            "CREDENTIAL_PROVIDER": type(
                "Own", (foreign("redis.credentials.CredentialProvider"),), {"get_credentials": 1}
            )
        },
    ],
)
def test_text_that_names_no_class_may_begin_with_another_library(options: dict[str, Any]) -> None:
    if "CREDENTIAL_PROVIDER" in options:
        options["CREDENTIAL_PROVIDER"].get_credentials = lambda _: ("u", "p")
    assert of_options(**options).endpoints


def test_serializer_and_compressor_of_another_library_may_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("django_redis")
    cls = foreign("django_redis.Codec", dumps=print, loads=print, compress=print, decompress=print)
    monkeypatch.setattr(module, "Codec", cls, raising=False)
    monkeypatch.setitem(sys.modules, "django_redis", module)
    for value in (cls, "django_redis.Codec", cls()):
        settings = of_options(SERIALIZER=value, COMPRESSOR=value, SERIALIZER_FALLBACKS=[value])
        assert isinstance(settings.serializer, cls)
        assert isinstance(settings.compressor, cls)


def test_serializer_of_a_library_that_is_missing_names_ours() -> None:
    error = refused_option(SERIALIZER="django_redis.serializers.json.JSONSerializer")
    assert "there is no module 'django_redis'; write 'dvcache.serializers.json.JSONSerializer'" in str(error)
