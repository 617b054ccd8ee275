"""Conformance tests of lists."""

import pytest

from dvcache.cache import Cache
from dvcache.errors import WrongTypeError
from dvcache.testing.conformance.fixtures import Conformance


class ListsConformance(Conformance):
    """Tests of lpush, rpush, lpop, lrange and the others."""

    def test_elements_are_read_in_order_as_pushed(self, cache: Cache) -> None:
        values = [1, -2.5, "text", None, [1, {"a": (2,)}], True, ""]
        assert cache.rpush("list", *values) == len(values)
        assert cache.lrange("list") == values
        assert cache.lpush("list", "b", "a") == len(values) + 2
        assert cache.lrange("list", 0, 1) == ["a", "b"]
        assert cache.lrange("list", -1) == [""]
        assert cache.llen("list") == len(values) + 2
        assert cache.rpush("list") == len(values) + 2
        assert cache.lrange("missing") == []
        assert cache.llen("missing") == 0

    def test_elements_are_popped_from_both_ends(self, cache: Cache) -> None:
        cache.rpush("list", 1, 2, 3, 4, 5)
        assert cache.lpop("list") == 1
        assert cache.rpop("list") == 5
        assert cache.lpop("list", 2) == [2, 3]
        assert cache.rpop("list", 9) == [4]
        assert cache.lpop("list") is None
        assert cache.rpop("list", 2) == []
        assert cache.has_key("list") is False

    def test_lindex_lpos_and_lset_address_one_element(self, cache: Cache) -> None:
        cache.rpush("list", "a", [1], "a")
        assert cache.lindex("list", 1) == [1]
        assert cache.lindex("list", -1) == "a"
        assert cache.lindex("list", 3) is None
        assert cache.lpos("list", [1]) == 1
        assert cache.lpos("list", "a") == 0
        assert cache.lpos("list", "b") is None
        assert cache.lset("list", -1, "c") is True
        assert cache.lset("list", 3, "c") is False
        assert cache.lset("missing", 0, "c") is False
        assert cache.lrange("list") == ["a", [1], "c"]

    def test_elements_are_removed_inserted_and_trimmed(self, cache: Cache) -> None:
        cache.rpush("list", 1, 2, 1, 3, 1)
        assert cache.lrem("list", -1, 1) == 1
        assert cache.lrange("list") == [1, 2, 1, 3]
        assert cache.lrem("list", 0, 1) == 2
        assert cache.lrem("list", 0, 9) == 0
        assert cache.linsert("list", "BEFORE", 3, "x") == 3
        assert cache.linsert("list", "AFTER", 3, "y") == 4
        assert cache.linsert("list", "AFTER", 9, "z") == -1
        assert cache.linsert("missing", "AFTER", 9, "z") == 0
        assert cache.lrange("list") == [2, "x", 3, "y"]
        assert cache.ltrim("list", 1, 2) is True
        assert cache.lrange("list") == ["x", 3]

    def test_lmove_moves_an_element_between_lists(self, cache: Cache) -> None:
        cache.rpush("{l}1", 1, 2, 3)
        assert cache.lmove("{l}1", "{l}2") == 1
        assert cache.lmove("{l}1", "{l}2", "RIGHT", "LEFT") == 3
        assert cache.lrange("{l}2") == [3, 1]
        assert cache.lmove("{l}2", "{l}2") == 3
        assert cache.lrange("{l}2") == [1, 3]
        assert cache.lmove("{l}missing", "{l}2") is None

    def test_list_methods_take_a_version(self, cache: Cache) -> None:
        assert cache.rpush("{l}1", 1, 2, 3, version=2) == 3
        assert cache.lpush("{l}1", 0, version=2) == 4
        assert cache.llen("{l}1") == 0
        assert cache.lrange("{l}1", 0, 1, version=2) == [0, 1]
        assert cache.lindex("{l}1", 3, version=2) == 3
        assert cache.lpos("{l}1", 2, version=2) == 2
        assert cache.lset("{l}1", 0, "a", version=2) is True
        assert cache.lmove("{l}1", "{l}2", version=2) == "a"
        assert cache.lpop("{l}2", version=2) == "a"
        assert cache.lrem("{l}1", 0, 1, version=2) == 1
        assert cache.linsert("{l}1", "AFTER", 3, 4, version=2) == 3
        assert cache.ltrim("{l}1", -1, -1, version=2) is True
        assert cache.rpop("{l}1", 5, version=2) == [4]

    def test_list_methods_raise_for_another_type(self, cache: Cache) -> None:
        cache.set("k", "text")
        with pytest.raises(WrongTypeError):
            cache.rpush("k", 1)
        with pytest.raises(WrongTypeError):
            cache.lrange("k")
