"""Sorted sets: zadd, zincrby, zpopmin and the others. Entries of their own kind, which `get` does not read.

Rests on the commands of the same names (https://valkey.io/commands/#sorted-set); what returns a range is in `ranges`.
Signatures are those of django-redis 7. The server compares the stored bytes of members, and orders those of equal
scores by them.
"""

# ruff: noqa: D417  # the context is not the caller's to pass
# ruff: noqa: A002  # min and max are the names that django-redis and valkey-py have

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, overload

from dvcache.operations.context import Context
from dvcache.operations.members import matching, scored, stored
from dvcache.quantities import argument
from dvcache.types import Fresh, Key, Op, Pages

Bound: TypeAlias = float | str
"""An end of a range of scores: a number, `"-inf"`, `"+inf"`, or with a parenthesis before it one that is left out."""

Scored: TypeAlias = tuple[object, float]
"""A member and its score."""


def zadd(  # noqa: PLR0917  # the order of django-redis
    cx: Context,
    key: Key,
    mapping: Mapping[Any, float],
    nx: bool = False,
    xx: bool = False,
    ch: bool = False,
    incr: bool = False,
    gt: bool = False,
    lt: bool = False,
    version: int | None = None,
) -> Op[int | float | None]:
    """Give members their scores and return how many were new.

    Args:
        key: the entry's name, without prefix and version. A sorted set is made where there is none.
        mapping: the scores by their members; where it is empty, nothing is done.
        nx: only members that are not there.
        xx: only members that are there.
        ch: return how many were new or have another score now.
        incr: add to the score of the one member, and return the sum, or None where a condition left it as it was.
        gt: of members that are there, only those whose score is less.
        lt: of members that are there, only those whose score is greater.
        version: the version to write to; the alias's own where None.

    Raises:
        SerializationError: a member cannot be stored; nothing was sent.
        TypeError: the scores are in no mapping.
        ServerError: the options exclude each other, or a score is no number.
        WrongTypeError: the entry is no sorted set.
    """
    if not mapping:
        return None if incr else 0
    if not isinstance(mapping, Mapping):
        raise TypeError(f"zadd takes a mapping of members to their scores, not {type(mapping).__name__}")
    given = {"NX": nx, "XX": xx, "GT": gt, "LT": lt, "CH": ch, "INCR": incr}
    options = [name for name, wanted in given.items() if wanted]
    scores = [part for member, score in mapping.items() for part in (argument(score), stored(cx, member))]
    [reply] = yield (("ZADD", cx.keys.key(key, version), *options, *scores),)
    if incr:
        return None if reply is None else float(reply)
    return int(reply)


def zincrby(cx: Context, key: Key, amount: float, value: object, version: int | None = None) -> Op[float]:
    """Add to a member's score, atomically, and return the sum. A member that is not there has 0."""
    [score] = yield (("ZINCRBY", cx.keys.key(key, version), argument(amount), stored(cx, value)),)
    return float(score)


def zrem(cx: Context, key: Key, *values: object, version: int | None = None) -> Op[int]:
    """Remove members and return how many there were."""
    if not values:
        return 0
    [removed] = yield (("ZREM", cx.keys.key(key, version), *(stored(cx, value) for value in values)),)
    return int(removed)


def zremrangebyscore(cx: Context, key: Key, min: Bound, max: Bound, version: int | None = None) -> Op[int]:
    """Remove the members whose scores are in a range and return how many there were. Ends as for `zrangebyscore`."""
    [removed] = yield (("ZREMRANGEBYSCORE", cx.keys.key(key, version), argument(min), argument(max)),)
    return int(removed)


def zremrangebyrank(cx: Context, key: Key, start: int, end: int, version: int | None = None) -> Op[int]:
    """Remove the members from one rank to another, as `zrange` returns them, and return how many there were."""
    [removed] = yield (("ZREMRANGEBYRANK", cx.keys.key(key, version), argument(start), argument(end)),)
    return int(removed)


def zcard(cx: Context, key: Key, version: int | None = None) -> Op[int]:
    """Return how many members a sorted set has: 0 where there is none."""
    [count] = yield (("ZCARD", cx.keys.key(key, version)),)
    return int(count)


def zcount(cx: Context, key: Key, min: Bound, max: Bound, version: int | None = None) -> Op[int]:
    """Return how many members have scores in a range. Ends as for `zrangebyscore`."""
    [count] = yield (("ZCOUNT", cx.keys.key(key, version), argument(min), argument(max)),)
    return int(count)


def zscore(cx: Context, key: Key, value: object, version: int | None = None) -> Op[float | None]:
    """Return the score of a member, None where there is none."""
    [score] = yield (("ZSCORE", cx.keys.key(key, version), stored(cx, value)),)
    return None if score is None else float(score)


def zmscore(cx: Context, key: Key, values: Iterable[object], version: int | None = None) -> Op[list[float | None]]:
    """Return the scores of members, in their order, with None for those that are not there."""
    members = [stored(cx, value) for value in values]
    if not members:
        return []
    [scores] = yield (("ZMSCORE", cx.keys.key(key, version), *members),)
    return [None if score is None else float(score) for score in scores]


def zrank(
    cx: Context, key: Key, value: object, withscore: bool = False, version: int | None = None
) -> Op[int | tuple[int, float] | None]:
    """Return how many members come before one, by score, or None where it is none; with `withscore`, its score too.

    `withscore` asks for the rank and the score in one round trip, of ZRANK and ZSCORE.
    """
    return _ranked(cx, "ZRANK", key, value, withscore, version)


def zrevrank(
    cx: Context, key: Key, value: object, withscore: bool = False, version: int | None = None
) -> Op[int | tuple[int, float] | None]:
    """Return how many members come after one, by score, as `zrank`."""
    return _ranked(cx, "ZREVRANK", key, value, withscore, version)


def _ranked(  # noqa: PLR0917  # as its callers
    cx: Context, command: str, key: Key, value: object, withscore: bool, version: int | None
) -> Op[int | tuple[int, float] | None]:
    name, member = cx.keys.key(key, version), stored(cx, value)
    if not withscore:
        [rank] = yield ((command, name, member),)
        return None if rank is None else int(rank)
    [rank, score] = yield ((command, name, member), ("ZSCORE", name, member))
    return None if rank is None or score is None else (int(rank), float(score))


@overload
def zpopmin(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[Scored | None]: ...
@overload
def zpopmin(cx: Context, key: Key, count: int, version: int | None = None) -> Op[list[Scored]]: ...
def zpopmin(
    cx: Context, key: Key, count: int | None = None, version: int | None = None
) -> Op[Scored | list[Scored] | None]:
    """Remove the member of the least score and return it with its score, None where there is none.

    Args:
        key: the entry's name, without prefix and version.
        count: how many at most; they are returned in a list, the least first.
        version: the version to take from; the alias's own where None.
    """
    return _popped(cx, "ZPOPMIN", key, count, version)


@overload
def zpopmax(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[Scored | None]: ...
@overload
def zpopmax(cx: Context, key: Key, count: int, version: int | None = None) -> Op[list[Scored]]: ...
def zpopmax(
    cx: Context, key: Key, count: int | None = None, version: int | None = None
) -> Op[Scored | list[Scored] | None]:
    """Remove the member of the greatest score, as `zpopmin`; with `count`, a list, the greatest first."""
    return _popped(cx, "ZPOPMAX", key, count, version)


def _popped(
    cx: Context, command: str, key: Key, count: int | None, version: int | None
) -> Op[Scored | list[Scored] | None]:
    limit = () if count is None else (argument(count),)
    [found] = yield ((command, cx.keys.key(key, version), *limit),)
    members = scored(cx, found, float)
    if count is not None:
        return members
    return members[0] if members else None


def zscan_page(  # noqa: PLR0917  # the order of ZSCAN's own arguments
    cx: Context,
    key: Key,
    cursor: int = 0,
    match: str | None = None,
    count: int | None = None,
    version: int | None = None,
) -> Op[tuple[int, list[Scored]]]:
    """Look at a part of a sorted set: return where to go on, 0 at the end, and members that match, with scores.

    Arguments are those of `sscan_page`. A member may come more than once, on several pages.
    """
    # A cursor means nothing to another server: every page is the primary's.
    [[cursor, found]] = yield Fresh(
        (("ZSCAN", cx.keys.key(key, version), cursor, "COUNT", argument(count) or cx.scan_count),)
    )
    passes = matching(match)
    return int(cursor), [scored for scored in scored(cx, found, float) if passes(scored[0])]


def zscan_iter(
    cx: Context, key: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Pages[Scored]:
    """Yield the members of a sorted set that match, with their scores, page by page, in no order.

    Arguments are those of `sscan_page`. A member may come more than once.
    """
    return lambda cursor: zscan_page(cx, key, cursor, match, count, version)


def zscan(
    cx: Context, key: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Op[list[Scored]]:
    """Return the members of a sorted set that match, of all its pages, with their scores, in no order.

    Arguments are those of `sscan_page`.
    """
    cursor, found = yield from zscan_page(cx, key, 0, match, count, version)
    while cursor:
        cursor, more = yield from zscan_page(cx, key, cursor, match, count, version)
        found += more
    return found
