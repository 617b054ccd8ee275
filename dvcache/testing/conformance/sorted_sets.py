"""Conformance tests of sorted sets."""

import math

import pytest

from dvcache.cache import Cache
from dvcache.errors import ServerError, WrongTypeError
from dvcache.testing.conformance.fixtures import Conformance


class SortedSetsConformance(Conformance):
    """Tests of zadd, zrange, zincrby and the others."""

    @pytest.fixture
    def board(self, cache: Cache) -> Cache:
        assert cache.zadd("board", {"ada": 3, "bob": 1.5, ("c", 1): 2, "dan": -1}) == 4
        return cache

    def test_members_are_ordered_by_score(self, board: Cache) -> None:
        assert board.zrange("board", 0, -1) == ["dan", "bob", ("c", 1), "ada"]
        assert board.zrange("board", 1, 2) == ["bob", ("c", 1)]
        assert board.zrange("board", 0, 1, desc=True) == ["ada", ("c", 1)]
        assert board.zrevrange("board", 0, 0) == ["ada"]
        assert board.zrange("board", 0, 1, withscores=True) == [("dan", -1.0), ("bob", 1.5)]
        assert board.zrevrange("board", 0, 0, True, int) == [("ada", 3)]
        assert board.zrange("missing", 0, -1) == []
        assert board.zcard("board") == 4
        assert board.zcard("missing") == 0

    def test_score_ranges_take_exclusive_bounds_and_limits(self, board: Cache) -> None:
        assert board.zrangebyscore("board", 1.5, 3) == ["bob", ("c", 1), "ada"]
        assert board.zrangebyscore("board", "(1.5", "+inf", withscores=True) == [(("c", 1), 2.0), ("ada", 3.0)]
        assert board.zrangebyscore("board", -math.inf, math.inf, 1, 2) == ["bob", ("c", 1)]
        assert board.zrangebyscore("board", "-inf", "+inf", start=3) == ["ada"]
        assert board.zrevrangebyscore("board", 3, 1.5) == ["ada", ("c", 1), "bob"]
        assert board.zrevrangebyscore("board", "(3", "-inf", num=1, withscores=True) == [(("c", 1), 2.0)]
        assert board.zrange("board", 0, 2, byscore=True, offset=1, num=5) == [("c", 1)]
        assert board.zcount("board", "-inf", "(2") == 2
        assert board.zcount("board", 2, 3) == 2

    def test_scores_and_ranks_are_returned(self, board: Cache) -> None:
        assert board.zscore("board", "bob") == 1.5
        assert board.zscore("board", "eve") is None
        assert board.zmscore("board", ["ada", "eve", ("c", 1)]) == [3.0, None, 2.0]
        assert board.zmscore("board", []) == []
        assert board.zrank("board", "dan") == 0
        assert board.zrevrank("board", "dan") == 3
        assert board.zrank("board", "eve") is None
        assert board.zrank("board", "bob", withscore=True) == (1, 1.5)
        assert board.zrevrank("board", "eve", withscore=True) is None

    def test_zadd_conditions_decide_which_scores_change(self, board: Cache) -> None:
        assert board.zadd("board", {"ada": 9, "eve": 5}, nx=True) == 1
        assert board.zadd("board", {"ada": 9, "fay": 5}, xx=True) == 0
        assert board.zadd("board", {"ada": 1, "bob": 9}, gt=True, ch=True) == 1
        assert board.zadd("board", {"ada": 8, "bob": 99}, lt=True, ch=True) == 1
        assert board.zmscore("board", ["ada", "bob", "eve", "fay"]) == [8, 9, 5, None]
        assert board.zadd("board", {"ada": 2}, incr=True) == 10
        assert board.zadd("board", {"ada": 2}, incr=True, nx=True) is None
        assert board.zadd("board", {}) == 0
        assert board.zadd("board", {}, incr=True) is None
        with pytest.raises(ServerError, match="XX and NX"):
            board.zadd("board", {"ada": 1}, nx=True, xx=True)

    def test_zincrby_returns_the_sum(self, board: Cache) -> None:
        assert board.zincrby("board", 2.5, "ada") == 5.5
        assert board.zincrby("board", -1, "eve") == -1.0
        assert board.zincrby("board", math.inf, "eve") == math.inf

    def test_scored_members_are_removed(self, board: Cache) -> None:
        assert board.zrem("board", "ada", "eve") == 1
        assert board.zrem("board") == 0
        assert board.zremrangebyscore("board", "-inf", "(1.5") == 1
        assert board.zremrangebyrank("board", -1, -1) == 1
        assert board.zrange("board", 0, -1) == ["bob"]
        assert board.zrem("board", "bob") == 1
        assert board.has_key("board") is False

    def test_zpopmin_and_zpopmax_return_the_extremes(self, board: Cache) -> None:
        assert board.zpopmin("board") == ("dan", -1.0)
        assert board.zpopmax("board", 2) == [("ada", 3.0), (("c", 1), 2.0)]
        assert board.zpopmax("board") == ("bob", 1.5)
        assert board.zpopmin("board") is None
        assert board.zpopmin("board", 2) == []

    def test_zscan_returns_the_members_of_every_page(self, cache: Cache) -> None:
        scores = {f"member{number}": float(number) for number in range(1000)}
        cache.zadd("board", scores)
        assert dict(cache.zscan("board", count=50)) == scores
        assert dict(cache.zscan_iter("board", count=50)) == scores
        assert dict(cache.zscan("board", match="member99?")) == {f"member{n}": float(n) for n in range(990, 1000)}
        cursor, page = cache.zscan_page("board", count=50)
        assert cursor
        assert 0 < len(page) < 1000
        assert cache.zscan("missing") == []

    def test_sorted_set_methods_take_a_version(self, cache: Cache) -> None:
        assert cache.zadd("board", {"a": 1, "b": 2, "c": 3, "d": 4}, version=2) == 4
        assert cache.zcard("board") == 0
        assert cache.zcard("board", version=2) == 4
        assert cache.zcount("board", 1, 2, version=2) == 2
        assert cache.zscore("board", "a", version=2) == 1
        assert cache.zmscore("board", ["a"], version=2) == [1]
        assert cache.zrank("board", "b", version=2) == 1
        assert cache.zrevrank("board", "b", version=2) == 2
        assert cache.zrange("board", 0, 0, version=2) == ["a"]
        assert cache.zrevrange("board", 0, 0, version=2) == ["d"]
        assert cache.zrangebyscore("board", 3, 4, version=2) == ["c", "d"]
        assert cache.zrevrangebyscore("board", 2, 1, version=2) == ["b", "a"]
        assert cache.zscan("board", "a", version=2) == [("a", 1.0)]
        assert cache.zincrby("board", 9, "a", version=2) == 10
        assert cache.zpopmax("board", version=2) == ("a", 10)
        assert cache.zpopmin("board", version=2) == ("b", 2)
        assert cache.zremrangebyscore("board", 3, 3, version=2) == 1
        assert cache.zremrangebyrank("board", 5, 5, version=2) == 0
        assert cache.zrem("board", "d", version=2) == 1

    def test_sorted_set_methods_raise_for_another_type(self, cache: Cache) -> None:
        cache.set("k", "text")
        with pytest.raises(WrongTypeError):
            cache.zadd("k", {"a": 1})
        with pytest.raises(WrongTypeError):
            cache.zrange("k", 0, -1)
