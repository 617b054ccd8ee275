"""Test custom clients written for django-valkey: the cache uses their overrides."""

from typing import Any, Final

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured

from django_valkey._config import registry
from django_valkey.async_cache.client import AsyncDefaultClient, AsyncHerdClient, AsyncSentinelClient
from django_valkey.cache import ValkeyCache
from django_valkey.client import DefaultClient, HerdClient, SentinelClient
from tests.support.custom_caches import ASYNC, SYNC, alias, calls, of
from tests.support.servers import free_port


class Counting:
    """Sync overrides that count their calls and change their results, to be recognised in an answer."""

    def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        calls["get"] += 1
        value = super().get(key, default=default, version=version, client=client)  # type: ignore[misc]  # of the client beside it
        return value if value is default else value + 1000

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        calls["set"] += 1
        return super().set(key, value - 1000, *args, **kwargs)  # type: ignore[misc]  # as above

    def delete(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        calls["delete"] += 1
        return super().delete(key, *args, **kwargs)  # type: ignore[misc]  # as above


class AsyncCounting:
    """The same for async code."""

    async def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:
        calls["get"] += 1
        value = await super().get(key, default, version, client)  # type: ignore[misc]  # as above
        return value if value is default else value + 1000

    async def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        calls["set"] += 1
        return await super().set(key, value - 1000, *args, **kwargs)  # type: ignore[misc]  # as above

    async def delete(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        calls["delete"] += 1
        return await super().delete(key, *args, **kwargs)  # type: ignore[misc]  # as above


class OwnDefault(Counting, DefaultClient):
    """A client of servers."""


class OwnHerd(Counting, HerdClient):
    """A client with the herd policy."""


class OwnSentinel(Counting, SentinelClient):
    """A client of a service."""


class AsyncOwnDefault(AsyncCounting, AsyncDefaultClient):
    """A client of servers, for async code."""


class AsyncOwnHerd(AsyncCounting, AsyncHerdClient):
    """A client with the herd policy, for async code."""


class AsyncOwnSentinel(AsyncCounting, AsyncSentinelClient):
    """A client of a service, for async code."""


OWN: Final = [OwnDefault, OwnHerd, OwnSentinel, AsyncOwnDefault, AsyncOwnHerd, AsyncOwnSentinel]


THROUGH: Final[dict[str, tuple[str, tuple[Any, ...], Any, dict[str, int]]]] = {
    "get": ("get", ("a",), 1, {"get": 1}),
    "get of nothing": ("get", ("none", "default"), "default", {"get": 1}),
    "set": ("set", ("a", 5), True, {"set": 1}),
    "add": ("add", ("new", 5), True, {"set": 1}),
    "add to what is there": ("add", ("a", 5), False, {"set": 1}),
    "has_key": ("has_key", ("a",), True, {"get": 1}),
    "has_key of nothing": ("has_key", ("none",), False, {"get": 1}),
    "get_many": ("get_many", (["a", "b", "none"],), {"a": 1, "b": 2}, {"get": 3}),
    "mget": ("mget", (["a", "none"],), {"a": 1}, {"get": 2}),
    "set_many": ("set_many", ({"a": 5, "c": 6},), [], {"set": 2}),
    "mset": ("mset", ({"a": 5, "c": 6},), True, {"set": 2}),
    "get_or_set of what is there": ("get_or_set", ("a", 9), 1, {"get": 1}),
    "get_or_set of nothing": ("get_or_set", ("none", 9), 9, {"get": 1, "set": 1}),
    "incr": ("incr", ("a", 5), 6, {"get": 1, "set": 1}),
    "decr": ("decr", ("a", 5), -4, {"get": 1, "set": 1}),
    "delete": ("delete", ("a",), True, {"delete": 1}),
    "delete_many": ("delete_many", (["a", "b", "none"],), 2, {"delete": 3}),
    "ttl": ("ttl", ("a",), 300, {}),
    "touch": ("touch", ("a",), True, {}),
}
"""Each operation with its arguments, its result if "a" is 1 and "b" is 2, and the overrides that it uses."""


@pytest.mark.parametrize("client", OWN)
@pytest.mark.parametrize(("name", "args", "answer", "counted"), THROUGH.values(), ids=THROUGH)
def test_every_operation_uses_the_overrides_of_the_client(
    client: type, name: str, args: tuple[Any, ...], answer: Any, counted: dict[str, int]
) -> None:
    with alias(client) as cache:
        of(cache, "set")("a", 1)
        of(cache, "set")("b", 2)
        calls.clear()
        assert of(cache, name)(*args) == answer
        assert calls == counted


@pytest.mark.parametrize("client", [OwnDefault, OwnHerd, OwnSentinel])
@pytest.mark.parametrize(("name", "args", "answer", "counted"), THROUGH.values(), ids=THROUGH)
def test_coroutines_use_a_sync_client_in_a_thread(
    client: type, name: str, args: tuple[Any, ...], answer: Any, counted: dict[str, int]
) -> None:
    with alias(client) as cache:
        cache.set("a", 1)
        cache.set("b", 2)
        calls.clear()
        assert of(cache, f"a{name}")(*args) == answer
        assert calls == counted


@pytest.mark.parametrize("client", OWN)
def test_stored_value_is_that_passed_to_super_by_the_override(client: type) -> None:
    with alias(client) as cache:
        of(cache, "set")("a", 1)
        raw = cache._wired.container.cache()
        assert raw.get("a") == 1 - 1000
        raw.set("a", 5)
        assert of(cache, "get")("a") == 1005


class Looking(DefaultClient):
    """A client whose `get` calls another operation, which elsewhere depends on `get`."""

    def get(self, key: Any, default: Any = None, version: Any = None, **_: Any) -> Any:
        calls["get"] += 1
        if not self.has_key(key) or f"{key}:hidden" in self.get_many([key, f"{key}:hidden"]):
            return default
        return super().get(key, default, version)


def test_override_may_call_methods_that_depend_on_it() -> None:
    with alias(Looking) as cache:
        cache.set_many({"a": 1, "b": 2, "b:hidden": 3})
        assert cache.get("a") == 1
        assert cache.get("b", "default") == "default"
        assert cache.get_many(["a", "b"]) == {"a": 1}
        assert cache.client.get("a") == 1


class Tagging(DefaultClient):
    """A client with extra arguments, in the order of django-valkey."""

    def set(self, key: Any, value: Any, *args: Any, tags: Any = (), **kwargs: Any) -> Any:
        calls["set"] += 1
        for tag in tags:
            self.sadd(tag, key)
        return super().set(key, value, *args, **kwargs)


def test_override_may_add_arguments_and_receives_the_others_in_order() -> None:
    with alias(Tagging) as cache:
        assert cache.set("a", 1, 60, None, None, True, tags=["fruit"])
        assert cache.set("a", 2, 60, None, None, True) is False
        assert cache.smembers("fruit") == {"a"}
        assert cache.incr("a", 2, None, None, False) == 3
        assert cache.incr("new", 2, None, None, True) == 2
        assert of(cache, "aset")("b", 1, tags=["fruit"])
        assert calls == {"set": 5}
        with pytest.raises(TypeError):
            cache.get("a", None, None, None, "too many")


class Narrow(DefaultClient):
    """A client whose override has fewer arguments than the operation."""

    def get(self, key: Any) -> Any:  # type: ignore[override]
        calls["get"] += 1
        return super().get(key)


class Shouting(ValkeyCache):
    """A cache that overrides the same method."""

    def get(self, key: Any) -> Any:  # type: ignore[override]
        return str(super().get(key)).upper()


def test_override_may_take_fewer_arguments_than_the_operation() -> None:
    with alias(Narrow) as cache:
        assert cache.set("a", "b")
        assert cache.get("a") == of(cache, "aget")("a") == "b"
        with pytest.raises(TypeError, match=r"Narrow.get\(\)"):
            cache.get("a", None)
    with alias(Narrow, f"{__name__}.Shouting") as cache:
        cache.set("a", "b")
        assert cache.get("a") == "B"
        assert calls == {"get": 1}


def test_override_arguments_and_their_order_work_with_ignored_errors() -> None:
    nowhere = f"valkey://127.0.0.1:{free_port()}"
    with alias(Tagging, options={"IGNORE_EXCEPTIONS": True}, LOCATION=nowhere), registry.use():
        cache = caches["default"]
        assert cache.set("a", 1, tags=["fruit"]) is False
        assert cache.get("a", "default", None, None) == "default"
        assert cache.set_many({"a": 1}, None, None, None) == ["a"]
        assert cache.smismember("a", 1, client=None) == [False]
        assert cache.incr_version("a", 1, None, None) is None


def test_async_client_serves_the_coroutines_of_a_cache_and_no_more() -> None:
    with alias(AsyncOwnDefault, SYNC) as cache:
        assert of(cache, "aset")("a", 1)
        assert of(cache, "aget")("a") == 1
        assert calls == {"set": 1, "get": 1}
        for name, args in (("get", ("a",)), ("set", ("a", 1)), ("ttl", ("a",)), ("keys", ("*",))):
            with pytest.raises(
                ImproperlyConfigured, match=r"CACHES\['default'\]: OPTIONS\['CLIENT_CLASS'\]: .*AsyncOwn"
            ):
                getattr(cache, name)(*args)
        with pytest.raises(ImproperlyConfigured, match="aiter_keys"):
            list(cache.iter_keys("*"))


def test_sync_client_is_refused_by_an_async_cache() -> None:
    with alias(OwnDefault) as cache:
        assert isinstance(cache, ValkeyCache)
    with pytest.raises(ImproperlyConfigured, match=r"CACHES\['default'\]: OPTIONS\['CLIENT_CLASS'\]: .*for sync code"):
        alias(OwnDefault, ASYNC).__enter__()
