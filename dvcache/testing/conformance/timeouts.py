"""Conformance tests of lifetimes."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dvcache.cache import Cache
from dvcache.testing.conformance.fixtures import Conformance, MakeCache, wait_until_gone
from dvcache.types import DEFAULT

SLACK = 50
"""Milliseconds by which the server's clock may be adjusted during a test."""


def lives(cache: Cache, key: str, milliseconds: float, began: float, version: int | None = None) -> bool:
    """Return True if the entry's remaining lifetime is `milliseconds` less the time since `began` (monotonic)."""
    left = cache.pttl(key, version)
    passed = (time.monotonic() - began) * 1000
    return left is not None and milliseconds - passed - SLACK <= left <= milliseconds


class TimeoutsConformance(Conformance):
    """Tests of `timeout=` in every method, and of ttl, pttl, touch, persist and the expire methods."""

    def test_entry_expires_after_its_timeout(self, cache: Cache) -> None:
        cache.set("key", 1, 0.02)
        cache.set("added", 1, 60)
        cache.add("other", 1, 0.02)
        wait_until_gone(cache, "key")
        wait_until_gone(cache, "other")
        assert cache.get("key") is None
        assert cache.add("key", 2) is True
        assert cache.get("added") == 1

    @pytest.mark.parametrize(
        ("timeout", "milliseconds"),
        [(100, 100_000), (100.5, 100_500), (timedelta(seconds=100), 100_000), (60 * 60 * 24 * 31, 2_678_400_000)],
    )
    def test_timeout_is_exact_to_the_millisecond(self, cache: Cache, timeout: Any, milliseconds: int) -> None:
        began = time.monotonic()
        cache.set("set", 1, timeout)
        cache.add("add", 1, timeout)
        cache.set_many({"set_many": 1}, timeout)
        cache.mset({"mset": 1}, timeout)
        cache.get_or_set("get_or_set", 1, timeout)
        cache.incr("incr", 1, default=0, timeout=timeout)
        cache.set("touch", 1, None)
        cache.touch("touch", timeout)
        for key in ("set", "add", "set_many", "mset", "get_or_set", "incr", "touch"):
            assert lives(cache, key, milliseconds, began), key

    def test_omitted_timeout_is_the_default(self, cache: Cache, make_cache: MakeCache) -> None:
        began = time.monotonic()
        half = make_cache(TIMEOUT=100.5)
        half.set("set", 1)
        half.set("DEFAULT", 1, DEFAULT)
        half.add("add", 1)
        half.set_many({"set_many": 1})
        half.mset({"mset": 1})
        half.get_or_set("get_or_set", 1)
        half.incr("incr", 1, default=0)
        cache.set("touch", 1, None)
        half.touch("touch")
        for key in ("set", "DEFAULT", "add", "set_many", "mset", "get_or_set", "incr", "touch"):
            assert lives(half, key, 100_500, began), key

    def test_timeout_of_none_means_no_expiry(self, cache: Cache, make_cache: MakeCache) -> None:
        cache.set("set", 1, None)
        cache.add("add", 1, None)
        cache.set_many({"set_many": 1}, None)
        cache.set("touch", 1, 100)
        assert cache.touch("touch", None) is True
        make_cache(TIMEOUT=None).set("default", 1)
        for key in ("set", "add", "set_many", "touch", "default"):
            assert cache.ttl(key) is None, key
            assert cache.pttl(key) is None, key
            assert cache.get(key) == 1

    @pytest.mark.parametrize("timeout", [0, -1, -0.5, timedelta(0)])
    def test_timeout_of_zero_or_less_stores_nothing(self, cache: Cache, timeout: Any) -> None:
        cache.set("set", 1)
        cache.set("set", 2, timeout)
        assert cache.has_key("set") is False
        assert cache.add("add", 1, timeout) is True
        assert cache.has_key("add") is False
        cache.set("many", 1)
        assert cache.set_many({"many": 2, "other": 3}, timeout) == []
        assert cache.get_many(["many", "other"]) == {}
        cache.set("touch", 1)
        assert cache.touch("touch", timeout) is True
        assert cache.has_key("touch") is False
        assert cache.get_or_set("get_or_set", 5, timeout) == 5
        assert cache.has_key("get_or_set") is False

    @pytest.mark.parametrize("timeout", [float("nan"), "60", object()])
    def test_timeout_of_another_type_raises(self, cache: Cache, timeout: Any) -> None:
        for call in (cache.set, cache.add):
            with pytest.raises((ValueError, TypeError)):
                call("key", 1, timeout)
        assert cache.has_key("key") is False

    @pytest.mark.parametrize("timeout", [float("inf"), 10**30])
    def test_timeout_may_be_infinite(self, cache: Cache, timeout: Any) -> None:
        cache.set("key", 1, timeout)
        assert cache.get("key") == 1
        assert cache.touch("key", timeout) is True

    def test_touch_returns_whether_the_entry_exists(self, cache: Cache) -> None:
        began = time.monotonic()
        cache.set("key", 1, 100)
        assert cache.touch("key", 200) is True
        assert lives(cache, "key", 200_000, began)
        assert cache.touch("missing") is False
        assert cache.touch("missing", None) is False

    def test_ttl_is_zero_without_an_entry_and_none_without_expiry(self, cache: Cache) -> None:
        began = time.monotonic()
        assert (cache.ttl("missing"), cache.pttl("missing")) == (0, 0)
        cache.set("forever", 1, None)
        assert (cache.ttl("forever"), cache.pttl("forever")) == (None, None)
        cache.set("key", 1, 0.9)
        assert cache.ttl("key") in {0, 1}
        cache.set("key", 1, 100.4)
        assert lives(cache, "key", 100_400, began)
        assert 70 < (cache.ttl("key") or 0) <= 101

    def test_persist_removes_the_expiry(self, cache: Cache) -> None:
        cache.set("key", 1, 100)
        assert cache.persist("key") is True
        assert cache.ttl("key") is None
        assert cache.persist("key") is False
        assert cache.persist("missing") is False

    @pytest.mark.parametrize("timeout", [50, 50.0, timedelta(seconds=50)])
    def test_expire_takes_seconds(self, cache: Cache, timeout: Any) -> None:
        began = time.monotonic()
        cache.set("key", 1, None)
        assert cache.expire("key", timeout) is True
        assert lives(cache, "key", 50_000, began)
        assert cache.expire("missing", timeout) is False

    @pytest.mark.parametrize("timeout", [50_500, 50_500.0, timedelta(seconds=50.5)])
    def test_pexpire_takes_milliseconds(self, cache: Cache, timeout: Any) -> None:
        began = time.monotonic()
        cache.set("key", 1, None)
        assert cache.pexpire("key", timeout) is True
        assert lives(cache, "key", 50_500, began)
        assert cache.pexpire("missing", timeout) is False

    def test_expire_and_pexpire_take_the_default_timeout(self, make_cache: MakeCache) -> None:
        began = time.monotonic()
        cache = make_cache(TIMEOUT=100)
        cache.set_many({"a": 1, "b": 1}, None)
        assert cache.expire("a", DEFAULT) is True
        assert cache.pexpire("b", DEFAULT) is True
        assert lives(cache, "a", 100_000, began)
        assert lives(cache, "b", 100_000, began)

    def test_expire_at_takes_a_unix_time_or_a_datetime(self, cache: Cache) -> None:
        began = time.monotonic()
        now = time.time()
        aware = datetime.fromtimestamp(now + 100, UTC)
        for when in (now + 100, aware, aware.astimezone().replace(tzinfo=None)):
            cache.set("key", 1, None)
            assert cache.expire_at("key", when) is True
            assert lives(cache, "key", 100_001, began)
        assert cache.expire_at("missing", aware) is False

    def test_pexpire_at_takes_milliseconds_or_a_datetime(self, cache: Cache) -> None:
        began = time.monotonic()
        now = time.time()
        for when in (int(now * 1000) + 100_000, datetime.fromtimestamp(now + 100, UTC)):
            cache.set("key", 1, None)
            assert cache.pexpire_at("key", when) is True
            assert lives(cache, "key", 100_001, began)
        assert cache.pexpire_at("missing", 1) is False

    @pytest.mark.parametrize("method", ["expire", "pexpire", "expire_at", "pexpire_at"])
    @pytest.mark.parametrize("when", [0, -1])
    def test_expire_of_zero_or_less_deletes(self, cache: Cache, method: str, when: int) -> None:
        cache.set("key", 1)
        assert getattr(cache, method)("key", when) is True
        assert cache.has_key("key") is False
        assert getattr(cache, method)("key", when) is False

    def test_expire_at_a_past_time_deletes(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 1})
        assert cache.expire_at("a", datetime(2001, 1, 1, tzinfo=UTC)) is True
        assert cache.pexpire_at("b", datetime(1901, 1, 1, tzinfo=UTC)) is True
        assert cache.get_many(["a", "b"]) == {}
