"""Ranges of sorted sets: zrange, zrevrange, zrangebyscore, zrevrangebyscore.

All rest on ZRANGE (https://valkey.io/commands/zrange/). Signatures are those of django-redis 7.
"""

# ruff: noqa: D417  # the context is not the caller's to pass
# ruff: noqa: A002  # min and max are the names that django-redis and valkey-py have

from collections.abc import Callable
from typing import Any

from dvcache.operations.context import Context
from dvcache.operations.members import decoded, scored
from dvcache.operations.sorted_sets import Bound
from dvcache.quantities import argument
from dvcache.types import Arg, Key, Op


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
    """Return the members from one rank to another, by score; with `withscores`, tuples of member and score.

    Members that cannot be decoded are left out.

    Args:
        key: the entry's name, without prefix and version.
        start: the first one's rank; negative ones count from the end.
        end: the last one's rank, which is included.
        desc: count from the greatest score down.
        withscores: return the scores too.
        score_cast_func: what to make of a score.
        version: the version to look in; the alias's own where None.
        byscore: `start` and `end` are scores, the greater one first with `desc`; ends as for `zrangebyscore`.
        offset: how many members in the range of scores to pass over.
        num: how many members in the range of scores to return after those; all of them where None.
    """
    by = ("BYSCORE",) if byscore else ()
    rev = ("REV",) if desc else ()
    limit: tuple[Arg, ...] = ()
    if offset is not None or num is not None:
        limit = ("LIMIT", argument(offset) or 0, -1 if num is None else argument(num))
    scores = ("WITHSCORES",) if withscores else ()
    [found] = yield (("ZRANGE", cx.keys.key(key, version), argument(start), argument(end), *by, *rev, *limit, *scores),)
    return scored(cx, found, score_cast_func) if withscores else decoded(cx, found)


def zrevrange(  # noqa: PLR0917  # the order of django-redis
    cx: Context,
    key: Key,
    start: int,
    end: int,
    withscores: bool = False,
    score_cast_func: Callable[[float], Any] = float,
    version: int | None = None,
) -> Op[list[Any]]:
    """Return the members from one rank to another from the greatest score down. Arguments as for `zrange`."""
    return zrange(cx, key, start, end, True, withscores, score_cast_func, version)


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
    """Return the members whose scores are in a range, by score; with `withscores`, tuples of member and score.

    Args:
        key: the entry's name, without prefix and version.
        min: the least score, `"-inf"` for none; `"(5"` leaves 5 itself out.
        max: the greatest score, `"+inf"` for none.
        start: how many members in the range to pass over.
        num: how many members to return after those; all of them where None.
        withscores: return the scores too.
        score_cast_func: what to make of a score.
        version: the version to look in; the alias's own where None.
    """
    cast = score_cast_func
    return zrange(cx, key, min, max, False, withscores, cast, version, byscore=True, offset=start, num=num)


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
    """Return the members whose scores are in a range from the greatest down. Arguments as for `zrangebyscore`."""
    cast = score_cast_func
    return zrange(cx, key, max, min, True, withscores, cast, version, byscore=True, offset=start, num=num)
