"""Test Django's herd client: entries of django-valkey's herd client, and the policy of an alias."""

import asyncio
import importlib
from typing import Any

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from django_valkey import container
from django_valkey._legacy.herd_envelope import unwrapped
from django_valkey.base_client import Marker
from tests.support.servers import Server

THEIRS = (
    b"\x80\x04\x95;\x00\x00\x00\x00\x00\x00\x00\x8c\x19django_valkey.base_client\x94\x8c\x06Marker\x94\x93\x94)\x81\x94}"
    b"\x94\x8c\x01n\x94K\x01sJ\x00\xf1Se\x87\x94."
)
"""The entry that django-valkey 0.4.1's herd client stores for {"n": 1}."""


def entry(location: str, client: str = "django_valkey.client.HerdClient", **options: object) -> dict[str, Any]:
    return {
        "BACKEND": "django_valkey.cache.ValkeyCache",
        "LOCATION": location,
        "OPTIONS": {"CLIENT_CLASS": client, **options},
    }


@pytest.mark.parametrize("client", ["client.HerdClient", "client.DefaultClient", "async_cache.client.AsyncHerdClient"])
def test_herd_entries_of_django_valkey_are_read_as_their_values(server: Server, client: str) -> None:
    with override_settings(CACHES={"default": entry(server.url(), f"django_valkey.{client}")}):
        cache: Any = caches["default"]
        server.raw("SET", ":1:k", THEIRS, "EX", 100)
        assert cache.get("k") == {"n": 1}
        assert cache.get_many(["k"]) == {"k": {"n": 1}}
        assert asyncio.run(cache.aget_or_set("k", 5)) == {"n": 1}


def test_herd_entry_of_django_valkey_is_stale_after_its_timeout(server: Server) -> None:
    with override_settings(CACHES={"default": entry(server.url())}, CACHE_HERD_TIMEOUT=60):
        cache: Any = caches["default"]
        server.raw("SET", ":1:k", THEIRS, "EX", 59)
        assert cache.get("k") is None
        assert cache.get("k") == {"n": 1}
        assert cache.get_or_set("k", 5) == {"n": 1}
        cache.set("k", 6)
        assert cache.get("k") == 6


def test_herd_values_are_stored_without_an_envelope(server: Server) -> None:
    with override_settings(CACHES={"default": entry(server.url())}):
        caches["default"].set("k", 7, 100)
    assert server.raw("GET", ":1:k") == b"7"
    assert 155_000 < server.raw("PTTL", ":1:k") <= 160_000


def test_herd_marker_is_importable_where_old_pickles_look_for_it() -> None:
    assert importlib.import_module("django_valkey.base_client").Marker is Marker
    assert unwrapped((Marker(), None, 5)) is None
    for value in ((1, 2, 3), (Marker(), 1), [Marker(), 1, 2], Marker, None):
        assert unwrapped(value) is value


@pytest.mark.parametrize("client", ["client.DefaultClient", "client.HerdClient"])
def test_herd_option_works_with_any_client(client: str) -> None:
    wanted = entry("memory://herd-option", f"django_valkey.{client}", HERD={"timeout": 5, "wait": 1})
    with override_settings(CACHES={"default": wanted}, CACHE_HERD_TIMEOUT=20):
        herd = container().settings.herd
    assert herd is not None
    assert (herd.timeout, herd.lease, herd.wait) == (5000, 5000, 1.0)


def test_herd_timeout_setting_has_no_effect_without_the_option() -> None:
    wanted = entry("memory://herd-none", "django_valkey.client.DefaultClient")
    with override_settings(CACHES={"default": wanted}, CACHE_HERD_TIMEOUT=20):
        assert container().settings.herd is None


def test_wrong_herd_setting_is_named_as_in_django() -> None:
    with (
        override_settings(CACHES={"default": entry("memory://")}, CACHE_HERD_TIMEOUT="soon"),
        pytest.raises(ImproperlyConfigured, match="CACHE_HERD_TIMEOUT: must be a number of seconds"),
    ):
        caches["default"]  # the first `get` creates it


def test_wrong_herd_option_is_reported_with_a_suggestion() -> None:
    with (
        override_settings(CACHES={"default": entry("memory://", HERD={"leese": 5})}),
        pytest.raises(ImproperlyConfigured, match=r"OPTIONS\['HERD'\]: 'leese' is not known; did you mean lease"),
    ):
        caches["default"]  # as above


def test_aget_or_set_may_refresh_in_the_background(server: Server) -> None:
    async def scenario() -> list[object]:
        cache: Any = caches["default"]
        await cache.aset("k", "old")
        server.raw("PEXPIRE", ":1:k", 1000)
        found = [await cache.aget_or_set("k", lambda: "new")]
        while (latest := await cache.aget("k")) == "old":  # noqa: ASYNC110  # the task has no name here
            await asyncio.sleep(0.001)
        return [*found, latest]

    with override_settings(CACHES={"default": entry(server.url(), HERD={"background": True})}):
        assert asyncio.run(scenario()) == ["old", "new"]
