"""Conformance tests of counters."""

import math
import time
from typing import Any

import pytest

from dvcache.cache import Cache
from dvcache.testing.conformance.fixtures import Conformance, at_once
from dvcache.testing.conformance.timeouts import lives


class CountersConformance(Conformance):
    """Tests of incr and decr: exact and atomic, or an error."""

    def test_incr_and_decr_return_the_stored_value(self, cache: Cache) -> None:
        cache.set("answer", 41)
        assert cache.incr("answer") == 42
        assert cache.get("answer") == 42
        assert cache.incr("answer", 10) == 52
        assert cache.decr("answer") == 51
        assert cache.decr("answer", 9) == 42
        assert cache.incr("answer", -50) == -8
        assert cache.get("answer") == -8

    @pytest.mark.parametrize("method", ["incr", "decr"])
    @pytest.mark.parametrize("delta", [1, 1.5, 2**70])
    def test_incr_of_a_missing_entry_raises_value_error(self, cache: Cache, method: str, delta: Any) -> None:
        with pytest.raises(ValueError, match="'does_not_exist' not found"):
            getattr(cache, method)("does_not_exist", delta)
        assert cache.has_key("does_not_exist") is False

    @pytest.mark.parametrize(
        ("start", "delta"),
        [
            (2**53, 1),
            (2**63 - 1, 1),
            (-(2**63), -1),
            (2**200, 2**199),
            pytest.param(10**5000, 1, id="5001 digits"),
            (2**64, -(2**64)),
            (0, 2**63),
            (1, 0.5),
            (0.5, 1),
            (-1.25, -1.25),
            (1e300, 1e300),
        ],
    )
    def test_integers_of_any_size_and_floats_are_added_exactly(self, cache: Cache, start: Any, delta: Any) -> None:
        cache.set("number", start)
        result = cache.incr("number", delta)
        assert result == start + delta
        assert type(result) is type(start + delta)
        assert cache.get("number") == start + delta
        assert cache.decr("number", delta) == start + delta - delta

    def test_infinity_is_a_number(self, cache: Cache) -> None:
        cache.set("number", math.inf)
        assert cache.incr("number") == math.inf

    @pytest.mark.parametrize("value", [True, None, "1", "text", b"1", [1], {"a": 1}, 1j])
    @pytest.mark.parametrize("delta", [1, 1.5])
    def test_incr_of_another_type_raises_and_changes_nothing(self, cache: Cache, value: object, delta: Any) -> None:
        cache.set("value", value)
        with pytest.raises((TypeError, ValueError)):
            cache.incr("value", delta)
        assert cache.get("value") == value
        assert type(cache.get("value")) is type(value)

    @pytest.mark.parametrize("delta", [True, "1", None])
    def test_delta_of_another_type_raises(self, cache: Cache, delta: Any) -> None:
        cache.set("number", 1)
        with pytest.raises(TypeError):
            cache.incr("number", delta)
        assert cache.get("number") == 1

    @pytest.mark.parametrize(("start", "delta"), [(1, 1), (1, 0.5), (2**63 - 1, 1), (0.5, 1)])
    def test_incr_keeps_the_lifetime(self, cache: Cache, start: Any, delta: Any) -> None:
        began = time.monotonic()
        cache.set("key", start, 100.5)
        cache.incr("key", delta)
        assert lives(cache, "key", 100_500, began)
        cache.set("forever", start, None)
        cache.incr("forever", delta)
        assert cache.ttl("forever") is None

    @pytest.mark.parametrize("delta", [1, 0.5, 2**70])
    def test_default_creates_the_counter_with_the_timeout(self, cache: Cache, delta: Any) -> None:
        began = time.monotonic()
        assert cache.incr("key", delta, default=10, timeout=100) == 10 + delta
        assert lives(cache, "key", 100_000, began)
        assert cache.incr("key", delta, default=10, timeout=5) == 10 + delta + delta
        assert lives(cache, "key", 100_000, began)
        assert cache.decr("other", delta, default=10, timeout=None) == 10 - delta
        assert cache.ttl("other") is None

    def test_counters_of_versions_are_separate(self, cache: Cache) -> None:
        cache.set("answer", 37, version=1)
        cache.set("answer", 42, version=2)
        cache.incr("answer", version=1)
        cache.decr("answer", version=2)
        assert cache.get("answer", version=1) == 38
        assert cache.get("answer", version=2) == 41

    @pytest.mark.parametrize(("start", "delta"), [(0, 1), (0.0, 0.5), (2**64, 1)])
    def test_concurrent_increments_are_all_counted(self, cache: Cache, start: Any, delta: Any) -> None:
        cache.set("counter", start)
        results = at_once(cache, 40, "incr", "counter", delta)
        assert cache.get("counter") == start + 40 * delta
        assert sorted(results) == [start + number * delta for number in range(1, 41)]

    def test_concurrent_increments_of_a_missing_counter_are_all_counted(self, cache: Cache) -> None:
        began = time.monotonic()
        at_once(cache, 50, "incr", "counter", default=0, timeout=100)
        assert cache.get("counter") == 50
        assert lives(cache, "counter", 100_000, began)
