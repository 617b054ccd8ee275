"""Sorted sets: zadd, zincrby, zpopmin and the others. `get` cannot read these entries.

Rests on the commands of the same names (https://valkey.io/commands/#sorted-set). The range queries are in
`sorted_set_ranges`. Signatures are those of django-redis 7. The server compares members by their stored bytes, which
also order members of equal score.
"""

# ruff: noqa: A002  # min and max are named as in django-redis and valkey-py

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, overload

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op, Pages
from dvcache.numeric_arguments import argument
from dvcache.operations.collection_values import all_pages, matching, scored, stored
from dvcache.policies.empty_values import empty_value
from dvcache.types import Key

Bound: TypeAlias = float | str
"""Bound of a score range: a number, `"-inf"` or `"+inf"`; a leading parenthesis excludes it."""

Scored: TypeAlias = tuple[object, float]
"""A member and its score."""


@empty_value(lambda incr: None if incr else 0)
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
    """Set the scores of members; return how many are new.

    Args:
        key: the entry's name, without prefix and version. The sorted set is created if needed.
        mapping: the scores by member; if empty, nothing is written.
        nx: whether to write only new members.
        xx: whether to write only existing members.
        ch: whether to return how many are new or have a new score.
        incr: whether to add to the score of a single member and return the sum, None if an option prevented it.
        gt: whether to update existing members only to a higher score.
        lt: whether to update existing members only to a lower score.
        version: the key's version; the alias's own if None.

    Raises:
        SerializationError: a member cannot be stored; nothing was sent.
        TypeError: `mapping` is not a mapping.
        ServerError: the options exclude each other, or a score is not a number.
        WrongTypeError: the entry is not a sorted set.
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


@empty_value(None)
def zincrby(cx: Context, key: Key, amount: float, value: object, version: int | None = None) -> Op[float]:
    """Add to a member's score, atomically, and return the sum. A missing member counts as 0."""
    [score] = yield (("ZINCRBY", cx.keys.key(key, version), argument(amount), stored(cx, value)),)
    return float(score)


@empty_value(0)
def zrem(cx: Context, key: Key, *values: object, version: int | None = None) -> Op[int]:
    """Remove members; return the number removed."""
    if not values:
        return 0
    [removed] = yield (("ZREM", cx.keys.key(key, version), *(stored(cx, value) for value in values)),)
    return int(removed)


@empty_value(0)
def zremrangebyscore(cx: Context, key: Key, min: Bound, max: Bound, version: int | None = None) -> Op[int]:
    """Remove the members with scores in a range; return the number removed. Bounds are those of `zrangebyscore`."""
    [removed] = yield (("ZREMRANGEBYSCORE", cx.keys.key(key, version), argument(min), argument(max)),)
    return int(removed)


@empty_value(0)
def zremrangebyrank(cx: Context, key: Key, start: int, end: int, version: int | None = None) -> Op[int]:
    """Remove the members with ranks in a range, as in `zrange`; return the number removed."""
    [removed] = yield (("ZREMRANGEBYRANK", cx.keys.key(key, version), argument(start), argument(end)),)
    return int(removed)


@empty_value(None)
def zcard(cx: Context, key: Key, version: int | None = None) -> Op[int]:
    """Return the number of members of a sorted set: 0 if it does not exist."""
    [count] = yield (("ZCARD", cx.keys.key(key, version)),)
    return int(count)


@empty_value(None)
def zcount(cx: Context, key: Key, min: Bound, max: Bound, version: int | None = None) -> Op[int]:
    """Return the number of members with scores in a range. Bounds are those of `zrangebyscore`."""
    [count] = yield (("ZCOUNT", cx.keys.key(key, version), argument(min), argument(max)),)
    return int(count)


@empty_value(None)
def zscore(cx: Context, key: Key, value: object, version: int | None = None) -> Op[float | None]:
    """Return a member's score, None if it does not exist."""
    [score] = yield (("ZSCORE", cx.keys.key(key, version), stored(cx, value)),)
    return None if score is None else float(score)


@empty_value(lambda values: [None for _ in values])
def zmscore(cx: Context, key: Key, values: Iterable[object], version: int | None = None) -> Op[list[float | None]]:
    """Return the scores of members, in order, with None for missing ones."""
    members = [stored(cx, value) for value in values]
    if not members:
        return []
    [scores] = yield (("ZMSCORE", cx.keys.key(key, version), *members),)
    return [None if score is None else float(score) for score in scores]


@empty_value(None)
def zrank(
    cx: Context, key: Key, value: object, withscore: bool = False, version: int | None = None
) -> Op[int | tuple[int, float] | None]:
    """Return a member's rank by ascending score, None if it does not exist; with `withscore`, `(rank, score)`.

    `withscore` sends ZRANK and ZSCORE in one round trip.
    """
    return _ranked(cx, "ZRANK", key, value, withscore, version)


@empty_value(None)
def zrevrank(
    cx: Context, key: Key, value: object, withscore: bool = False, version: int | None = None
) -> Op[int | tuple[int, float] | None]:
    """Return a member's rank by descending score, as `zrank`."""
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
@empty_value(lambda count: None if count is None else [])
def zpopmin(
    cx: Context, key: Key, count: int | None = None, version: int | None = None
) -> Op[Scored | list[Scored] | None]:
    """Remove and return the member of the lowest score, with its score, None if the sorted set is empty.

    Args:
        key: the entry's name, without prefix and version.
        count: maximum number of members, returned as a list, the lowest first.
        version: the key's version; the alias's own if None.
    """
    return _popped(cx, "ZPOPMIN", key, count, version)


@overload
def zpopmax(cx: Context, key: Key, count: None = None, version: int | None = None) -> Op[Scored | None]: ...
@overload
def zpopmax(cx: Context, key: Key, count: int, version: int | None = None) -> Op[list[Scored]]: ...
@empty_value(lambda count: None if count is None else [])
def zpopmax(
    cx: Context, key: Key, count: int | None = None, version: int | None = None
) -> Op[Scored | list[Scored] | None]:
    """Remove and return the member of the highest score, as `zpopmin`; with `count`, a list, the highest first."""
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


@empty_value((0, []))
def zscan_page(  # noqa: PLR0917  # the order of ZSCAN's own arguments
    cx: Context,
    key: Key,
    cursor: int = 0,
    match: str | None = None,
    count: int | None = None,
    version: int | None = None,
) -> Op[tuple[int, list[Scored]]]:
    """Return one page of a sorted set: the next cursor, 0 on the last page, and the matching members with scores.

    Arguments are those of `sscan_page`. A member may occur more than once, on different pages.
    """
    # A cursor is valid on one server only, so every page is read from the primary.
    [[cursor, found]] = yield OnPrimary(
        (("ZSCAN", cx.keys.key(key, version), cursor, "COUNT", argument(count) or cx.scan_count),)
    )
    passes = matching(match)
    return int(cursor), [scored for scored in scored(cx, found, float) if passes(scored[0])]


@empty_value((0, []))
def zscan_iter(
    cx: Context, key: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Pages[Scored]:
    """Iterate over the matching members of a sorted set with their scores, page by page, in no order.

    Arguments are those of `sscan_page`. A member may occur more than once.
    """
    return lambda cursor: zscan_page(cx, key, cursor, match, count, version)


@empty_value([])
def zscan(
    cx: Context, key: Key, match: str | None = None, count: int | None = None, version: int | None = None
) -> Op[list[Scored]]:
    """Return all matching members of a sorted set with their scores, in no order.

    Arguments are those of `sscan_page`.
    """
    return all_pages(zscan_iter(cx, key, match, count, version))
