"""Test serializers that run no stored code, in a project: pages, fragments and sessions, and the secrets."""

import datetime as dt
import pickle
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings
from django.utils.safestring import SafeString, mark_safe

from django_valkey._config import django_settings
from django_valkey.serializers.json import JSONSerializer
from django_valkey.serializers.signed import SignedSerializer
from django_valkey.serializers.typed import SAFE, TypedSerializer
from dvcache.serializers.typed import Kind
from tests.django.conftest import Configure
from tests.support.webproject import AsgiBrowser, Browser, WsgiBrowser, calls

SIGNED = {"SERIALIZER": "django_valkey.serializers.signed.SignedSerializer"}
TYPED = {"SERIALIZER": "django_valkey.serializers.typed.TypedSerializer"}
BROWSERS = pytest.mark.parametrize("browser_class", [WsgiBrowser, AsgiBrowser])
SAFE_ONES = pytest.mark.parametrize("options", [SIGNED, TYPED], ids=["signed", "typed"])

executed: list[str] = []


def execute(what: str) -> None:
    executed.append(what)


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return execute, ("boom",)


def store(entry: bytes) -> None:
    caches["default"]._client.execute((("SET", caches["default"].make_key("k"), entry),))


@BROWSERS
@pytest.mark.parametrize("url", ["/page", "/apage"])
def test_pages_are_cached_signed(browser_class: type[Browser], url: str, configured: Configure) -> None:
    calls.clear()
    with configured("memory://signed-pages", OPTIONS=SIGNED):
        caches["default"].clear()
        browser = browser_class()
        assert [browser.get(url) for _ in range(3)] == ["answer 1"] * 3
    assert calls == {url: 1}


@BROWSERS
@SAFE_ONES
def test_template_fragments_are_cached(
    browser_class: type[Browser], options: dict[str, str], configured: Configure
) -> None:
    calls.clear()
    with configured("memory://safe-fragments", OPTIONS=options):
        caches["default"].clear()
        browser = browser_class()
        assert [browser.get(f"/fragment?who={who}") for who in ("ada", "bob", "ada")] == ["part 1", "part 2", "part 1"]


@BROWSERS
@SAFE_ONES
@pytest.mark.parametrize("mode", ["", "async_"])
@pytest.mark.usefixtures("database")
def test_sessions_work(browser_class: type[Browser], options: dict[str, str], mode: str, configured: Configure) -> None:
    with (
        configured("memory://safe-sessions", OPTIONS=options),
        override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cache"),
    ):
        browser = browser_class()
        assert browser.get(f"/{mode}visit") == "1"
        assert browser.get(f"/{mode}enter") == "in"
        assert browser.get(f"/{mode}who") == "1"
        assert browser.get(f"/{mode}visit") == "2"
        assert browser.get(f"/{mode}leave") == "out"
        assert browser.get(f"/{mode}who") == "nobody"


@SAFE_ONES
def test_raw_pickle_in_the_store_never_executes(options: dict[str, str], configured: Configure) -> None:
    executed.clear()
    for compressor in ("identity.IdentityCompressor", "zlib.ZlibCompressor", "brotli.BrotliCompressor"):
        with configured("memory://bombs", OPTIONS={**options, "COMPRESSOR": f"django_valkey.compressors.{compressor}"}):
            store(pickle.dumps(Bomb()))
            assert caches["default"].get("k", "a miss") == "a miss"
            assert caches["default"].get_or_set("k", "fresh") == "fresh"
    assert executed == []


def test_project_secrets_sign_and_are_rotated(configured: Configure) -> None:
    def found(**secrets: Any) -> object:
        with override_settings(**secrets):
            caches["default"].close()  # the end of a request, which applies changed settings
            return caches["default"].get("k")

    with configured("memory://rotated", OPTIONS=SIGNED):
        with override_settings(SECRET_KEY="old"):
            caches["default"].set("k", ["v"])
        assert found(SECRET_KEY="old") == ["v"]
        assert found(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]) == ["v"]
        assert found(SECRET_KEY="new") is None
    for keys, value in ((["old"], ["v"]), (["new"], None), (["new", "old"], ["v"])):
        with configured("memory://rotated", OPTIONS={**SIGNED, "SIGNING_KEYS": keys}):
            assert caches["default"].get("k") == value


def test_project_secrets_are_in_no_repr(configured: Configure) -> None:
    with override_settings(SECRET_KEY="s3cr3t"), configured("memory://repr", OPTIONS=SIGNED):
        cache = caches["default"]
        assert cache.get("k") is None
        assert "s3cr3t" not in f"{cache._wired!r} {django_settings.snapshot()!r} {django_settings.settings_for()!r}"
        assert "SignedSerializer" in repr(django_settings.settings_for())


def test_missing_secret_is_an_error_that_names_the_setting(configured: Configure) -> None:
    with (
        override_settings(SECRET_KEY=""),
        configured("memory://none", OPTIONS=SIGNED),
        pytest.raises(ImproperlyConfigured, match=r"'default'.*SECRET_KEY: must be a list of non-empty secr"),
    ):
        caches["default"].get("k")
    with override_settings(SECRET_KEY=""), configured("memory://none"):
        assert caches["default"].get("k") is None


class SignedJSON(SignedSerializer):
    serializer_class = JSONSerializer


class Money(Decimal):
    pass


class ShopSerializer(TypedSerializer):
    kinds = (SAFE, Kind("$money", Money, str, Money))


def test_project_may_sign_the_output_of_another_serializer(configured: Configure) -> None:
    with configured("memory://signed-json", OPTIONS={"SERIALIZER": f"{__name__}.SignedJSON"}):
        caches["default"].set("k", {"a": [1]})
        [stored] = caches["default"]._client.execute((("GET", caches["default"].make_key("k")),))
        assert stored[34:] == b'{"a": [1]}'
        assert caches["default"].get("k") == {"a": [1]}


@pytest.mark.parametrize(
    "value", [mark_safe("<b>"), {"a": (mark_safe(""),)}, Decimal("1.50"), dt.date(2026, 1, 2), {1: {2}}, b"\0"]
)
def test_typed_values_keep_their_types_and_safe_text_stays_safe(value: Any, configured: Configure) -> None:
    with configured("memory://typed", OPTIONS=TYPED):
        caches["default"].set("k", value)
        found = caches["default"].get("k")
        assert (found, type(found)) == (value, type(value))
        if isinstance(value, dict) and "a" in value:
            assert type(found["a"][0]) is SafeString


def test_project_may_add_its_own_types(configured: Configure) -> None:
    with configured("memory://shop", OPTIONS={"SERIALIZER": f"{__name__}.ShopSerializer"}):
        caches["default"].set("k", Money("9.90"))
        assert type(caches["default"].get("k")) is Money
