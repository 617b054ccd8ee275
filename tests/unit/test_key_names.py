"""Test the names of keys: lone surrogates, and key functions with changing results."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from dvcache import Cache, Container, Settings
from dvcache.keys import PrefixedKeys
from dvcache.testing import MemoryPoolFactory

TWO: Final = "\udcc3\udca9"
"""Surrogates of the bytes of "é"."""

ONE: Final = "\udcc3"
"""A surrogate of a byte that is not UTF-8."""

CALLS: Final[dict[str, Callable[[Cache, str], object]]] = {
    "get": lambda cache, key: cache.get(key),
    "get with a version": lambda cache, key: cache.get(key, version=2),
    "set": lambda cache, key: cache.set(key, 1),
    "add": lambda cache, key: cache.add(key, 1),
    "get_or_set": lambda cache, key: cache.get_or_set(key, 1),
    "delete": lambda cache, key: cache.delete(key),
    "delete with a prefix": lambda cache, key: cache.delete("k", prefix=key),
    "get_many": lambda cache, key: cache.get_many([key]),
    "set_many": lambda cache, key: cache.set_many({key: 1}),
    "delete_many": lambda cache, key: cache.delete_many([key]),
    "incr": lambda cache, key: cache.incr(key, default=1),
    "touch": lambda cache, key: cache.touch(key),
    "keys": lambda cache, key: cache.keys(f"{key}*"),
    "iter_keys": lambda cache, key: list(cache.iter_keys(f"{key}*")),
    "delete_pattern": lambda cache, key: cache.delete_pattern(f"{key}*"),
    "delete_pattern with a prefix": lambda cache, key: cache.delete_pattern("*", prefix=key),
    "hset": lambda cache, key: cache.hset("h", key, 1),
    "hset of a name": lambda cache, key: cache.hset(key, "f", 1),
    "hget": lambda cache, key: cache.hget("h", key),
    "sadd": lambda cache, key: cache.sadd(key, 1),
    "get_lock": lambda cache, key: cache.get_lock(key).locked(),
}


def container(**entry: Any) -> Container:
    return Container(Settings.parse({"LOCATION": "memory://names", **entry}), pool_factory=MemoryPoolFactory())


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("options", [{}, {"PREFIX_HASHES": False}])
def test_key_of_surrogates_is_refused_only_if_its_bytes_mean_other_text(name: str, options: dict[str, Any]) -> None:
    with container(OPTIONS=options) as made:
        CALLS[name](made.cache(), "é")
        CALLS[name](made.cache(), ONE)
        CALLS[name](made.cache(), f"{ONE}a{ONE}")
        for wrong in (TWO, f"a{TWO}", f"{ONE}{TWO}"):
            with pytest.raises(ValueError, match="surrogate"):
                CALLS[name](made.cache(), wrong)
        with pytest.raises(ValueError, match="U\\+D800"):
            CALLS[name](made.cache(), "\ud800")


def test_key_function_may_not_return_surrogates_of_other_text() -> None:
    with container(KEY_FUNCTION=lambda key, *_: f"own {key}") as made:
        made.cache().set(ONE, 1)
        with pytest.raises(ValueError, match="surrogate"):
            made.cache().set(TWO, 1)


def test_names_returned_by_keys_work_again() -> None:
    with container() as made:
        cache = made.cache()
        for key in (ONE, "é", f"{ONE}é", "\udcff\udcfe", "plain"):
            cache.set(key, key)
        names = cache.keys("*")
        assert len(names) == 5
        for name in names:
            assert cache.get(name) == name
            assert cache.delete(name) is True
        assert cache.keys("*") == []


def test_key_function_by_tenant_finds_its_names_at_each_scan() -> None:
    tenant = ["one"]
    with container(KEY_FUNCTION=lambda key, prefix, version: f"{tenant[0]}:{prefix}:{version}:{key}") as made:
        cache = made.cache()
        for name in ("one", "other"):
            tenant[0] = name
            cache.set("k", name)
            cache.hset("h", "field", 1)
        for name in ("one", "other", "one"):
            tenant[0] = name
            assert sorted(cache.keys("*")) == ["h", "k"]
            assert sorted(cache.iter_keys("*")) == ["h", "k"]
            assert sorted(cache.scan_page("*")[1]) == ["h", "k"]
            assert cache.hgetall("h") == {"field": 1}
            assert cache.hkeys("h") == ["field"]
            assert cache.hscan("h") == {"field": 1}
            assert cache.get("k") == name


def test_key_function_is_called_a_few_times_for_a_page() -> None:
    calls: list[object] = []

    def function(key: object, prefix: str, version: int) -> str:
        calls.append(key)
        return f"{prefix}/{version}/{key}"

    keys = PrefixedKeys("p", 1, function)
    stored = [keys.key(f"k{number}") for number in range(100)]
    calls.clear()
    assert keys.originals(stored) == [f"k{number}" for number in range(100)]
    assert len(calls) <= 4
