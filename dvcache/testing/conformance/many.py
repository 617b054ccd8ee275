"""Conformance tests of methods for many entries."""

from dvcache.cache import Cache
from dvcache.testing.conformance.fixtures import Conformance, wait_until_gone


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

    def test_clear_removes_every_entry(self, cache: Cache) -> None:
        cache.set_many({"a": 1, "b": 2})
        assert cache.clear() is True
        assert cache.get_many(["a", "b"]) == {}
        assert cache.clear() is True
