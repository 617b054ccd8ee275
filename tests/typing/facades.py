"""Check the types of the caches' methods by `mypy tests/typing`; the module is never run.

An unused `type: ignore` is an error there, so that each of them proves the error that it names.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, assert_type

from dvcache.cache import AsyncCache, Cache
from dvcache.types import DEFAULT, Key


def entries(cache: Cache) -> None:
    """A cached value is an object, unless the caller says more."""
    assert_type(cache.get("key"), object)
    assert_type(cache.get("key", 1, version=2), object)
    assert_type(cache.get_many(["key", 1, b"bytes"]), dict[Key, object])
    assert_type(cache.set_many({"key": 1}, 60), list[Key])
    assert_type(cache.delete_many(key for key in "abc"), int)
    assert_type(cache.mset({"key": 1}), bool)
    assert_type(cache.add("key", 1), bool)
    assert_type(cache.delete("key", prefix="p"), bool)
    assert_type("key" in cache, bool)
    cache.get("key").upper()  # type: ignore[attr-defined]
    cache.get(1.5)  # type: ignore[call-overload]
    cache.get("key", versoin=2)  # type: ignore[call-overload]  # codespell:ignore versoin
    cache.has_key(None)  # type: ignore[arg-type]
    cache.get_many("key", 1, 2)  # type: ignore[call-overload]


def typed_entries(cache: Cache) -> None:
    """A caller that names the type of a value gets that type, or the type of the default."""
    assert_type(cache.get("key", as_=int), int | None)
    assert_type(cache.get("key", 0, as_=int), int)
    assert_type(cache.get("key", "", 2, as_=int), int | str)
    assert_type(cache.get("key", as_=list[int]), list[int] | None)
    assert_type(cache.get("key", as_=int | None), int | None)
    assert_type(cache.get("key", b"", as_=dict[str, int] | str), dict[str, int] | str | bytes)
    assert_type(cache.get_many(["key"], as_=int), dict[Key, int])
    assert_type(cache.get_many(["key"], as_=list[str] | None), dict[Key, list[str] | None])
    cache.get("key", as_=1)  # type: ignore[call-overload]
    cache.get("key", None, None, int)  # type: ignore[call-overload]


def setting(cache: Cache, get: bool) -> None:
    """`set` returns a bool; with `get`, the previous value."""
    assert_type(cache.set("key", 1), bool)
    assert_type(cache.set("key", 1, nx=True), bool)
    assert_type(cache.set("key", 1, get=True), object)
    assert_type(cache.set("key", 1, get=get), object)
    cache.set("key", 1, "60")  # type: ignore[call-overload]
    cache.set("key", 1, 60, 1, True)  # type: ignore[call-overload]
    cache.set("key")  # type: ignore[call-overload]


def timeouts(cache: Cache) -> None:
    """Every method takes the same timeouts."""
    for timeout in (1, 0.5, timedelta(hours=1), None, DEFAULT):
        cache.set("key", 1, timeout)
        cache.touch("key", timeout)
        cache.expire("key", timeout)
    assert_type(cache.ttl("key"), int | None)
    assert_type(cache.expire_at("key", datetime.now(UTC)), bool)
    cache.expire("key")  # type: ignore[call-arg]
    cache.touch("key", "60")  # type: ignore[arg-type]
    cache.expire_at("key", timedelta(1))  # type: ignore[arg-type]


def computing(cache: Cache) -> None:
    """`get_or_set` returns the type of the default, or of its result."""
    assert_type(cache.get_or_set("key", 1), int)
    assert_type(cache.get_or_set("key", lambda: "text"), str)
    assert_type(cache.get_or_set("key", partial(int, "1"), 60, version=2), int)
    cache.get_or_set("key")  # type: ignore[call-overload]
    cache.get_or_set("key", 1, "60")  # type: ignore[call-overload]


def counting(cache: Cache) -> None:
    """A sum has the type of the added number."""
    assert_type(cache.incr("key"), int)
    assert_type(cache.incr("key", 2, default=0, timeout=60), int)
    assert_type(cache.decr("key", 0.5), float)
    cache.incr("key", "1")  # type: ignore[type-var]
    cache.incr("key", 1, None, 0)  # type: ignore[call-arg]


def naming(cache: Cache) -> None:
    """Names are text."""
    assert_type(cache.keys("a*"), list[str])
    assert_type(cache.iter_keys("a*", 10), Iterator[str])
    assert_type(cache.delete_pattern("a*", itersize=10), int)
    assert_type(cache.incr_version("key"), int)
    assert_type(cache.clear(), bool)
    cache.keys()  # type: ignore[call-arg]


def sets(cache: Cache) -> None:
    """One member is an object; many are a set, or a list where a Python set cannot hold them."""
    assert_type(cache.sadd("key", 1, "a", version=2), int)
    assert_type(cache.smembers("key"), set[object] | list[object])
    assert_type(cache.sunion("a", "b"), set[object] | list[object])
    assert_type(cache.spop("key"), object)
    assert_type(cache.spop("key", 2), set[object] | list[object])
    assert_type(cache.srandmember("key", version=2), object)
    assert_type(cache.srandmember("key", 2), list[object])
    assert_type(cache.smismember("key", 1, 2), list[bool])
    assert_type(cache.sscan_iter("key"), Iterator[object])
    cache.sadd(None, 1)  # type: ignore[arg-type]


def others(cache: Cache) -> None:
    """Check the results of hashes, lists and sorted sets."""
    assert_type(cache.hset("key", "field", 1), int)
    assert_type(cache.hset("key", mapping={"field": 1}, timeout=60), int)
    assert_type(cache.hget("key", "field"), object)
    assert_type(cache.hgetall("key"), dict[str, object])
    assert_type(cache.hmget("key", ["field", 1]), dict[Key, object])
    assert_type(cache.hscan_iter("key"), Iterator[tuple[str, object]])
    assert_type(cache.httl("key", "field"), int | None)
    assert_type(cache.lpop("key"), object)
    assert_type(cache.lpop("key", 2), list[object])
    assert_type(cache.lrange("key"), list[object])
    assert_type(cache.lmove("a", "b", "LEFT", "RIGHT"), object)
    assert_type(cache.zadd("key", {"a": 1.5, ("b", 1): 2}), int | float | None)
    assert_type(cache.zpopmin("key"), tuple[object, float] | None)
    assert_type(cache.zpopmin("key", 2), list[tuple[object, float]])
    assert_type(cache.zscore("key", "a"), float | None)
    assert_type(cache.zscan_iter("key"), Iterator[tuple[object, float]])
    cache.lmove("a", "b", "LEFT", "UP")  # type: ignore[arg-type]
    cache.zadd("key", {"a": "1"})  # type: ignore[dict-item]
    cache.hset("key", "field", 1, "1")  # type: ignore[arg-type]


async def slow() -> int:
    """Return a value from a coroutine."""
    await asyncio.sleep(0)
    return 1


async def awaiting(cache: AsyncCache) -> None:
    """Every method of the async cache is a coroutine with the result of its sync counterpart."""
    coroutine = assert_type(cache.get("key"), Coroutine[Any, Any, object])
    assert_type(await coroutine, object)
    assert_type(await cache.get("key", as_=list[int]), list[int] | None)
    assert_type(await cache.get("key", 0, as_=int | str), int | str)
    assert_type(await cache.get_many(["key"], as_=int | None), dict[Key, int | None])
    assert_type(await cache.set("key", 1), bool)
    assert_type(await cache.set("key", 1, get=True), object)
    assert_type(await cache.get_or_set("key", 1), int)
    assert_type(await cache.get_or_set("key", lambda: 1.5), float)
    assert_type(await cache.get_or_set("key", slow), int)
    assert_type(await cache.get_or_set("key", lambda: slow()), int)  # noqa: PLW0108  # the form under test
    assert_type(await cache.get_or_set("key", partial(slow)), int)
    assert_type(await cache.get_many(["key"]), dict[Key, object])
    assert_type(await cache.incr("key"), int)
    assert_type(await cache.ttl("key"), int | None)
    assert_type(await cache.spop("key"), object)
    assert_type(await cache.spop("key", 2), set[object] | list[object])
    assert_type(cache.sscan_iter("key"), AsyncGenerator[object, None])
    assert_type(cache.iter_keys("a*"), AsyncGenerator[str, None])
    assert_type([name async for name in cache.iter_keys("a*")], list[str])
    await cache.has_key(1.5)  # type: ignore[arg-type]
    cache.get("key")  # type: ignore[unused-coroutine]
    "key" in cache  # type: ignore[operator]  # noqa: B015  # it must be awaited
