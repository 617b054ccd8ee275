"""Ranges of sorted sets: zrange, zrevrange, zrangebyscore, zrevrangebyscore.

All rest on ZRANGE (https://valkey.io/commands/zrange/). Signatures are those of django-redis 7.
"""

# ruff: noqa: A002  # min and max are named as in django-redis and valkey-py

from collections.abc import Callable
from typing import Any

from dvcache.context import Context
from dvcache.effects import Op
from dvcache.numeric_arguments import argument
from dvcache.operations.collection_values import decoded, scored
from dvcache.operations.sorted_sets import Bound
from dvcache.policies.empty_values import empty_value
from dvcache.types import Arg, Key


@empty_value([])
def zrange(  # noqa: PLR0917  # the order of django-redis
    cx: Context,
    key: Key,
    start: int | Bound,
    end: int | Bound,
    desc: bool = False,
    withscores: bool = False,
    score_cast_func: Callable[[float], Any] = float,
    version: int | None = None,
    *,
    byscore: bool = False,
    offset: int | None = None,
    num: int | None = None,
) -> Op[list[Any]]:
    """Return members by rank, in order of score; with `withscores`, tuples of member and score.

    Members that cannot be decoded are omitted.

    Args:
        key: the entry's name, without prefix and version.
        start: rank of the first member; negative counts from the end.
        end: rank of the last member, inclusive.
        desc: whether to count from the highest score down.
        withscores: whether to return the scores too.
        score_cast_func: converts each score.
        version: the key's version; the alias's own if None.
        byscore: whether `start` and `end` are scores, as in `zrangebyscore`; with `desc` the higher one first.
        offset: number of members in the score range to skip.
        num: maximum number of members in the score range to return; None for all.
    """
    by = ("BYSCORE",) if byscore else ()
    rev = ("REV",) if desc else ()
    limit: tuple[Arg, ...] = ()
    if offset is not None or num is not None:
        limit = ("LIMIT", argument(offset) or 0, -1 if num is None else argument(num))
    scores = ("WITHSCORES",) if withscores else ()
    [found] = yield (("ZRANGE", cx.keys.key(key, version), argument(start), argument(end), *by, *rev, *limit, *scores),)
    return scored(cx, found, score_cast_func) if withscores else decoded(cx, found)


@empty_value([])
def zrevrange(  # noqa: PLR0917  # the order of django-redis
    cx: Context,
    key: Key,
    start: int,
    end: int,
    withscores: bool = False,
    score_cast_func: Callable[[float], Any] = float,
    version: int | None = None,
) -> Op[list[Any]]:
    """Return members by rank from the highest score down. Arguments are those of `zrange`."""
    return zrange(cx, key, start, end, True, withscores, score_cast_func, version)


@empty_value([])
def zrangebyscore(  # noqa: PLR0917  # the order of django-redis
    cx: Context,
    key: Key,
    min: Bound,
    max: Bound,
    start: int | None = None,
    num: int | None = None,
    withscores: bool = False,
    score_cast_func: Callable[[float], Any] = float,
    version: int | None = None,
) -> Op[list[Any]]:
    """Return members with scores in a range, by score; with `withscores`, tuples of member and score.

    Args:
        key: the entry's name, without prefix and version.
        min: lowest score, `"-inf"` for no limit; `"(5"` excludes 5.
        max: highest score, `"+inf"` for no limit.
        start: number of members in the range to skip.
        num: maximum number of members to return; None for all.
        withscores: whether to return the scores too.
        score_cast_func: converts each score.
        version: the key's version; the alias's own if None.
    """
    cast = score_cast_func
    return zrange(cx, key, min, max, False, withscores, cast, version, byscore=True, offset=start, num=num)


@empty_value([])
def zrevrangebyscore(  # noqa: PLR0917  # the order of django-redis
    cx: Context,
    key: Key,
    max: Bound,
    min: Bound,
    start: int | None = None,
    num: int | None = None,
    withscores: bool = False,
    score_cast_func: Callable[[float], Any] = float,
    version: int | None = None,
) -> Op[list[Any]]:
    """Return members with scores in a range, highest first. Arguments are those of `zrangebyscore`."""
    cast = score_cast_func
    return zrange(cx, key, max, min, True, withscores, cast, version, byscore=True, offset=start, num=num)
