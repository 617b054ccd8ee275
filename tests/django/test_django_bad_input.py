"""Test that wrong settings fail in `caches[alias]`, with the alias, the key and the remedy."""

import sys
from typing import Any

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from django_valkey.exceptions import CompressorError, ConfigurationError, ConnectionInterrupted
from dvcache import errors
from tests.support.servers import free_port

WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no location": ({"LOCATION": ""}, "LOCATION", "a URL is missing"),
    "no location at all": ({}, "LOCATION", "a URL is missing"),
    "empty list": ({"LOCATION": []}, "LOCATION", "a URL is missing"),
    "scheme": ({"LOCATION": "http://cache"}, "LOCATION", "must start with one of valkey://"),
    "port": ({"LOCATION": "valkey://cache:port"}, "LOCATION", "cannot be read"),
    "near miss": ({"OPTIONS": {"SOKET_TIMEOUT": 1}}, "OPTIONS['SOKET_TIMEOUT']", "did you mean SOCKET_TIMEOUT?"),
    "near miss of a key": ({"KEY_PREFX": "a"}, "KEY_PREFX", "did you mean KEY_PREFIX?"),
    "options": ({"OPTIONS": ["a"]}, "OPTIONS", "must be a mapping, not list"),
    "timeout": ({"TIMEOUT": "soon"}, "TIMEOUT", "must be a number of seconds"),
    "version": ({"VERSION": "one"}, "VERSION", "must be a whole number"),
    "serializer": ({"OPTIONS": {"SERIALIZER": "shop.no.Such"}}, "OPTIONS['SERIALIZER']", "there is no module 'shop'"),
    "serializer's name": (
        {"OPTIONS": {"SERIALIZER": "django_valkey.serializers.json.JsonSerializer"}},
        "OPTIONS['SERIALIZER']",
        "did you mean JSONSerializer?",
    ),
    "missing package": (
        {"OPTIONS": {"COMPRESSOR": "compressor_with_a_need.Compressor"}},
        "OPTIONS['COMPRESSOR']",
        "pip install 'dvcache[brotli]'",
    ),
    "protocol": ({"OPTIONS": {"PICKLE_VERSION": 99}}, "OPTIONS['PICKLE_VERSION']", "must be -1 to"),
    "key function": ({"KEY_FUNCTION": "shop.no.such"}, "KEY_FUNCTION", "there is no module 'shop'"),
    "sentinels": ({"OPTIONS": {"SENTINELS": [("a", 1)]}}, "OPTIONS['SENTINELS']", "leave SENTINELS out"),
}


@pytest.fixture
def needy(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A compressor with a missing package."""
    folder = tmp_path_factory.mktemp("needy")
    (folder / "compressor_with_a_need.py").write_text("import brotli\nclass Compressor: ...\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setitem(sys.modules, "brotli", None)


@pytest.mark.usefixtures("needy")
@pytest.mark.parametrize("backend", ["cache.ValkeyCache", "async_cache.cache.AsyncValkeyCache"])
@pytest.mark.parametrize(("entry", "key", "cure"), WRONG.values(), ids=WRONG)
def test_wrong_setting_fails_when_the_cache_is_built(backend: str, entry: dict[str, Any], key: str, cure: str) -> None:
    location = {} if entry == {} else {"LOCATION": "memory://"}
    with override_settings(
        CACHES={
            "default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "memory://"},
            "wrong": {"BACKEND": f"django_valkey.{backend}", **location, **entry},
        }
    ):
        with pytest.raises(ImproperlyConfigured) as caught:
            caches["wrong"]
        assert caches["default"].get("a") is None
    error = caught.value
    assert isinstance(error, ConfigurationError)
    assert isinstance(error, errors.ConfigurationError)
    assert isinstance(error, ValueError)
    assert (error.alias, error.key) == ("wrong", key)
    assert str(error).startswith(f"CACHES['wrong']: {key}: ")
    assert cure in str(error)


@pytest.mark.parametrize(
    ("name", "value", "compressor"),
    [
        ("CACHE_COMPRESS_MIN_LENGTH", "many", "zlib.ZlibCompressor"),
        ("DJANGO_VALKEY_IGNORE_EXCEPTIONS", "perhaps", "zlib.ZlibCompressor"),
        ("DJANGO_VALKEY_SCAN_ITERSIZE", 0, "identity.IdentityCompressor"),
    ],
)
def test_wrong_global_setting_is_named_as_written(name: str, value: object, compressor: str) -> None:
    entry = {
        "BACKEND": "django_valkey.cache.ValkeyCache",
        "LOCATION": "memory://",
        "OPTIONS": {"COMPRESSOR": f"django_valkey.compressors.{compressor}"},
    }
    with override_settings(CACHES={"default": entry}, **{name: value}), pytest.raises(ConfigurationError) as caught:
        caches["default"]
    assert (caught.value.alias, caught.value.key) == ("default", name)


def test_passwords_stay_out_of_errors_and_reprs() -> None:
    secret = "hunter2"
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": f"valkey://:{secret}@cache:x"}
    with override_settings(CACHES={"default": entry}), pytest.raises(ConfigurationError) as caught:
        caches["default"]
    assert secret not in str(caught.value)
    entry["LOCATION"] = f"valkey://:{secret}@127.0.0.1:{free_port()}"
    with override_settings(CACHES={"default": entry}):
        cache = caches["default"]
        assert secret not in repr(cache)
        with pytest.raises(errors.TransportError) as failed:
            cache.get("a")
    assert secret not in str(failed.value)


def test_server_down_is_a_transport_error_with_alias_and_endpoint() -> None:
    port = free_port()
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": f"valkey://127.0.0.1:{port}/2"}
    with override_settings(CACHES={"default": entry, "pages": {**entry, "KEY_PREFIX": "pages"}}):
        for alias in ("default", "pages"):
            with pytest.raises(ConnectionError) as caught:
                caches[alias].get("a")
            assert isinstance(caught.value, errors.TransportError)
            assert (caught.value.alias, caught.value.endpoint) == (alias, f"valkey://127.0.0.1:{port}/2")
            assert f"alias {alias}, server valkey://127.0.0.1:{port}/2" in str(caught.value)


def test_ignored_errors_are_misses_and_logged_by_the_configured_logger(caplog: pytest.LogCaptureFixture) -> None:
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": f"valkey://127.0.0.1:{free_port()}"}
    with override_settings(
        CACHES={"default": entry},
        DJANGO_VALKEY_IGNORE_EXCEPTIONS=True,
        DJANGO_VALKEY_LOG_IGNORED_EXCEPTIONS=True,
        DJANGO_VALKEY_LOGGER="shop.cache",
    ):
        assert caches["default"].get("a", 7) == 7
        assert caches["default"].set("a", 1) is False
        assert caches["default"].get_many(["a"]) == {}
    assert {record.name for record in caplog.records} == {"shop.cache"}


def test_errors_keep_the_names_and_texts_of_django_valkey() -> None:
    error = ConnectionInterrupted("connection")
    error.__cause__ = TimeoutError("late")
    assert (str(error), error.connection) == ("Valkey TimeoutError: late", "connection")
    assert issubclass(CompressorError, Exception)
