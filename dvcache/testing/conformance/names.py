"""Conformance tests of the names of entries: versions, prefixes, key functions, patterns."""

import time
from typing import Any

import pytest

from dvcache.cache import Cache
from dvcache.testing.conformance.fixtures import Conformance, MakeCache
from dvcache.testing.conformance.timeouts import lives


def starred(key: Any, prefix: str, version: int) -> str:
    """Return a stored key in a format of its own."""
    return f"CUSTOM-{prefix}-{version}-{key}"


class VersionsConformance(Conformance):
    """Tests of `version=` in every method, incr_version and decr_version."""

    def test_entries_of_versions_are_separate(self, cache: Cache, make_cache: MakeCache) -> None:
        second = make_cache(VERSION=2)
        cache.set("answer", 42)
        assert cache.get("answer", version=1) == 42
        assert cache.get("answer", version=2) is None
        assert second.get("answer") is None
        assert second.get("answer", version=1) == 42
        second.set("answer", 43)
        assert cache.get("answer") == 42
        assert cache.get("answer", version=2) == 43

    def test_version_zero_is_a_version(self, cache: Cache, make_cache: MakeCache) -> None:
        cache.set("key", "zero", version=0)
        assert cache.get("key") is None
        assert cache.get("key", version=0) == "zero"
        assert make_cache(VERSION=0).get("key") == "zero"

    def test_every_method_takes_a_version(self, cache: Cache) -> None:
        began = time.monotonic()
        assert cache.add("key", 1, version=2) is True
        assert cache.add("key", 1, version=2) is False
        assert cache.has_key("key", version=2) is True
        assert cache.has_key("key") is False
        assert cache.touch("key", 100, version=2) is True
        assert cache.touch("key", 100) is False
        assert cache.set_many({"key": 3, "other": 4}, version=2) == []
        assert cache.get_many(["key", "other"], version=2) == {"key": 3, "other": 4}
        assert cache.get_many(["key", "other"]) == {}
        assert cache.expire("key", 50, version=2) is True
        assert lives(cache, "key", 50_000, began, version=2)
        assert cache.ttl("key", version=2) != 0
        assert cache.ttl("key") == 0
        assert cache.pttl("key") == 0
        assert cache.persist("key", version=2) is True
        assert cache.pexpire("key", 50_000, version=2) is True
        assert cache.expire_at("key", 9_999_999_999, version=2) is True
        assert cache.pexpire_at("key", 9_999_999_999_999, version=2) is True
        assert cache.keys("*") == []
        assert sorted(cache.keys("*", version=2)) == ["key", "other"]
        assert cache.delete("key") is False
        assert cache.delete("key", version=2) is True
        assert cache.delete_many(["other"], version=2) == 1

    def test_incr_version_moves_an_entry_with_its_lifetime(self, cache: Cache) -> None:
        began = time.monotonic()
        cache.set("answer", [42], 100.5, version=2)
        assert cache.incr_version("answer", version=2) == 3
        assert cache.get("answer", version=2) is None
        assert cache.get("answer", version=3) == [42]
        assert lives(cache, "answer", 100_500, began, version=3)
        assert cache.incr_version("answer", 4, version=3) == 7
        assert cache.get("answer", version=7) == [42]

    def test_decr_version_moves_an_entry_back(self, cache: Cache, make_cache: MakeCache) -> None:
        second = make_cache(VERSION=2)
        second.set("answer", 42, None)
        assert second.decr_version("answer") == 1
        assert cache.get("answer") == 42
        assert cache.ttl("answer") is None
        assert cache.decr_version("answer", 2) == -1
        assert cache.get("answer", version=-1) == 42

    def test_incr_version_moves_a_stored_none(self, cache: Cache) -> None:
        cache.set("none", None)
        cache.incr_version("none")
        assert cache.get("none", "default", version=2) is None

    def test_incr_version_replaces_the_entry_of_the_target_version(self, cache: Cache) -> None:
        cache.set("key", "old", None, version=2)
        cache.set("key", "new", 100)
        cache.incr_version("key")
        assert cache.get("key", version=2) == "new"

    def test_incr_version_by_zero_returns_the_version(self, cache: Cache) -> None:
        cache.set("key", 1)
        assert cache.incr_version("key", 0) == 1
        assert cache.get("key") == 1

    @pytest.mark.parametrize("method", ["incr_version", "decr_version"])
    @pytest.mark.parametrize("delta", [0, 1])
    def test_incr_version_of_a_missing_entry_raises_value_error(self, cache: Cache, method: str, delta: int) -> None:
        with pytest.raises(ValueError, match="'missing' not found"):
            getattr(cache, method)("missing", delta)


class PrefixesConformance(Conformance):
    """Tests of KEY_PREFIX and KEY_FUNCTION."""

    def test_entries_of_prefixes_are_separate(self, cache: Cache, make_cache: MakeCache) -> None:
        prefixed = make_cache(KEY_PREFIX="cacheprefix")
        cache.set("somekey", "value")
        assert prefixed.has_key("somekey") is False
        prefixed.set("somekey", "value2")
        assert cache.get("somekey") == "value"
        assert prefixed.get("somekey") == "value2"
        assert prefixed.incr_version("somekey") == 2
        assert cache.get("somekey") == "value"

    def test_delete_takes_a_prefix(self, cache: Cache, make_cache: MakeCache) -> None:
        prefixed = make_cache(KEY_PREFIX="p")
        prefixed.set("key", 1)
        assert cache.delete("key") is False
        assert cache.delete("key", prefix="p") is True
        cache.set("key", 1)
        assert prefixed.delete("key", prefix="") is True

    def test_key_function_names_the_entries(self, cache: Cache, make_cache: MakeCache) -> None:
        custom = make_cache(KEY_FUNCTION=starred)
        custom.set("answer", 42)
        assert cache.has_key("answer") is False
        assert custom.get("answer") == 42
        assert custom.get_many(["answer"]) == {"answer": 42}
        assert custom.incr_version("answer") == 2
        assert custom.get("answer", version=2) == 42
        assert make_cache(KEY_FUNCTION=f"{__name__}.starred").get("answer", version=2) == 42

    def test_key_function_of_a_simple_form_is_reversed(self, make_cache: MakeCache, cache: Cache) -> None:
        custom = make_cache(KEY_FUNCTION=starred, KEY_PREFIX="p*")
        custom.set_many({"a1": 1, "a2": 2, "b": 3})
        cache.set("a3", 1)
        assert sorted(custom.keys("a*")) == ["a1", "a2"]
        assert custom.delete_pattern("a*") == 2
        assert custom.get("b") == 3

    def test_clear_with_scope_prefix_keeps_other_prefixes(self, cache: Cache, make_cache: MakeCache) -> None:
        mine = make_cache(KEY_PREFIX="mine", OPTIONS={"CLEAR_SCOPE": "prefix"})
        cache.set("key", 1)
        mine.set_many({"a": 1, "b": 2})
        mine.set("a", 1, version=7)
        assert mine.clear() is True
        assert mine.get_many(["a", "b"]) == {}
        assert mine.has_key("a", version=7) is False
        assert cache.get("key") == 1


class PatternsConformance(Conformance):
    """Tests of keys, iter_keys and delete_pattern."""

    def test_keys_returns_the_matching_names(self, cache: Cache) -> None:
        cache.set_many({"foo1": 1, "foo2": 2, "foo:3": 3, "bar": 4})
        assert sorted(cache.keys("foo*")) == ["foo1", "foo2", "foo:3"]
        assert sorted(cache.keys("foo?")) == ["foo1", "foo2"]
        assert cache.keys("[ab]ar") == ["bar"]
        assert cache.keys("missing*") == []
        assert len(cache.keys("*")) == 4

    def test_iter_keys_returns_the_names_of_every_page(self, cache: Cache) -> None:
        data = {f"foo{number}": number for number in range(300)}
        cache.set_many({**data, "bar": 1})
        assert set(cache.iter_keys("foo*", itersize=10)) == set(data)
        assert set(cache.iter_keys("foo*")) == set(data)
        assert list(cache.iter_keys("missing*")) == []

    def test_keys_returns_special_characters_unchanged(self, cache: Cache) -> None:
        names = ["", "a b", "ключ", "a:b", "a*", "[x]", "back\\slash", "line\nfeed"]
        cache.set_many(dict.fromkeys(names, 1))
        assert sorted(cache.keys("*")) == sorted(names)

    def test_backslash_escapes_a_character_of_a_pattern(self, cache: Cache) -> None:
        cache.set_many({"a*": 1, "ab": 2, "a?": 3})
        assert cache.keys(r"a\*") == ["a*"]
        assert cache.delete_pattern(r"a\?") == 1
        assert cache.has_key("ab") is True

    @pytest.mark.parametrize("prefix", ["*", "a?", "[ab]", "back\\slash", "a:b", ""])
    def test_prefix_is_literal_in_a_pattern(self, cache: Cache, make_cache: MakeCache, prefix: str) -> None:
        mine, other = make_cache(KEY_PREFIX=prefix), make_cache(KEY_PREFIX="ab")
        mine.set_many({"key1": 1, "key2": 2})
        other.set("key3", 3)
        assert sorted(mine.keys("key*")) == ["key1", "key2"]
        assert mine.delete_pattern("key*") == 2
        assert other.get("key3") == 3
        assert cache.keys("key*") == []

    def test_delete_pattern_returns_the_number_removed(self, cache: Cache) -> None:
        cache.set_many({f"foo{number}": number for number in range(120)})
        cache.set("bar", 1)
        assert cache.delete_pattern("foo*", itersize=7) == 120
        assert cache.keys("*") == ["bar"]
        assert cache.delete_pattern("foo*") == 0

    def test_delete_pattern_takes_a_version_and_a_prefix(self, cache: Cache, make_cache: MakeCache) -> None:
        prefixed = make_cache(KEY_PREFIX="p")
        prefixed.set_many({"a": 1}, version=2)
        prefixed.set_many({"a": 1})
        cache.set("a", 1)
        assert cache.delete_pattern("*", version=2, prefix="p") == 1
        assert prefixed.has_key("a") is True
        assert cache.has_key("a") is True

    @pytest.mark.parametrize("pattern", [None, ""])
    def test_missing_pattern_raises_and_deletes_nothing(self, cache: Cache, pattern: Any) -> None:
        cache.set("key", 1)
        with pytest.raises(ValueError, match="pattern"):
            cache.delete_pattern(pattern)
        with pytest.raises(ValueError, match="pattern"):
            cache.keys(pattern)
        with pytest.raises(ValueError, match="pattern"):
            list(cache.iter_keys(pattern))
        assert cache.get("key") == 1
