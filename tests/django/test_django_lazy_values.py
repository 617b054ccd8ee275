"""Test values that query when they are pickled: async code can store them, as with Django's own backends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from django.core.cache import caches
from django.utils.functional import SimpleLazyObject

from dvcache import SerializationError
from tests.django.conftest import Configure
from tests.support.servers import Server

SYNC: Final = "django_valkey.cache.ValkeyCache"
ASYNC: Final = "django_valkey.async_cache.cache.AsyncValkeyCache"
HERD: Final = {"HERD": {"timeout": 60, "lease": 5, "wait": 1}}


def users() -> Any:
    from django.contrib.auth.models import User  # noqa: PLC0415  # a model, which exists once Django is set up

    return User.objects.order_by("pk")


def lazy() -> Any:
    return SimpleLazyObject(lambda: users().get(username="ada"))


CALLS: Final[dict[str, Callable[[Any, Any], Awaitable[object]]]] = {
    "set": lambda cache, value: cache.aset("k", value),
    "set with get": lambda cache, value: cache.aset("k", value, get=True),
    "add": lambda cache, value: cache.aadd("k", value),
    "set_many": lambda cache, value: cache.aset_many({"k": value, "other": [1], "again": [value]}),
    "mset": lambda cache, value: cache.amset({"k": value}),
    "get_or_set": lambda cache, value: cache.aget_or_set("k", value if not callable(value) else [value]),
    "hset": lambda cache, value: cache.ahset("k", "f", value),
    "hset of items": lambda cache, value: cache.ahset("k", items=iter([("f", value)])),
    "hset of a mapping": lambda cache, value: cache.ahset("k", mapping={"f": value}),
    "hsetnx": lambda cache, value: cache.ahsetnx("k", "f", value),
    "lpush": lambda cache, value: cache.alpush("k", value, [value]),
    "rpush": lambda cache, value: cache.arpush("k", value),
    "sadd": lambda cache, value: cache.asadd("k", value),
    "zadd": lambda cache, value: cache.azadd("k", {Hashed(value): 1}),
}


class Hashed:
    """A member of a sorted set that holds a value."""

    def __init__(self, value: Any) -> None:
        self.value = value


def on_loop(scenario: Callable[[Any], Awaitable[object]]) -> Any:
    async def main() -> object:
        return await scenario(caches["default"])

    return asyncio.run(main())


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("make", [users, lazy])
@pytest.mark.parametrize("backend", [SYNC, ASYNC])
@pytest.mark.parametrize("options", [{}, HERD], ids=["plain", "herd"])
def test_values_that_query_are_stored_from_async_code(  # noqa: PLR0917  # fixtures and parameters
    server: Server, configured: Configure, name: str, make: Any, backend: str, options: dict[str, Any]
) -> None:
    with configured(server.url(), BACKEND=backend, OPTIONS=options):
        on_loop(lambda cache: CALLS[name](cache, make()))
        assert server.raw("EXISTS", ":1:k", "k") == 1


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("backend", [SYNC, ASYNC])
@pytest.mark.parametrize("options", [{}, HERD, {"HERD": {**HERD["HERD"], "background": True}}])
@pytest.mark.parametrize("awaited", [False, True])
def test_get_or_set_calls_a_function_that_returns_a_queryset_once(
    server: Server, configured: Configure, backend: str, options: dict[str, Any], awaited: bool
) -> None:
    calls: list[object] = []

    def make() -> Any:
        calls.append(1)
        return users()

    async def amake() -> Any:
        return make()

    async def scenario(cache: Any) -> Any:
        await cache.aget_or_set("k", amake if awaited else make, timeout=60)
        found = await cache.aget("k")
        assert await cache.aget_or_set("k", amake if awaited else make) is not None
        return found

    with configured(server.url(), BACKEND=backend, OPTIONS=options):
        assert [user.username for user in on_loop(scenario)] == ["ada"]
        assert calls == [1]


@pytest.mark.usefixtures("database")
def test_background_refresh_stores_a_queryset(server: Server, configured: Configure) -> None:
    async def scenario(cache: Any) -> None:
        await cache.aset("k", "old", 0.05)
        await asyncio.sleep(0.1)
        assert await cache.aget_or_set("k", users, timeout=60) == "old"
        async with asyncio.timeout(30):
            while await cache.aget("k", "old") == "old":  # noqa: ASYNC110  # the refresh has no signal of its end
                await asyncio.sleep(0.01)
        assert [user.username for user in await cache.aget("k")] == ["ada"]

    with configured(server.url(), OPTIONS={"HERD": {**HERD["HERD"], "background": True}}):
        on_loop(scenario)


@pytest.mark.usefixtures("database")
def test_value_that_queries_is_serialized_twice_and_others_once(server: Server, configured: Configure) -> None:
    with configured(server.url(), OPTIONS={"SERIALIZER": f"{__name__}.Counting"}):
        counted.clear()
        on_loop(lambda cache: cache.aset("k", {"plain": 1}))
        on_loop(lambda cache: cache.aget_or_set("l", lambda: {"plain": 1}))
        assert len(counted) == 2
        counted.clear()
        on_loop(lambda cache: cache.aset("k", users()))
        assert len(counted) <= 3


counted: list[object] = []


class Counting:
    """A pickle serializer that counts its calls."""

    def __init__(self, options: Any) -> None:
        from django_valkey.serializers.pickle import PickleSerializer  # noqa: PLC0415  # reads settings

        self._pickle = PickleSerializer(options=options)

    def dumps(self, value: Any) -> bytes:
        counted.append(type(value))
        return self._pickle.dumps(value)

    def loads(self, value: bytes) -> Any:
        return self._pickle.loads(value)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", ["aset", "aadd", "aget_or_set"])
def test_custom_classes_store_values_that_query(server: Server, configured: Configure, name: str) -> None:
    from django_valkey.cache import ValkeyCache  # noqa: PLC0415  # reads settings

    class Own(ValkeyCache):
        async def aset(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
            return await super().aset(key, value, *args, **kwargs)

        def add(self, *args: Any, **kwargs: Any) -> Any:
            return super().add(*args, **kwargs)

    globals()["Own"] = Own
    Own.__module__, Own.__qualname__ = __name__, "Own"
    with configured(server.url(), BACKEND=f"{__name__}.Own"):
        on_loop(lambda cache: getattr(cache, name)("k", users() if name != "aget_or_set" else users))
        assert server.raw("EXISTS", ":1:k") == 1


def test_values_that_cannot_be_stored_raise_as_before(on_server: Server) -> None:
    for call in (
        lambda cache: cache.aset("k", lambda: None),
        lambda cache: cache.aget_or_set("k", lambda: lambda: None),
        lambda cache: cache.aset_many({"k": lambda: None}),
    ):
        with pytest.raises(SerializationError):
            on_loop(call)
    assert on_server.raw("DBSIZE") == 0
    assert on_loop(lambda cache: cache.aget_or_set("k", lambda: on_loop, timeout=0)) is on_loop
