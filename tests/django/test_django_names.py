"""Test that every dotted path and attribute of django-valkey that projects use exists and works."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, NamedTuple

import pytest
from django.core.cache import caches
from django.core.signals import request_finished
from django.test.utils import override_settings
from django.utils.module_loading import import_string

from django_valkey import base, base_client
from django_valkey.async_cache.cache import AsyncValkeyCache, DecoratedAsyncBackendCommands
from django_valkey.cache import DecoratedBackendCommands, ValkeyCache
from django_valkey.client import DefaultClient
from django_valkey.exceptions import ConnectionInterrupted
from dvcache import TransportError
from tests.support.servers import free_port


class Names(NamedTuple):
    """Names of one module, or of several that have the same ones."""

    modules: str
    names: str


NAMES: Final = [
    Names("django_valkey.cache", "ValkeyCache DecoratedBackendCommands"),
    Names("django_valkey.async_cache.cache", "AsyncValkeyCache DecoratedAsyncBackendCommands"),
    Names("django_valkey.client django_valkey.client.default", "DefaultClient HashClient"),
    Names("django_valkey.client django_valkey.client.herd", "HerdClient"),
    Names("django_valkey.client django_valkey.client.sentinel", "SentinelClient"),
    Names("django_valkey.client django_valkey.client.sharded", "ShardClient"),
    Names("django_valkey.async_cache.client django_valkey.async_cache.client.default", "AsyncDefaultClient"),
    Names("django_valkey.async_cache.client django_valkey.async_cache.client.herd", "AsyncHerdClient"),
    Names("django_valkey.async_cache.client django_valkey.async_cache.client.sentinel", "AsyncSentinelClient"),
    Names("django_valkey.async_cache.client django_valkey.async_cache.client.default", "AsyncHashClient"),
    Names("django_valkey.client django_valkey.client.sharded", "ShardClient"),
    Names("django_valkey.cluster_cache.cache", "ClusterValkeyCache"),
    Names("django_valkey.cluster_cache.client django_valkey.cluster_cache.client.default", "DefaultClusterClient"),
    Names("django_valkey.cluster_cache.pool", "ClusterConnectionFactory"),
    Names("valkey.cluster", "ValkeyCluster"),
    Names("django_valkey.commands.hash", "HashCommands AsyncHashCommands"),
    Names("django_valkey.pool", "ConnectionFactory SentinelConnectionFactory"),
    Names("django_valkey.async_cache.pool", "AsyncConnectionFactory AsyncSentinelConnectionFactory"),
    Names("django_valkey.base_pool", "BaseConnectionFactory"),
    Names("django_valkey.hash_ring", "HashRing"),
    Names("valkey.connection valkey.asyncio.connection", "ConnectionPool BlockingConnectionPool"),
    Names("valkey.sentinel valkey.asyncio.sentinel", "SentinelConnectionPool"),
    Names("valkey.client valkey.asyncio.client", "Valkey"),
    Names("django_valkey.serializers.base", "BaseSerializer"),
    Names("django_valkey.serializers.pickle", "PickleSerializer"),
    Names("django_valkey.serializers.json", "JSONSerializer"),
    Names("django_valkey.serializers.msgpack", "MSGPackSerializer"),
    Names("django_valkey.serializers.msgspec", "MsgSpecJsonSerializer MsgSpecMsgPackSerializer"),
    Names("django_valkey.compressors.base", "BaseCompressor"),
    Names("django_valkey.compressors.identity", "IdentityCompressor"),
    Names("django_valkey.compressors.brotli", "BrotliCompressor"),
    Names("django_valkey.compressors.bz2", "Bz2Compressor"),
    Names("django_valkey.compressors.gzip", "GzipCompressor"),
    Names("django_valkey.compressors.lz4", "Lz4Compressor"),
    Names("django_valkey.compressors.lzma", "LzmaCompressor"),
    Names("django_valkey.compressors.zlib", "ZlibCompressor"),
    Names("django_valkey.compressors.zstd", "ZStdCompressor"),
    Names(
        "django_valkey.base",
        "BaseValkeyCache BackendCommands AsyncBackendCommands omit_exception omit_exception_async "
        "decorate_all_methods CONNECTION_INTERRUPTED ATTR_DOES_NOT_EXIST close_async_caches",
    ),
    Names(
        "django_valkey.base_client",
        "BaseClient ClientCommands AsyncClientCommands HerdCommonMethods Marker DEFAULT_TIMEOUT _main_exceptions "
        "glob_escape",
    ),
    Names("django_valkey.util", "make_key make_pattern encode decode CacheKey default_reverse_key glob_escape"),
    Names("django_valkey.exceptions", "ConnectionInterrupted CompressorError"),
    Names("django_valkey", "get_valkey_connection VERSION __version__"),
    Names("django_valkey.async_cache", "get_valkey_connection"),
]
"""Names from section 4 of the compatibility page."""


def paths(rows: list[Names]) -> list[str]:
    return [f"{module}.{name}" for row in rows for module in row.modules.split() for name in row.names.split()]


@pytest.mark.parametrize("path", paths(NAMES))
def test_every_path_of_the_compatibility_page_can_be_imported(path: str) -> None:
    assert import_string(path) is not None


@pytest.fixture
def silent_server() -> Iterator[Any]:
    """The default alias, with a server that does not answer."""
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": f"valkey://127.0.0.1:{free_port()}"}
    with override_settings(CACHES={"default": entry}):
        yield caches["default"]


def test_except_clause_for_django_valkeys_error_catches_a_lost_server(silent_server: Any) -> None:
    for call in (
        lambda: silent_server.get("a"),
        lambda: silent_server.client.set("a", 1),
        lambda: asyncio.run(silent_server.aget("a")),
    ):
        with pytest.raises(ConnectionInterrupted) as caught:
            call()
        assert isinstance(caught.value, TransportError)
        assert caught.value.connection is None
        with pytest.raises(base_client._main_exceptions):
            call()
    raw = silent_server.client.get_client()
    with pytest.raises(base_client._main_exceptions):
        raw.get("a")


class Wrapping(DefaultClient):
    """A client that catches and raises as those written for django-valkey do."""

    def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        try:
            return super().get(key, default, version, client)
        except ConnectionInterrupted:
            raise ConnectionInterrupted(connection=client) from OSError("gone")

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().set(key, value, *args, **kwargs)
        except base_client._main_exceptions:
            return "kept elsewhere"


@pytest.mark.parametrize("ignore", [True, False])
def test_custom_client_may_raise_django_valkeys_errors_to_be_ignored(*, ignore: bool) -> None:
    options = {"CLIENT_CLASS": f"{__name__}.Wrapping", "IGNORE_EXCEPTIONS": ignore}
    location = f"valkey://127.0.0.1:{free_port()}"
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": location, "OPTIONS": options}
    with override_settings(CACHES={"default": entry}):
        cache = caches["default"]
        assert cache.set("a", 1) == "kept elsewhere"
        if ignore:
            assert cache.get("a", "default") == "default"
            assert cache.get_many(["a"]) == {}
        else:
            with pytest.raises(ConnectionInterrupted, match="Valkey OSError: gone"):
                cache.get("a")
        with pytest.raises(ConnectionInterrupted):
            cache.client.get("a")


class Failing:
    """A client with methods decorated as django-valkey's are."""

    def __init__(self, *, ignores: bool) -> None:
        self._ignore_exceptions = ignores
        self._log_ignored_exceptions = ignores
        self.logger = logging.getLogger("shop.cache")

    @base.omit_exception
    def get(self) -> Any:
        raise ConnectionInterrupted("connection") from OSError("gone")

    @base.omit_exception(return_value={})
    def get_many(self) -> Any:
        return self.fail()

    @base.omit_exception_async(return_value={})
    async def aget_many(self) -> Any:
        return self.fail()

    def fail(self) -> Any:
        raise TransportError("no answer")

    def iter_keys(self) -> Iterator[str]:
        yield "a"
        self.fail()

    async def aiter_keys(self) -> AsyncIterator[str]:
        yield "a"
        self.fail()

    iter_keys = base.omit_exception(iter_keys, gen=True)
    aiter_keys = base.omit_exception_async(aiter_keys)


async def gathered(found: AsyncIterator[str]) -> list[str]:
    return [each async for each in found]


def test_decorated_methods_return_values_with_ignored_exceptions(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(ignores=True)
    assert failing.get() is None
    assert failing.get_many() == asyncio.run(failing.aget_many()) == {}
    assert list(failing.iter_keys()) == asyncio.run(gathered(failing.aiter_keys())) == ["a"]
    assert [record.getMessage() for record in caplog.records] == ["Exception ignored"] * 5


def test_decorated_methods_raise_the_cause_without_ignored_exceptions() -> None:
    failing = Failing(ignores=False)
    with pytest.raises(OSError, match="gone"):
        failing.get()
    for call in (failing.get_many, lambda: asyncio.run(failing.aget_many()), lambda: list(failing.iter_keys())):
        with pytest.raises(TransportError):
            call()


def test_decorating_all_methods_leaves_get_unchanged() -> None:
    @base.decorate_all_methods(base.omit_exception)
    class Methods(base.BackendCommands):
        def _get(self) -> None: ...

    assert Methods.get is base.BackendCommands.get
    assert Methods.get_or_set is base.BackendCommands.get_or_set
    assert Methods.set is not base.BackendCommands.set
    assert issubclass(DecoratedBackendCommands, base.BackendCommands)
    assert issubclass(DecoratedAsyncBackendCommands, base.AsyncBackendCommands)
    assert issubclass(ValkeyCache, base.BaseValkeyCache)
    assert issubclass(AsyncValkeyCache, base.BaseValkeyCache)


def test_close_all_caches_closes_both_modes_and_no_django_signal_does() -> None:
    entries = {
        "default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "memory://a"},
        "other": {"BACKEND": "django_valkey.async_cache.cache.AsyncValkeyCache", "LOCATION": "memory://b"},
    }

    async def scenario() -> None:
        await caches["default"].aset("a", 1)
        await caches["other"].set("a", 1)
        await base.close_async_caches(sender=None)
        assert await caches["other"].aget("a") == 1

    with override_settings(CACHES=entries):
        asyncio.run(scenario())
    receivers = [receiver[1] for receiver in request_finished.receivers]
    assert base.close_async_caches not in receivers
