"""Test how backends find their container, and its lifetime."""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import caches
from django.core.signals import request_finished
from django.test.utils import override_settings

import django_valkey
from django_valkey._config import django_settings, registry
from django_valkey.cache import ValkeyCache
from django_valkey.exceptions import ConfigurationError
from dvcache.testing import MemoryPoolFactory
from tests.django.conftest import NAMED, Configure, connections
from tests.support.servers import Server

PRODUCTION = {
    "default": {
        "BACKEND": "django_valkey.cache.ValkeyCache",
        "LOCATION": "valkeys://app:secret@cache.example.com:6380/3",
        "TIMEOUT": 0.5,
        "KEY_PREFIX": "shop",
        "VERSION": 0,
        "OPTIONS": {
            "COMPRESSOR": "django_valkey.compressors.zlib.ZlibCompressor",
            "SERIALIZER": "django_valkey.serializers.json.JSONSerializer",
            "SOCKET_TIMEOUT": 1,
            "CONNECTION_POOL_KWARGS": {"max_connections": 20, "ssl_cert_reqs": "required"},
        },
    },
    "older": {
        "BACKEND": "django_valkey.async_cache.cache.AsyncValkeyCache",
        "LOCATION": "unix:///run/valkey.sock?db=1",
    },
}


class SlowSerializer:
    made = 0

    def __init__(self) -> None:
        threading.Event().wait(0.05)
        type(self).made += 1

    def dumps(self, value: object) -> bytes:
        return repr(value).encode()

    def loads(self, data: bytes) -> object:
        return data


def test_twenty_threads_make_one_container(configured: Configure) -> None:
    together = threading.Barrier(20)

    def container(_: int) -> object:
        together.wait(10)
        return caches["default"]._wired.container

    SlowSerializer.made = 0
    with configured("memory://", OPTIONS={"SERIALIZER": SlowSerializer}), ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(container, range(20)))) == 1
    assert SlowSerializer.made == 1


def test_container_of_an_alias_is_that_of_its_caches(configured: Configure) -> None:
    with configured("memory://own"):
        container = django_valkey.container()
        assert container is django_valkey.container() is caches["default"]._wired.container
        container.cache().set("a", 1)
        assert caches["default"].get("a") == 1
        assert container.settings.alias == "default"


def test_container_of_an_alias_of_another_backend_is_an_error() -> None:
    with override_settings(CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}):
        with pytest.raises(ConfigurationError, match=r"CACHES\['default'\]: BACKEND: .*LocMemCache"):
            django_valkey.container()
        with pytest.raises(ConfigurationError, match=r"CACHES\['other'\]: there is no such alias; CACHES has default"):
            django_valkey.container("other")


def test_settings_for_merges_the_entry_over_the_global_settings(configured: Configure) -> None:
    with (
        configured("memory://", TIMEOUT=7, OPTIONS={"COMPRESS_MIN_LENGTH": 99, "SCAN_COUNT": None}),
        override_settings(
            DJANGO_VALKEY_IGNORE_EXCEPTIONS=True,
            DJANGO_VALKEY_LOG_IGNORED_EXCEPTIONS=True,
            DJANGO_VALKEY_LOGGER="shop.cache",
            DJANGO_VALKEY_SCAN_ITERSIZE=77,
            CACHE_COMPRESS_MIN_LENGTH=5,
        ),
    ):
        read = django_settings.settings_for("default")
    assert (read.timeout, read.compress_min_length, read.scan_count) == (7, 99, 77)
    assert (read.ignore_exceptions, read.log_ignored_exceptions, read.logger) == (True, True, "shop.cache")
    with configured("memory://"):
        read = django_settings.settings_for("default")
    assert (read.compress_min_length, read.scan_count, read.logger) == (15, 1000, "django_valkey.base")
    assert (read.ignore_exceptions, read.log_ignored_exceptions) == (False, False)


def test_overridden_global_settings_take_effect_and_end(configured: Configure) -> None:
    down = "valkey://127.0.0.1:1"

    def fresh() -> ValkeyCache:
        return ValkeyCache(down, {})

    with pytest.raises(ConnectionError):
        fresh().get("a")
    with override_settings(DJANGO_VALKEY_IGNORE_EXCEPTIONS=True):
        assert fresh().get("a", "ignored") == "ignored"
    with pytest.raises(ConnectionError), configured(down):
        caches["default"].get("a")


def test_unrelated_settings_leave_connections_alone(configured: Configure) -> None:
    with configured("memory://kept"):
        container = caches["default"]._wired.container
        with override_settings(DEBUG=True):
            assert ValkeyCache("memory://kept", {})._wired.container is container
        assert django_valkey.container() is container


def test_in_place_change_of_settings_takes_effect() -> None:
    entry: dict[str, Any] = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "memory://", "OPTIONS": {}}
    with override_settings(CACHES={"default": entry}):
        first = django_valkey.container()
        entry["OPTIONS"]["COMPRESS_MIN_LENGTH"] = 1
        assert django_valkey.container().settings.compress_min_length == 1
        assert django_valkey.container() is not first


def test_aliases_that_differ_have_separate_containers() -> None:
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "memory://"}
    entries = {
        "a": entry,
        "b": {**entry, "OPTIONS": {"PASSWORD": "x"}},
        "c": {**entry, "OPTIONS": {"PASSWORD": "y"}},
        "d": {**entry, "OPTIONS": {"CONNECTION_POOL_KWARGS": {"max_connections": 2}}},
        "e": {**entry, "BACKEND": "django_valkey.async_cache.cache.AsyncValkeyCache"},
    }
    with override_settings(CACHES=entries):
        containers = [django_valkey.container(alias) for alias in entries]
        assert len(set(containers)) == 5
        assert [container.settings.alias for container in containers] == list(entries)


def test_old_connections_close_when_their_settings_change(server: Server, configured: Configure) -> None:
    for n in range(5):
        with configured(server.url(), KEY_PREFIX=f"prefix{n}", OPTIONS=NAMED):
            caches["default"].set("a", n)
            assert connections(server) == 1
        caches["default"].get("a")
        server.wait_until(lambda: connections(server) == 0)


def test_cache_object_outlives_its_settings(server: Server, configured: Configure) -> None:
    with configured(server.url(), KEY_PREFIX="mine"):
        cache = caches["default"]
        cache.set("a", 1)
    assert cache.get("a") == 1
    assert asyncio.run(cache.aget("a")) == 1


def test_thread_keeps_its_connection_while_the_settings_change(server: Server, configured: Configure) -> None:
    ready, changed = threading.Event(), threading.Event()

    def thread() -> list[object]:
        cache = caches["default"]
        cache.set("a", 1)
        ready.set()
        changed.wait(10)
        return [cache.get("a"), connections(server)]

    with ThreadPoolExecutor(1) as threads:
        with configured(server.url(), OPTIONS=NAMED):
            future = threads.submit(thread)
            ready.wait(10)
        caches["default"].get("a")
        changed.set()
        assert future.result() == [1, 1]


def test_global_settings_reach_a_cache_object_with_the_next_request(configured: Configure) -> None:
    with configured("valkey://127.0.0.1:1"):
        cache = caches["default"]
        with pytest.raises(ConnectionError):
            cache.get("a")
        with override_settings(DJANGO_VALKEY_IGNORE_EXCEPTIONS=True):
            request_finished.send(sender=None)
            assert cache.get("a", "ignored") == "ignored"


def test_attributes_can_be_set_and_missing_ones_are_errors(configured: Configure) -> None:
    with configured("memory://"):
        cache = caches["default"]
        cache.get = lambda key: f"patched {key}"  # type: ignore[method-assign]  # as the debug toolbar does
        assert cache.get("a") == "patched a"
        assert not hasattr(cache, "no_such_attribute")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_production_settings_run_unchanged_with_memory_pools() -> None:
    async def scenario() -> None:
        cache = caches["default"]
        assert await cache.aget("a") == [1]
        assert await cache.aincr("n") == 2
        await caches["older"].set("b", 1)
        assert await caches["older"].aget("b") == 1

    factory = MemoryPoolFactory()
    with override_settings(CACHES=PRODUCTION), registry.use(pool_factory=factory):
        cache = caches["default"]
        cache.set("a", [1])
        cache.set("n", 1, timeout=None)
        assert cache.get("a") == [1]
        assert 0 < cache.pttl("a") <= 500
        asyncio.run(scenario())
        [endpoint] = django_valkey.container().settings.endpoints
        assert factory.store(endpoint).execute(3, [b"KEYS", b"*"]) == [b"shop:0:a", b"shop:0:n"]


@pytest.mark.usefixtures("no_network")
def test_replacements_end_with_their_block() -> None:
    with override_settings(CACHES=PRODUCTION):
        with registry.use(pool_factory=MemoryPoolFactory()):
            inner = caches["default"]
            inner.set("a", 1)
            with registry.use(pool_factory=MemoryPoolFactory()):
                assert caches["default"].get("a") is None
            assert caches["default"].get("a") is None or caches["default"].get("a") == 1
        with pytest.raises(AssertionError, match="network"):
            caches["default"].get("a")


@pytest.mark.usefixtures("no_network")
def test_connections_are_opened_by_the_first_operation() -> None:
    with override_settings(CACHES=PRODUCTION):
        assert caches["default"].make_key("a") == "shop:0:a"
        assert caches["older"].make_key("a") == ":1:a"
