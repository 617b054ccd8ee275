"""Conformance tests of single entries."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from dvcache.cache import Cache
from dvcache.errors import SerializationError
from dvcache.testing.conformance.fixtures import Conformance, MakeCache, at_once


@dataclass(frozen=True)
class Point:
    """A class of the test's own."""

    x: int
    y: int


VALUES: dict[str, tuple[object, ...]] = {
    "text": ("", "string", "Iñtërnâtiônàlizætiøn", "\x00\ud800", "9", "-0", "1e5", "nan", "x" * 10_000),
    "bytes": (b"", b"12", b"\x00\xff\xfe", bytes(range(256)) * 50),
    "constants": (None, True, False),
    "ints": (0, 1, -1, 42, -42, 2**31, 2**63 - 1, -(2**63), 2**63, -(2**64), 10**400, -(10**5000)),
    "floats": (0.0, -0.0, 1.5, -1.5, 0.1, 1e300, -1e-300, float("inf"), float("-inf")),
    "containers": ([], [1, "2", [3]], (), (1, 2), {}, {"a": {"b": [1]}}, {1, 2}, frozenset({3})),
    "times and ids": (date(2024, 2, 29), datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1), UUID(int=7)),
    "objects": (Decimal("1.10"), Point(1, 2), Counter("aab"), 1 + 2j, range(3)),
}
"""Values by kind. A test stores those of a kind under one key in turn, so each replaces a similar one."""


class ValuesConformance(Conformance):
    """Tests of get, set, add, delete, has_key and get_or_set, and of the values they store."""

    def test_set_value_is_returned_by_get(self, cache: Cache) -> None:
        assert cache.set("key", "value") is True
        assert cache.get("key") == "value"

    def test_get_misses_a_value_of_another_type(self, cache: Cache) -> None:
        cache.set("k", [1, "a"])
        assert cache.get("k", as_=list[int]) == [1, "a"]
        assert cache.get("k", "default", as_=dict) == "default"
        assert cache.get("missing", 5, as_=str | None) == 5

    def test_get_of_a_missing_entry_returns_the_default(self, cache: Cache) -> None:
        assert cache.get("missing") is None
        assert cache.get("missing", "bang!") == "bang!"

    def test_stored_none_is_a_hit(self, cache: Cache) -> None:
        cache.set("none", None)
        assert cache.get("none", "default") is None
        assert cache.has_key("none") is True

    @pytest.mark.parametrize("kind", VALUES)
    def test_value_is_read_as_stored_with_its_type(self, cache: Cache, kind: str) -> None:
        for value in VALUES[kind]:
            cache.set("value", value)
            found = cache.get("value")
            assert found == value
            assert type(found) is type(value)
            assert str(found) == str(value) if isinstance(value, float) else True
            assert cache.get_many(["value"]) == {"value": value}

    def test_value_of_a_megabyte_is_read_as_stored(self, cache: Cache) -> None:
        value = bytes(range(256)) * 4096
        cache.set("large", value)
        assert cache.get("large") == value

    @pytest.mark.parametrize("key", ["", "a key", "ключ", "a:b:c", "*", "x" * 1000, "line\nfeed", "{tag}", "%s"])
    def test_key_may_be_any_text(self, cache: Cache, key: str) -> None:
        cache.set(key, 1)
        assert cache.get(key) == 1
        assert cache.get("other") is None
        assert cache.delete(key) is True

    def test_int_key_is_the_same_as_its_text(self, cache: Cache) -> None:
        cache.set(0, "zero")
        assert cache.get("0") == "zero"

    def test_set_replaces_a_value(self, cache: Cache) -> None:
        cache.set("key", "first")
        cache.set("key", [2])
        assert cache.get("key") == [2]

    def test_set_with_nx_writes_a_missing_entry_only(self, cache: Cache) -> None:
        assert cache.set("key", 1, nx=True) is True
        assert cache.set("key", 2, nx=True) is False
        assert cache.get("key") == 1

    def test_set_with_xx_writes_an_existing_entry_only(self, cache: Cache) -> None:
        assert cache.set("key", 1, xx=True) is False
        assert cache.has_key("key") is False
        cache.set("key", 1)
        assert cache.set("key", 2, xx=True) is True
        assert cache.get("key") == 2

    def test_set_refuses_nx_with_xx(self, cache: Cache) -> None:
        with pytest.raises(ValueError, match="nx and xx"):
            cache.set("key", 1, nx=True, xx=True)

    def test_set_with_get_returns_the_previous_value(self, cache: Cache) -> None:
        assert cache.set("key", "first", get=True) is None
        assert cache.set("key", "second", get=True) == "first"
        assert cache.set("key", "third", nx=True, get=True) == "second"
        assert cache.get("key") == "second"
        assert cache.set("key", "gone", 0, get=True) == "second"
        assert cache.has_key("key") is False

    def test_add_writes_a_missing_entry_only(self, cache: Cache) -> None:
        assert cache.add("key", "first") is True
        assert cache.add("key", "second") is False
        assert cache.get("key") == "first"

    def test_one_of_concurrent_adds_succeeds(self, cache: Cache) -> None:
        assert sorted(at_once(cache, 20, "add", "key", 1)) == [False] * 19 + [True]

    def test_delete_returns_whether_the_entry_existed(self, cache: Cache) -> None:
        cache.set("key", 1)
        assert cache.delete("key") is True
        assert cache.get("key") is None
        assert cache.delete("key") is False

    def test_has_key_and_in_return_whether_the_entry_exists(self, cache: Cache) -> None:
        cache.set("key", 1, None)
        assert cache.has_key("key") is True
        assert "key" in cache
        assert cache.has_key("missing") is False
        assert "missing" not in cache

    def test_unserializable_value_raises_and_changes_nothing(self, cache: Cache) -> None:
        cache.set("key", 1)
        with pytest.raises(SerializationError):
            cache.set("key", lambda: None)
        with pytest.raises(SerializationError):
            cache.set_many({"key": 2, "other": lambda: None})
        assert cache.get("key") == 1

    def test_get_or_set_stores_a_value_once(self, cache: Cache) -> None:
        assert cache.get("key") is None
        assert cache.get_or_set("key", "first") == "first"
        assert cache.get_or_set("key", "second") == "first"
        assert cache.get("key") == "first"

    def test_get_or_set_calls_its_function_for_a_missing_entry_only(self, cache: Cache) -> None:
        calls: list[int] = []

        def make() -> int:
            calls.append(1)
            return 7

        assert cache.get_or_set("key", make) == 7
        assert cache.get_or_set("key", make) == 7
        assert calls == [1]

    def test_get_or_set_stores_a_none_of_its_function(self, cache: Cache) -> None:
        assert cache.get_or_set("key", lambda: None) is None
        assert cache.get("key", "default") is None

    def test_get_or_set_needs_a_default(self, cache: Cache) -> None:
        with pytest.raises(TypeError):
            cache.get_or_set("key")  # type: ignore[call-overload]  # the fault under test

    def test_get_or_set_takes_a_version(self, cache: Cache) -> None:
        cache.get_or_set("key", 1979, version=1)
        assert cache.get_or_set("key", 1980, version=2) == 1980
        assert cache.get("key", version=1) == 1979

    def test_get_or_set_stores_nothing_if_its_function_raises(self, cache: Cache) -> None:
        def fail() -> int:
            raise LookupError

        with pytest.raises(LookupError):
            cache.get_or_set("key", fail)
        assert cache.has_key("key") is False

    def test_concurrent_get_or_set_calls_return_the_stored_value(self, cache: Cache) -> None:
        found = at_once(cache, 20, "get_or_set", "key", lambda: object.__repr__(object()))
        assert set(found) == {cache.get("key")}

    def test_undecodable_entry_is_a_miss(self, cache: Cache, make_cache: MakeCache) -> None:
        other = make_cache(OPTIONS={"SERIALIZER": "dvcache.serializers.json.JSONSerializer"})
        other.set("key", "text")
        assert cache.get("key") is None
        assert cache.get("key", "default") == "default"
        assert cache.get_many(["key"]) == {}
        assert cache.get_or_set("key", "new") == "new"
        assert cache.get("key") == "new"

    def test_concurrent_reads_return_their_own_values(self, cache: Cache) -> None:
        cache.set_many({str(number): number for number in range(20)})
        answers: list[Any] = [at_once(cache, 8, "get", str(number)) for number in range(20)]
        assert answers == [[number] * 8 for number in range(20)]
