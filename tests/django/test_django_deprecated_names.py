"""Test names that only django-valkey's documentation had: they work, with a warning that has the right ones."""

import sys
import warnings
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.cache import caches
from django.test.utils import override_settings

from django_valkey._config import deprecated_names, django_settings
from django_valkey.async_cache.cache import AsyncValkeyCache
from django_valkey.pool import ConnectionFactory
from django_valkey.serializers.json import JSONSerializer
from dvcache import ConfigurationWarning, Settings
from tests.django.conftest import Configure

FILTERS = [{"id": 33}]
VALUES: dict[str, tuple[object, str]] = {
    "DJANGO_VALKEY_IGNORE_EXCEPTION": (True, "IGNORE_EXCEPTIONS"),
    "DJANGO_VALKEY_LOG_EXCEPTION": (True, "LOG_IGNORE_EXCEPTIONS"),
    "DJANGO_VALKEY_LOG_IGNORED_EXCEPTION": (True, "LOG_IGNORE_EXCEPTIONS"),
    "CACHE_COMPRESS_MIN_LEVEL": (99, "COMPRESS_MIN_LENGTH"),
    "compress_zlib_wbits": (31, "COMPRESS_ZLIB_WBITS"),
    "DECOMPERSS_LZMA_FILTERS": (FILTERS, "DECOMPRESS_LZMA_FILTERS"),
    "COMPRESSION_ZSTD_OPTIONS": ({100: 3}, "COMPRESS_ZSTD_OPTIONS"),
}


class RecordingSerializer:
    """A serializer that records its options."""

    def __init__(self, options: Mapping[str, object]) -> None:
        self.options = options

    def dumps(self, value: object) -> bytes:
        return str(value).encode()

    def loads(self, data: bytes) -> object:
        return data


def recorded(
    configured: Configure, options: Mapping[str, object] | None = None, **given: object
) -> Mapping[str, object]:
    """Options passed to a class of the default alias."""
    with (
        configured("memory://", OPTIONS={"SERIALIZER": RecordingSerializer, **(options or {})}),
        override_settings(**given),
    ):
        serializer: Any = django_settings.settings_for().serializer
        return serializer.options  # type: ignore[no-any-return]  # its own attribute


def test_every_misspelt_setting_is_tested() -> None:
    assert VALUES.keys() == deprecated_names.SETTINGS.keys()


@pytest.mark.parametrize("name", VALUES)
def test_misspelt_setting_takes_effect_and_the_warning_names_the_right_one(name: str, configured: Configure) -> None:
    value, option = VALUES[name]
    with pytest.warns(ConfigurationWarning) as caught:
        assert recorded(configured, **{name: value})[option] == value
    assert [str(each.message) for each in caught] == [
        f"{name} was read as {deprecated_names.SETTINGS[name]}; write that"
    ]


@pytest.mark.filterwarnings("ignore::dvcache.ConfigurationWarning")
def test_right_name_takes_precedence_over_the_deprecated_name(configured: Configure) -> None:
    given = {"CACHE_COMPRESS_MIN_LEVEL": 1, "CACHE_COMPRESS_MIN_LENGTH": 2}
    assert recorded(configured, **given)["COMPRESS_MIN_LENGTH"] == 2
    options = {"compress_zlib_wbits": 31, "COMPRESS_ZLIB_WBITS": 15}
    assert recorded(configured, options)["COMPRESS_ZLIB_WBITS"] == 15


def test_lower_case_name_is_read_from_the_settings_module(
    configured: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "compress_zlib_wbits", 31, raising=False)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", __name__)
    with pytest.warns(ConfigurationWarning, match="COMPRESS_ZLIB_WBITS"):
        assert recorded(configured)["COMPRESS_ZLIB_WBITS"] == 31


@pytest.mark.parametrize("name", deprecated_names.OPTIONS)
def test_misspelt_option_takes_effect_and_the_warning_names_the_right_one(name: str, configured: Configure) -> None:
    right = deprecated_names.OPTIONS[name]
    value = VALUES[name][0] if name in VALUES else True
    with pytest.warns(ConfigurationWarning) as caught:
        assert recorded(configured, {name: value})[right] == value
    [warning] = caught
    assert str(warning.message) == f"CACHES['default']: OPTIONS[{name!r}] was read as {right}; write that"


def parsed(options: Mapping[str, object]) -> Settings:
    entry = {"LOCATION": "valkey://h", "OPTIONS": options}
    with override_settings(CACHES={"default": entry}):
        return django_settings.settings_for()


def test_pool_limit_may_be_in_the_singular() -> None:
    with pytest.warns(ConfigurationWarning, match=r"\['max_connection'\] was read as max_connections"):
        settings = parsed({"CONNECTION_POOL_KWARGS": {"max_connection": 7}})
    assert settings.endpoints[0].max_connections == 7


def test_factories_accept_the_right_names_without_a_warning() -> None:
    factory = ConnectionFactory({"CONNECTION_POOL_KWARGS": {"max_connection": 7}})
    pool = factory.get_connection_pool(factory.make_connection_params("valkey://h"))
    assert pool.max_connections == 7


def test_serializer_may_be_in_the_documented_package() -> None:
    with pytest.warns(ConfigurationWarning, match="'django_valkey.serializers.json.JSONSerializer'; write that"):
        settings = parsed({"SERIALIZER": "django_valkey.serializer.json.JSONSerializer"})
    assert isinstance(settings.serializer, JSONSerializer)


def test_async_backend_may_be_in_the_documented_module() -> None:
    path = "django_valkey.async_cache.caches"
    sys.modules.pop(path, None)
    with (
        override_settings(CACHES={"default": {"BACKEND": f"{path}.AsyncValkeyCache", "LOCATION": "memory://"}}),
        pytest.warns(ConfigurationWarning, match="'django_valkey.async_cache.cache.AsyncValkeyCache'"),
    ):
        assert type(caches["default"]) is AsyncValkeyCache


def test_right_names_do_not_warn(configured: Configure) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recorded(configured, CACHE_COMPRESS_MIN_LENGTH=2)["COMPRESS_MIN_LENGTH"] == 2
