"""Conformance tests of hashes."""

from typing import Any

import pytest

from dvcache.cache import Cache
from dvcache.errors import ServerError, WrongTypeError
from dvcache.testing.conformance.fixtures import Conformance, MakeCache


class HashesConformance(Conformance):
    """Tests of hset, hget, hgetall and the others, with and without the key prefix in a hash's name."""

    @pytest.fixture(params=[True, False], ids=["prefixed hashes", "hashes by name alone"])
    def hashes(self, request: pytest.FixtureRequest, make_cache: MakeCache) -> Cache:
        cache = make_cache(KEY_PREFIX="p", OPTIONS={"PREFIX_HASHES": request.param})
        cache.clear()
        return cache

    def test_field_values_are_read_as_written(self, hashes: Cache) -> None:
        values = {"int": -5, "float": 2.5, "text": "text", "none": None, "list": [1, {"a": (2,)}], "": True}
        assert hashes.hset("hash", mapping=values) == len(values)
        assert hashes.hgetall("hash") == values
        assert {field: hashes.hget("hash", field, default="miss") for field in values} == values
        assert hashes.hmget("hash", [*values, "missing"]) == values
        assert hashes.hkeys("hash") == [*values]
        assert hashes.hvals("hash") == [*values.values()]
        assert hashes.hlen("hash") == len(values)

    def test_hset_takes_a_field_a_mapping_and_pairs(self, hashes: Cache) -> None:
        assert hashes.hset("hash", "a", 1) == 1
        assert hashes.hset("hash", "a", 2) == 0
        assert hashes.hset("hash", "b", 3, {"c": 4}, [("d", 5), ("a", 6)]) == 3
        assert hashes.hset("hash") == 0
        assert hashes.hset("hash", mapping={}) == 0
        assert hashes.hgetall("hash") == {"a": 6, "b": 3, "c": 4, "d": 5}

    def test_hsetnx_writes_a_missing_field_only(self, hashes: Cache) -> None:
        assert hashes.hsetnx("hash", "a", [1]) is True
        assert hashes.hsetnx("hash", "a", [2]) is False
        assert hashes.hget("hash", "a") == [1]

    def test_reads_of_missing_hashes_and_fields_are_empty(self, hashes: Cache) -> None:
        hashes.hset("hash", "a", 1)
        assert hashes.hget("hash", "b") is None
        assert hashes.hget("missing", "b", default=5) == 5
        assert hashes.hmget("missing", ["b"]) == {}
        assert hashes.hmget("hash", []) == {}
        assert hashes.hgetall("missing") == {}
        assert hashes.hkeys("missing") == []
        assert hashes.hvals("missing") == []
        assert hashes.hlen("missing") == 0
        assert hashes.hexists("hash", "b") is False

    def test_hash_without_fields_does_not_exist(self, hashes: Cache) -> None:
        hashes.hset("hash", mapping={"a": 1, "b": 2})
        assert hashes.hexists("hash", "a") is True
        assert hashes.hdel("hash", "a") == 1
        assert hashes.hdel("hash", "a") == 0
        assert hashes.hdel("hash", "b") == 1
        assert hashes.hlen("hash") == 0

    def test_field_names_are_returned_as_given(self, hashes: Cache) -> None:
        names = ["a:b", ":", "1:2:3", "ü", "a b", "*"]
        hashes.hset("has:h", mapping=dict.fromkeys(names, 1))
        assert hashes.hkeys("has:h") == names
        assert [*hashes.hgetall("has:h")] == names
        assert hashes.hscan("has:h", match=":*") == {":": 1}

    def test_hincrby_and_hincrbyfloat_return_the_sum(self, hashes: Cache) -> None:
        assert hashes.hincrby("hash", "n") == 1
        assert hashes.hincrby("hash", "n", 2**40) == 2**40 + 1
        assert hashes.hincrby("hash", "n", -(2**40)) == 1
        assert hashes.hget("hash", "n") == 1
        assert hashes.hincrbyfloat("hash", "n", 0.5) == 1.5
        assert hashes.hget("hash", "n") == 1.5
        assert hashes.hincrbyfloat("hash", "m", -2.5) == -2.5
        hashes.hset("hash", "text", "text")
        with pytest.raises(ServerError, match="not an integer"):
            hashes.hincrby("hash", "text")
        assert hashes.hget("hash", "text") == "text"

    def test_fields_of_versions_are_separate(self, hashes: Cache) -> None:
        hashes.hset("hash", "a", 1)
        hashes.hset("hash", "a", 2, version=2)
        hashes.hset("hash", "b", 3, 2)  # type: ignore[arg-type, unused-ignore]  # the version, as django-valkey's default client has it
        assert hashes.hget("hash", "a") == 1
        assert hashes.hget("hash", "a", version=2) == 2
        assert hashes.hmget("hash", ["a", "b"], version=2) == {"a": 2, "b": 3}
        assert hashes.hexists("hash", "b") is False
        assert hashes.hexists("hash", "b", version=2) is True
        assert hashes.hincrby("hash", "b", 1, version=2) == 4
        assert hashes.hdel("hash", "b", version=2) == 1
        assert hashes.hscan("hash", "*", version=2) == {"a": 2}

    def test_hscan_returns_the_fields_of_every_page(self, hashes: Cache) -> None:
        values: dict[str, object] = {f"field{number}": number for number in range(1000)}
        hashes.hset("hash", mapping=values)
        assert hashes.hscan("hash", count=50) == values
        assert dict(hashes.hscan_iter("hash", count=50)) == values
        assert dict(hashes.hscan_iter("hash", "field99*")) == {f"field{n}": n for n in (99, *range(990, 1000))}
        cursor, page = hashes.hscan_page("hash", count=50)
        assert cursor
        assert 0 < len(page) < 1000
        assert hashes.hscan("missing") == {}

    def test_fields_have_their_own_lifetimes(self, hashes: Cache) -> None:
        hashes.hset("hash", mapping={"a": 1, "b": 2})
        assert hashes.httl("hash", "a") is None
        assert hashes.hexpire("hash", "a", 100) is True
        assert hashes.hexpire("hash", "missing", 100) is False
        assert 0 < (hashes.httl("hash", "a") or 0) <= 100
        assert 1000 < (hashes.hpttl("hash", "a") or 0) <= 100_000
        assert hashes.hpttl("hash", "b") is None
        assert hashes.httl("hash", "missing") == 0
        assert hashes.hpersist("hash", "a") is True
        assert hashes.hpersist("hash", "a") is False
        assert hashes.hexpire("hash", "a", 100) is True
        assert hashes.hexpire("hash", "a", None) is True
        assert hashes.hpttl("hash", "a") is None
        assert hashes.hexpire("hash", "a", 0) is True
        assert hashes.hgetall("hash") == {"b": 2}

    def test_hset_takes_a_timeout(self, hashes: Cache) -> None:
        assert hashes.hset("hash", mapping={"a": 1, "b": [2]}, timeout=100) == 2
        assert 0 < (hashes.httl("hash", "a") or 0) <= 100
        assert hashes.hgetall("hash") == {"a": 1, "b": [2]}
        hashes.hset("hash", "a", 1)
        assert hashes.httl("hash", "a") is None
        assert hashes.hset("hash", "b", 3, timeout=0) == 0
        assert hashes.hkeys("hash") == ["a"]

    def test_prefixed_hash_is_an_entry_and_a_plain_one_is_not(self, make_cache: MakeCache) -> None:
        cache = make_cache(OPTIONS={"PREFIX_HASHES": True})
        plain = make_cache(OPTIONS={"PREFIX_HASHES": False})
        plain.hset("name", "a", 2)
        assert cache.hset("name", "a", 1) == 1
        assert cache.expire("name", 100) is True
        assert cache.delete("name") is True
        assert cache.has_key("name") is False
        assert cache.hgetall("name") == {}
        assert plain.hgetall("name") == {"a": 2}

    @pytest.mark.parametrize("call", [lambda c: c.hset("k", "f", 1), lambda c: c.hgetall("k"), lambda c: c.hlen("k")])
    def test_hash_methods_raise_for_another_type(self, make_cache: MakeCache, call: Any) -> None:
        cache = make_cache(OPTIONS={"PREFIX_HASHES": True})
        cache.set("k", "text")
        with pytest.raises(WrongTypeError):
            call(cache)
