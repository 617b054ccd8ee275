"""Test custom caches as BACKEND: every other method uses the overridden ones."""

import logging
from collections.abc import Iterator
from typing import Any, Final

import pytest
import valkey
import valkey.asyncio
from django.core.exceptions import ImproperlyConfigured

from django_valkey.async_cache.cache import AsyncValkeyCache
from django_valkey.async_cache.client import AsyncDefaultClient
from django_valkey.base import (
    AsyncBackendCommands,
    BackendCommands,
    BaseValkeyCache,
    decorate_all_methods,
    omit_exception,
)
from django_valkey.cache import ValkeyCache
from django_valkey.client import DefaultClient
from django_valkey.cluster_cache.cache import ClusterValkeyCache
from tests.django.test_django_own_clients import THROUGH, AsyncCounting, AsyncOwnDefault, Counting, OwnDefault
from tests.support.custom_caches import alias, calls, of


class OwnCache(Counting, ValkeyCache):
    """A custom cache for both modes."""


class AsyncOwnCache(AsyncCounting, AsyncValkeyCache):
    """A custom cache of coroutines."""


class OwnBase(Counting, BaseValkeyCache[DefaultClient, valkey.Valkey], BackendCommands):
    """A cache composed of the parts that django-valkey documents."""

    DEFAULT_CLIENT_CLASS = "django_valkey.client.DefaultClient"


class AsyncOwnBase(AsyncCounting, BaseValkeyCache[AsyncDefaultClient, valkey.asyncio.Valkey], AsyncBackendCommands):
    """The same, of coroutines."""

    DEFAULT_CLIENT_CLASS = "django_valkey.async_cache.client.AsyncDefaultClient"


CACHES: Final = [OwnCache, AsyncOwnCache, OwnBase, AsyncOwnBase]


@pytest.mark.parametrize("prefix", ["", "a"])
@pytest.mark.parametrize("backend", CACHES)
@pytest.mark.parametrize(("name", "args", "answer", "counted"), THROUGH.values(), ids=THROUGH)
def test_every_operation_uses_the_overrides_of_the_cache(  # noqa: PLR0917  # a row of the table
    backend: type, prefix: str, name: str, args: tuple[Any, ...], answer: Any, counted: dict[str, int]
) -> None:
    with alias(backend=backend) as cache:
        of(cache, "set")("a", 1)
        of(cache, "set")("b", 2)
        calls.clear()
        assert of(cache, f"{prefix}{name}")(*args) == answer
        assert calls == counted


class BothModes(ValkeyCache):
    """A cache that overrides a method and its coroutine."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        calls["get"] += 1
        return super().get(key, default, version)

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        calls["aget"] += 1
        return await super().aget(key, default, version)


def test_cache_may_override_a_method_and_its_coroutine_for_each_mode() -> None:
    with alias(backend=BothModes) as cache:
        cache.set("a", 1)
        assert cache.get("a") == of(cache, "aget")("a") == 1
        assert calls == {"get": 1, "aget": 1}
        assert cache.has_key("a")
        assert cache.get_many(["a"]) == {"a": 1}
        assert calls == {"get": 3, "aget": 1}
        assert of(cache, "aget_or_set")("a", 2) == of(cache, "aincr")("a", 0) == 1
        assert calls == {"get": 3, "aget": 3}


class CoroutineAlone(ValkeyCache):
    """A cache that overrides a coroutine alone."""

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        calls["aget"] += 1
        return await super().aget(key, default, version)


def test_coroutine_override_changes_nothing_in_sync_code() -> None:
    with alias(backend=CoroutineAlone) as cache:
        cache.set("a", 1)
        assert cache.get("a") == 1
        assert cache.get_or_set("a", 2) == 1
        assert calls == {}
        assert of(cache, "ahas_key")("a")
        assert calls == {"aget": 1}


class Over(OwnCache):
    """A subclass of a custom cache."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        calls["over"] += 1
        return super().get(key, default, version)


@pytest.mark.parametrize("prefix", ["", "a"])
def test_override_may_override_another(prefix: str) -> None:
    with alias(backend=Over) as cache:
        cache.set("a", 1)
        assert of(cache, f"{prefix}get_many")(["a"]) == {"a": 1}
        assert calls == {"set": 1, "get": 1, "over": 1}


@pytest.mark.parametrize(("backend", "client"), [(OwnCache, OwnDefault), (AsyncOwnCache, AsyncOwnDefault)])
def test_super_in_a_cache_override_calls_the_clients_override(backend: type, client: type) -> None:
    with alias(client, backend) as cache:
        of(cache, "set")("a", 1)
        assert calls == {"set": 2}
        assert of(cache, "get")("a") == 1
        assert of(cache, "get_many")(["a"]) == {"a": 1}
        assert calls == {"set": 2, "get": 4}
        assert cache._wired.container.cache().get("a") == 1 - 2000


class OfOwnClient(BaseValkeyCache[OwnDefault, valkey.Valkey], BackendCommands):
    """A cache that names its client."""

    DEFAULT_CLIENT_CLASS = f"{OwnDefault.__module__}.OwnDefault"


def test_cache_uses_the_client_of_its_class_if_the_alias_names_none() -> None:
    with alias(backend=OfOwnClient) as cache:
        assert type(cache.client) is OwnDefault
        cache.set("a", 1)
        assert cache.get("a") == 1
        assert calls == {"set": 1, "get": 1}
    with alias(DefaultClient, OfOwnClient) as cache:
        assert type(cache.client) is DefaultClient


class Choosing(ValkeyCache):
    """A cache that returns the class of its client."""

    def get_client_class(self) -> Any:
        calls["get_client_class"] += 1
        return OwnDefault


def test_cache_may_name_the_class_of_its_client() -> None:
    with alias(backend=Choosing) as cache:
        assert type(cache.client) is OwnDefault
        cache.set("a", 1)
        assert cache.get("a") == of(cache, "aget")("a") == 1
        assert (calls["set"], calls["get"]) == (1, 2)


class OnSentinels(ValkeyCache):
    """A cache that names a client of a service."""

    DEFAULT_CLIENT_CLASS = "django_valkey.client.SentinelClient"


def test_client_class_of_a_cache_determines_the_topology() -> None:
    sentinels = {"SENTINELS": [("127.0.0.1", 26379)]}
    with alias(backend=OnSentinels, options=sentinels, LOCATION="valkey://shop/0") as cache:
        assert cache.is_on_sentinels
        assert cache.set("a", 1)


class Moving(DefaultClient):
    """A cache that overrides `incr_version`."""

    def incr_version(self, *args: Any, **kwargs: Any) -> Any:
        calls["incr_version"] += 1
        return super().incr_version(*args, **kwargs)


def test_decr_version_uses_the_override_of_incr_version() -> None:
    with alias(Moving) as cache:
        cache.set("a", 1, version=5)
        assert cache.decr_version("a", 2, version=5) == 3
        assert calls == {"incr_version": 1}
        assert cache.get("a", version=3) == 1


class Listing(DefaultClient):
    """A client that overrides a method that yields pages."""

    def iter_keys(self, *args: Any, **kwargs: Any) -> Iterator[str]:
        calls["iter_keys"] += 1
        for name in super().iter_keys(*args, **kwargs):
            yield name.upper()


class ListingCache(ValkeyCache):
    """The same override in a cache."""

    def iter_keys(self, *args: Any, **kwargs: Any) -> Iterator[str]:
        calls["iter_keys"] += 1
        for name in super().iter_keys(*args, **kwargs):
            yield name.upper()


@pytest.mark.parametrize("where", [{"client": Listing}, {"backend": ListingCache}])
def test_override_applies_to_methods_that_yield_pages(where: dict[str, type]) -> None:
    with alias(**where) as cache:
        cache.set_many({"a": 1, "b": 2})
        assert sorted(cache.iter_keys("*")) == ["A", "B"]
        assert calls == {"iter_keys": 1}


@decorate_all_methods(omit_exception)
class Omitting(BackendCommands):
    """Methods that answer without a server, decorated as in django-valkey."""


class Decorated(BaseValkeyCache[DefaultClient, valkey.Valkey], Omitting):
    """A cache of decorated methods."""

    DEFAULT_CLIENT_CLASS = "django_valkey.client.DefaultClient"


def test_cache_of_decorated_methods_works() -> None:
    with alias(backend=Decorated) as cache:
        assert cache.set("a", 1)
        assert cache.get("a") == 1
        assert cache.get_many(["a"]) == {"a": 1}
        assert list(cache.iter_keys("*")) == ["a"]
        assert cache.incr("a") == 2
        assert of(cache, "aincr")("a") == 3


def test_custom_cache_makes_its_client_and_contexts_on_first_use() -> None:
    with alias(OwnDefault, OwnCache) as cache:
        made = [type(cache)(*cache._arguments) for _ in range(3)]
        assert all(each._wired is cache._wired for each in made)
        assert not any({"client", "_context", "_async_context"} & vars(each).keys() for each in made)


def test_custom_client_of_a_foreign_class_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="must inherit"):
        alias(backend="django_valkey.cache.ValkeyCache", client=logging.Logger).__enter__()


class Writing(ClusterValkeyCache):
    """A cache on a cluster that overrides a write."""

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        calls["set"] += 1
        return super().set(key, value, *args, **kwargs)


@pytest.mark.parametrize("prefix", ["", "a"])
def test_mset_on_a_cluster_uses_the_override_unless_it_is_atomic(prefix: str) -> None:
    data = {"{a}b": 1, "{a}c": 2}
    with alias(backend=Writing) as cache:
        assert of(cache, f"{prefix}mset")(data) is True
        assert of(cache, f"{prefix}mset")(data, atomic=False) == [True, True]
        assert of(cache, f"{prefix}mset_nonatomic")(data) == [True, True]
        assert calls == {"set": 6}
        assert of(cache, f"{prefix}mset")(data, nx=True) is False
        assert of(cache, f"{prefix}mset")(data, atomic=True) is True
        assert calls == {"set": 6}
