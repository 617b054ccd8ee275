"""Conformance tests of methods for many entries."""

import pytest

from dvcache.cache import Cache
from dvcache.errors import SerializationError
from dvcache.testing.conformance.fixtures import Conformance, at_once, wait_until_gone


class ManyConformance(Conformance):
    """Tests of get_many, set_many, delete_many, mget, mset and clear."""

    def test_get_many_returns_the_existing_entries(self, cache: Cache) -> None:
        cache.set_many({"a": "a", "b": "b", "c": "c", "d": "d"})
        assert cache.get_many(["a", "c", "d"]) == {"a": "a", "c": "c", "d": "d"}
        assert cache.get_many(["a", "b", "missing"]) == {"a": "a", "b": "b"}
        assert cache.mget(["a"]) == {"a": "a"}

    def test_get_many_takes_any_iterable(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2})
        for keys in (("a", "b"), {"a": 0, "b": 0}, iter(["a", "b"]), (key for key in "ab"), {"a", "b"}):
            assert cache.get_many(keys) == {"a": 1, "b": 2}

    def test_get_many_returns_a_stored_none(self, cache: Cache) -> None:
        cache.set("none", None)
        assert cache.get_many(["none", "missing"]) == {"none": None}

    def test_get_many_returns_each_value_under_its_own_key(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2})
        assert cache.get_many(["a", "a", "b", "a"]) == {"a": 1, "b": 2}

    def test_get_many_leaves_out_values_of_another_type(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": "text", "c": None})
        assert cache.get_many("abcd", as_=int) == {"a": 1}
        assert cache.get_many("abcd", as_=int | None) == {"a": 1, "c": None}

    def test_set_many_stores_all_and_returns_the_failed_keys(self, cache: Cache) -> None:
        assert cache.set_many({"a": "spam", "b": "eggs"}) == []
        assert cache.get("a") == "spam"
        assert cache.get("b") == "eggs"

    def test_mset_returns_whether_all_were_stored(self, cache: Cache) -> None:
        assert cache.mset({"a": 1, "b": 2}) is True
        assert cache.mget(["a", "b"]) == {"a": 1, "b": 2}

    def test_set_many_takes_a_timeout(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2}, 0.02)
        wait_until_gone(cache, "a")
        wait_until_gone(cache, "b")

    def test_delete_many_returns_the_number_removed(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2, "c": 3})
        assert cache.delete_many(["a", "b", "missing"]) == 2
        assert cache.delete_many(key for key in "abc") == 1
        assert cache.get_many("abc") == {}

    def test_bulk_methods_accept_no_keys(self, cache: Cache) -> None:
        cache.set("key", 1)
        assert cache.get_many([]) == {}
        assert cache.set_many({}) == []
        assert cache.mset({}) is True
        assert cache.delete_many(iter(())) == 0
        assert cache.get("key") == 1

    def test_bulk_methods_take_thousands_of_entries(self, cache: Cache) -> None:
        data = {f"key{number}": {"number": number} for number in range(1500)}
        assert cache.set_many(data) == []
        assert cache.get_many(data) == data
        assert list(cache.get_many(data)) == list(data)
        assert set(cache.keys("key*")) == set(data)
        assert cache.delete_many(data) == 1500
        assert cache.get_many(data) == {}

    def test_get_or_set_many_computes_the_missing_entries_at_once(self, cache: Cache) -> None:
        asked: list[list[str]] = []

        def load(keys: list[str]) -> dict[str, object]:
            asked.append(keys)
            return {key: [key] for key in keys if key != "none"}

        cache.set_many({"a": 1, "b": None})
        assert cache.get_or_set_many(["a", "c", "b", "none", "d", "c"], load, 60) == {
            "a": 1,
            "c": ["c"],
            "b": None,
            "d": ["d"],
        }
        assert asked == [["c", "none", "d"]]
        assert cache.get_many(["a", "b", "c", "d", "none"]) == {"a": 1, "b": None, "c": ["c"], "d": ["d"]}
        assert 0 < (cache.ttl("c") or 0) <= 60
        assert cache.get_or_set_many(["a", "c"], load) == {"a": 1, "c": ["c"]}
        assert cache.get_or_set_many(iter(()), load) == {}
        assert len(asked) == 1

    def test_get_or_set_many_stores_nothing_of_a_wrong_result(self, cache: Cache) -> None:
        def fail(keys: list[str]) -> dict[str, int]:
            raise LookupError(len(keys))

        with pytest.raises(ValueError, match="'other'"):
            cache.get_or_set_many(["a"], lambda keys: {**dict.fromkeys(keys, 1), "other": 2})
        with pytest.raises(TypeError, match="a mapping of keys, not list"):
            cache.get_or_set_many(["a"], lambda keys: keys)  # type: ignore[arg-type, return-value]  # wrong on purpose
        with pytest.raises(LookupError):
            cache.get_or_set_many(["a", "b"], fail)
        with pytest.raises(SerializationError):
            cache.get_or_set_many(["a", "b"], lambda keys: dict(zip(keys, (1, lambda: None), strict=True)))
        with pytest.raises(TypeError, match="a function of the missing keys"):
            cache.get_or_set_many(["a"], {"a": 1})  # type: ignore[arg-type]  # wrong on purpose
        assert cache.get_many(["a", "b", "other"]) == {}
        assert cache.get_or_set_many(["a"], lambda keys: dict.fromkeys(keys, 1)) == {"a": 1}

    def test_get_or_set_many_with_a_timeout_of_0_stores_nothing(self, cache: Cache) -> None:
        assert cache.get_or_set_many(["a", "b"], lambda keys: dict.fromkeys(keys, 1), 0) == {"a": 1, "b": 1}
        assert cache.get_many(["a", "b"]) == {}

    def test_get_or_set_many_takes_a_version_and_thousands_of_entries(self, cache: Cache) -> None:
        keys = [f"key{number}" for number in range(1200)]
        assert cache.get_or_set_many(keys, lambda missing: {key: key for key in missing}, version=2) == dict(
            zip(keys, keys, strict=True)
        )
        assert cache.get_many(keys) == {}
        assert len(cache.get_many(keys, version=2)) == 1200

    def test_concurrent_get_or_set_many_calls_store_a_value_that_one_returns(self, cache: Cache) -> None:
        found = at_once(
            cache, 8, "get_or_set_many", ["a", "b"], lambda keys: {key: object.__repr__(object()) for key in keys}
        )
        stored = cache.get_many(["a", "b"])
        assert list(stored) == ["a", "b"]
        assert all(stored[key] in {each[key] for each in found} for key in stored)

    def test_ping_is_answered(self, cache: Cache) -> None:
        assert cache.ping() is True

    def test_clear_removes_every_entry(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2})
        assert cache.clear() is True
        assert cache.get_many(["a", "b"]) == {}
        assert cache.clear() is True
