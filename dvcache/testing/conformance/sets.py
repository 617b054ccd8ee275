"""Conformance tests of sets."""

from typing import Any

import pytest

from dvcache.cache import Cache
from dvcache.errors import WrongTypeError
from dvcache.testing.conformance.fixtures import Conformance, MakeCache


class SetsConformance(Conformance):
    """Tests of sadd, srem, smembers, sunion and the others."""

    def test_members_are_read_as_added(self, cache: Cache) -> None:
        members = {1, -5, 2.5, "text", "", b"bytes", None, (1, "a"), frozenset({3}), 2**70}
        assert cache.sadd("set", *members) == len(members)
        assert cache.sadd("set", 1, "new") == 1
        assert cache.smembers("set") == members | {"new"}
        assert cache.scard("set") == len(members) + 1
        assert cache.smembers("missing") == set()
        assert cache.scard("missing") == 0

    def test_unhashable_members_are_returned_in_a_list(self, cache: Cache) -> None:
        cache.sadd("set", [1], {"a": 1})
        found = cache.smembers("set")
        assert isinstance(found, list)
        assert sorted(found, key=str) == [[1], {"a": 1}]
        assert cache.sismember("set", [1]) is True
        assert cache.srem("set", {"a": 1}) == 1
        assert cache.spop("set", 5) == [[1]]

    def test_equal_tuples_are_one_member(self, cache: Cache) -> None:
        part, again = (b"text".decode() for _ in range(2))  # Python 3.14 makes one object of equal slices of a literal
        assert part is not again
        assert cache.sadd("set", (part, part), ((part, 1), part)) == 2
        assert cache.sadd("set", (part, again), ((again, 1), part)) == 0
        assert cache.sismember("set", (again, part)) is True

    def test_equal_numbers_of_other_types_are_separate_members(self, cache: Cache) -> None:
        assert cache.sadd("set", 1, 1.0, True) == 3
        assert cache.smismember("set", 1, 1.0, True, "1") == [True, True, True, False]

    def test_sismember_and_smismember_return_membership(self, cache: Cache) -> None:
        cache.sadd("set", "a", "b")
        assert cache.sismember("set", "a") is True
        assert cache.sismember("set", "c") is False
        assert cache.smismember("set", "a", "c", "b") == [True, False, True]
        assert cache.smismember("set") == []
        assert cache.smismember("missing", 1) == [False]

    def test_set_without_members_does_not_exist(self, cache: Cache) -> None:
        assert cache.sadd("set") == 0
        assert cache.sadd("set", 1, 2) == 2
        assert cache.srem("set", 1, 3) == 1
        assert cache.srem("set") == 0
        assert cache.has_key("set") is True
        assert cache.srem("set", 2) == 1
        assert cache.has_key("set") is False

    def test_spop_and_srandmember_return_random_members(self, cache: Cache) -> None:
        members: set[Any] = {"a", "b", "c"}
        cache.sadd("set", *members)
        assert cache.srandmember("set") in members
        assert sorted(map(str, cache.srandmember("set", 5))) == ["a", "b", "c"]
        assert len(cache.srandmember("set", -7)) == 7
        assert cache.scard("set") == 3
        taken = cache.spop("set")
        assert taken in members
        rest = cache.spop("set", 5)
        assert rest == members - {taken}
        assert cache.spop("set") is None
        assert cache.spop("set", 2) == set()
        assert cache.srandmember("set") is None
        assert cache.srandmember("set", 2) == []

    def test_sets_are_combined(self, cache: Cache) -> None:
        cache.sadd("{s}1", 1, 2, 3)
        cache.sadd("{s}2", 2, 3, 4)
        assert cache.sdiff("{s}1", "{s}2") == {1}
        assert cache.sinter("{s}1", "{s}2") == {2, 3}
        assert cache.sunion("{s}1", "{s}2", "{s}missing") == {1, 2, 3, 4}
        assert cache.sinter("{s}1", "{s}missing") == set()

    def test_combined_set_replaces_the_destination(self, cache: Cache) -> None:
        cache.sadd("{s}1", 1, 2, 3)
        cache.sadd("{s}2", 2, 3, 4)
        cache.set("{s}to", "text", 100)
        assert cache.sdiffstore("{s}to", "{s}1", "{s}2") == 1
        assert cache.smembers("{s}to") == {1}
        assert cache.ttl("{s}to") is None
        assert cache.sinterstore("{s}to", "{s}1", "{s}2") == 2
        assert cache.smembers("{s}to") == {2, 3}
        assert cache.sunionstore("{s}to", "{s}1", "{s}2") == 4
        assert cache.sinterstore("{s}to", "{s}1", "{s}missing") == 0
        assert cache.has_key("{s}to") is False

    def test_smove_moves_a_member(self, cache: Cache) -> None:
        cache.sadd("{s}1", 1, 2)
        assert cache.smove("{s}1", "{s}2", 1) is True
        assert cache.smove("{s}1", "{s}2", 1) is False
        assert cache.smembers("{s}1") == {2}
        assert cache.smembers("{s}2") == {1}

    def test_smove_applies_the_version_to_both_keys(self, cache: Cache) -> None:
        cache.sadd("{s}1", "a", version=2)
        assert cache.smove("{s}1", "{s}2", "a") is False
        assert cache.smove("{s}1", "{s}2", "a", version=2) is True
        assert cache.smembers("{s}2") == set()
        assert cache.smembers("{s}2", version=2) == {"a"}

    def test_set_methods_take_a_version(self, cache: Cache) -> None:
        cache.sadd("{s}1", 1, 2, version=2)
        cache.sadd("{s}2", 2, version=2)
        assert cache.scard("{s}1") == 0
        assert cache.sismember("{s}1", 1, version=2) is True
        assert cache.smismember("{s}1", 1, version=2) == [True]
        assert cache.sdiff("{s}1", "{s}2", version=2) == {1}
        assert cache.sdiffstore("{s}3", "{s}1", "{s}2", version_keys=2) == 1
        assert cache.smembers("{s}3") == {1}
        assert cache.sdiffstore("{s}3", "{s}3", version_dest=3) == 1
        assert cache.smembers("{s}3", version=3) == {1}
        assert cache.sunionstore("{s}3", "{s}1", "{s}2", version=2) == 2
        assert cache.sinterstore("{s}3", "{s}1", "{s}2", version=2) == 1
        assert cache.sscan("{s}1", version=2) == {1, 2}
        assert list(cache.sscan_iter("{s}3", version=2)) == [2]
        assert cache.srandmember("{s}2", version=2) == 2
        assert cache.srem("{s}2", 2, version=2) == 1
        assert cache.spop("{s}3", version=2) == 2

    def test_sscan_returns_the_members_of_every_page(self, cache: Cache) -> None:
        members = {f"member {number}" for number in range(1000)}
        cache.sadd("set", *members)
        assert cache.sscan("set", count=50) == members
        assert set(cache.sscan_iter("set", count=50)) == members
        cursor, page = cache.sscan_page("set", count=50)
        assert cursor
        assert 0 < len(page) < 1000
        assert members.issuperset(page)
        assert cache.sscan("missing") == set()
        assert list(cache.sscan_iter("missing")) == []

    def test_sscan_matches_members_not_their_stored_bytes(self, cache: Cache) -> None:
        cache.sadd("set", "bar1", "bar12", "foo", 12, 2.5, b"bar3", None, ("bar",))
        assert cache.sscan("set", match="bar*") == {"bar1", "bar12", b"bar3"}
        assert cache.sscan("set", "?2") == {12}
        assert set(cache.sscan_iter("set", "[f2]*")) == {"foo", 2.5}

    def test_set_has_a_lifetime(self, cache: Cache) -> None:
        cache.sadd("set", 1)
        assert cache.ttl("set") is None
        assert cache.expire("set", 100) is True
        cache.sadd("set", 2)
        assert 0 < (cache.ttl("set") or 0) <= 100
        assert cache.delete("set") is True
        assert cache.smembers("set") == set()

    @pytest.mark.parametrize("call", [lambda c: c.sadd("k", 1), lambda c: c.smembers("k"), lambda c: c.spop("k")])
    def test_set_methods_raise_for_another_type(self, cache: Cache, call: Any) -> None:
        cache.set("k", "text")
        with pytest.raises(WrongTypeError):
            call(cache)
        assert cache.get("k") == "text"

    def test_members_are_encoded_by_the_serializer(self, make_cache: MakeCache, cache: Cache) -> None:
        json = make_cache(OPTIONS={"SERIALIZER": "dvcache.serializers.json.JSONSerializer"})
        json.sadd("set", "text", 5, None)
        assert json.smembers("set") == {"text", 5, None}
        json.sadd("set", (1, 2))
        assert [1, 2] in json.smembers("set")
        assert cache.sismember("set", 5) is True
