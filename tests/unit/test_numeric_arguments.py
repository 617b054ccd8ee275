"""Test that every method and setting accepts any real number, or integer by `__index__`."""

import asyncio
import inspect
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pytest

from dvcache import Cache, Container, Settings
from dvcache.testing import MemoryPoolFactory


class Index:
    """An integer like numpy's: no int, but it has `__index__`."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class Small(float):
    """A float with another repr, like numpy's."""

    def __repr__(self) -> str:
        return f"Small({float(self)})"


class Many(int):
    """An int with another repr."""

    def __repr__(self) -> str:
        return "Many"

    __str__ = __repr__


REALS: Final = (Decimal, Fraction, Small)
INTEGERS: Final = (Index, Many)


def container(**entry: Any) -> Container:
    return Container(Settings.parse({"LOCATION": "memory://numbers", **entry}), pool_factory=MemoryPoolFactory())


def prepared(cache: Cache) -> None:
    cache.set("k", 5, 100)
    cache.rpush("l", *"abcdef")
    cache.sadd("s", *"abcdef")
    cache.zadd("z", {"a": 1, "b": 2, "c": 3})
    cache.hset("h", "f", 1)


TIMES: Final[dict[str, Callable[[Cache, Any], object]]] = {
    "set": lambda cache, n: (cache.set("t", 1, n), cache.ttl("t")),
    "add": lambda cache, n: (cache.add("t", 1, n), cache.ttl("t")),
    "get_or_set": lambda cache, n: (cache.get_or_set("t", 1, n), cache.ttl("t")),
    "get_or_set_many": lambda cache, n: (
        cache.get_or_set_many(["t"], lambda keys: dict.fromkeys(keys, 1), n),
        cache.ttl("t"),
    ),
    "set_many": lambda cache, n: (cache.set_many({"t": 1}, n), cache.ttl("t")),
    "mset": lambda cache, n: (cache.mset({"t": 1}, n), cache.ttl("t")),
    "touch": lambda cache, n: (cache.touch("k", n), cache.ttl("k")),
    "expire": lambda cache, n: (cache.expire("k", n), cache.ttl("k")),
    "pexpire": lambda cache, n: (cache.pexpire("k", n), 0 < (cache.pttl("k") or 0) <= 60),
    "expire_at": lambda cache, n: (cache.expire_at("k", n), cache.get("k")),
    "pexpire_at": lambda cache, n: (cache.pexpire_at("k", n), cache.get("k")),
    "incr timeout": lambda cache, n: (cache.incr("t", 1, default=0, timeout=n), cache.ttl("t")),
    "lock": lambda cache, n: (cache.get_lock("t", timeout=n, sleep=n, blocking_timeout=n).acquire(), cache.ttl("t")),
    "lock acquire": lambda cache, n: (cache.get_lock("t").acquire(sleep=n, blocking_timeout=n), cache.ttl("t")),
    "lock extend": lambda cache, n: (extended(cache, n), cache.ttl("t")),
    "with_options": lambda cache, n: (cache.with_options(timeout=n).set("t", 1), cache.ttl("t")),
    "zadd": lambda cache, n: (cache.zadd("z", {"a": n}), cache.zscore("z", "a")),
    "zincrby": lambda cache, n: cache.zincrby("z", n, "a"),
    "zcount": lambda cache, n: cache.zcount("z", 0, n),
    "zrangebyscore": lambda cache, n: cache.zrangebyscore("z", 0, n),
    "zrevrangebyscore": lambda cache, n: cache.zrevrangebyscore("z", n, 0),
    "zremrangebyscore": lambda cache, n: cache.zremrangebyscore("z", 0, n),
    "hincrbyfloat": lambda cache, n: cache.hincrbyfloat("h", "f", n),
}

COUNTS: Final[dict[str, Callable[[Cache, Any], object]]] = {
    "version": lambda cache, n: (cache.set("v", 1, version=n), cache.get("v", version=2)),
    "with_options": lambda cache, n: cache.with_options(version=n).make_key("v"),
    "incr": lambda cache, n: cache.incr("k", n),
    "decr": lambda cache, n: cache.decr("k", n),
    "incr default": lambda cache, n: cache.incr("new", 1, default=n),
    "incr_version": lambda cache, n: (cache.incr_version("k", n), cache.get("k", version=3)),
    "incr_version of a version": lambda cache, n: (cache.set("k", 1, version=2), cache.incr_version("k", 1, n)),
    "decr_version": lambda cache, n: (cache.set("k", 1, version=5), cache.decr_version("k", n, 5)),
    "lpop": lambda cache, n: cache.lpop("l", n),
    "rpop": lambda cache, n: cache.rpop("l", n),
    "lindex": lambda cache, n: cache.lindex("l", n),
    "lrange": lambda cache, n: (cache.lrange("l", 0, n), cache.lrange("l", n)),
    "lset": lambda cache, n: (cache.lset("l", n, "x"), cache.lrange("l")),
    "lrem": lambda cache, n: (cache.lrem("l", n, "a"), cache.lrange("l")),
    "ltrim": lambda cache, n: (cache.ltrim("l", 0, n), cache.lrange("l")),
    "spop": lambda cache, n: len(cache.spop("s", n)),  # type: ignore[arg-type]  # a set
    "srandmember": lambda cache, n: len(cache.srandmember("s", n)),
    "sscan": lambda cache, n: cache.sscan("s", count=n),
    "hincrby": lambda cache, n: cache.hincrby("h", "f", n),
    "hscan": lambda cache, n: cache.hscan("h", count=n),
    "zpopmin": lambda cache, n: cache.zpopmin("z", n),
    "zpopmax": lambda cache, n: cache.zpopmax("z", n),
    "zrange": lambda cache, n: (cache.zrange("z", 0, n), cache.zrange("z", n, 9)),
    "zrevrange": lambda cache, n: cache.zrevrange("z", 0, n),
    "zremrangebyrank": lambda cache, n: cache.zremrangebyrank("z", 0, n),
    "zrangebyscore of some": lambda cache, n: cache.zrangebyscore("z", 0, 9, n, n),
    "zscan": lambda cache, n: cache.zscan("z", count=n),
    "scan_page": lambda cache, n: cache.scan_page("k", itersize=n)[1],
    "iter_keys": lambda cache, n: list(cache.iter_keys("k", itersize=n)),
    "delete_pattern": lambda cache, n: cache.delete_pattern("k", itersize=n),
}


def extended(cache: Cache, by: Any) -> object:
    lock = cache.get_lock("t", timeout=50)
    lock.acquire()
    return lock.extend(by, replace_ttl=True)


def effect_of(call: Callable[[Cache, Any], object], number: Any) -> object:
    with container() as made:
        prepared(made.cache())
        return call(made.cache(), number)


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("kind", [*REALS, *INTEGERS])
def test_real_numbers_are_times_and_scores(name: str, kind: Any) -> None:
    assert effect_of(TIMES[name], kind(60)) == effect_of(TIMES[name], 60)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_by_index_are_counts_and_ranks(name: str, kind: Any) -> None:
    assert effect_of(COUNTS[name], kind(2)) == effect_of(COUNTS[name], 2)


@pytest.mark.parametrize("kind", [*REALS])
def test_counters_add_real_numbers(kind: Any) -> None:
    with container() as made:
        cache = made.cache()
        cache.set("k", 1.5)
        assert cache.incr("k", kind("0.25") if kind is not Small else kind(0.25)) == 1.75


@pytest.mark.parametrize("wrong", ["60", b"60", object(), [], Decimal("NaN"), 1j])
@pytest.mark.parametrize("name", ["set", "touch", "expire", "pexpire", "expire_at", "lock", "lock acquire"])
def test_times_that_are_no_numbers_are_refused(name: str, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        effect_of(TIMES[name], wrong)


@pytest.mark.parametrize("kind", [*REALS, *INTEGERS])
def test_settings_accept_every_type_of_number(kind: Any) -> None:
    herd = {"timeout": kind(60), "lease": kind(5), "wait": kind(1)}
    options: dict[str, Any] = {
        **dict.fromkeys(("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"), kind(3)),
        "TIMEOUT_JITTER": kind(0),
        "HERD": herd,
        "CONNECTION_POOL_KWARGS": {"socket_timeout": kind(2)},
    }
    if kind in INTEGERS:
        options |= dict.fromkeys(("SCAN_COUNT", "COMPRESS_MIN_LENGTH", "MAX_DECOMPRESSED_SIZE"), kind(7))
        options["CONNECTION_POOL_KWARGS"]["max_connections"] = kind(7)
    version = {"VERSION": kind(3)} if kind in INTEGERS else {}
    with container(TIMEOUT=kind(60), OPTIONS=options, **version) as made:
        cache = made.cache()
        cache.set("k", 1)
        assert cache.ttl("k") == 60
        for number in (made.settings.timeout, made.settings.version, made.settings.scan_count):
            assert type(number) in {int, float} or kind is Many


def test_async_methods_accept_every_type_of_number() -> None:
    async def scenario() -> None:
        with container() as made:
            cache = made.async_cache()
            await cache.set("k", 1, Decimal(60))
            assert await cache.ttl("k") == 60
            assert await cache.incr("k", Index(2)) == 3
            assert await cache.expire("k", Fraction(90, 2))
            assert await cache.ttl("k") == 45

    asyncio.run(scenario())


def test_every_method_with_a_number_is_tested() -> None:
    numbers = {"timeout", "count", "delta", "itersize", "start", "end", "index", "amount", "when", "num"}
    tried = {name.split()[0] for name in (*TIMES, *COUNTS)}
    same = {"hexpire", "hset", "sscan_page", "sscan_iter", "hscan_page", "hscan_iter", "zscan_page", "zscan_iter"}
    for name, method in inspect.getmembers(Cache, callable):
        if not name.startswith("_") and numbers & set(inspect.signature(method).parameters):
            assert name in tried | same, name
