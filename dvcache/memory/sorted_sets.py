"""Sorted sets in memory, sorted at each read. The text of a score may differ from the server's."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from dvcache.error_replies import reply_error
from dvcache.memory.arguments import count, decimal, integer, syntax_error
from dvcache.memory.database import Database, command
from dvcache.memory.lists import between
from dvcache.memory.scan import position, walk

Scored: TypeAlias = tuple[bytes, float]


class SortedSet(dict[bytes, float]):
    """Members and scores."""

    def ordered(self, *, down: bool = False) -> list[Scored]:
        """Return the members with their scores, sorted by score, then by their bytes."""
        return sorted(self.items(), key=lambda scored: scored[::-1], reverse=down)


def _text(score: float) -> bytes:
    return b"%d" % score if score.is_integer() and abs(score) < 10**15 else repr(score).encode()


def _flat(found: Sequence[Scored], *, scores: bool = True) -> list[bytes]:
    return [part for member, score in found for part in ((member, _text(score)) if scores else (member,))]


_FLAGS: Final = frozenset({b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"})


@command
def zadd(db: Database, key: bytes, score: bytes, member: bytes, *more: bytes) -> object:
    """ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member …]."""
    rest = [score, member, *more]
    flags: set[bytes] = set()
    while rest and rest[0].upper() in _FLAGS:
        flags.add(rest.pop(0).upper())
    if len(rest) % 2 or not rest:
        raise syntax_error()
    _check(flags, len(rest) // 2)
    pairs = [(float(decimal(data)), each) for data, each in zip(rest[::2], rest[1::2], strict=True)]
    held = db.held(key, SortedSet)
    before = len(held)
    changes = [_scored(held, each, number, flags) for number, each in pairs]
    db.keep(key, held)
    if b"INCR" in flags:
        return None if changes[0] is None else _text(held[pairs[0][1]])
    return changes.count(True) if b"CH" in flags else len(held) - before


def _check(flags: set[bytes], pairs: int) -> None:
    if {b"NX", b"XX"} <= flags:
        raise reply_error("ERR XX and NX options at the same time are not compatible")
    if len(flags & {b"NX", b"GT", b"LT"}) > 1:
        raise reply_error("ERR GT, LT, and/or NX options at the same time are not compatible")
    if b"INCR" in flags and pairs > 1:
        raise reply_error("ERR INCR option supports a single increment-element pair")


def _scored(held: SortedSet, member: bytes, score: float, flags: set[bytes]) -> bool | None:
    """Set a member's score; return True if it is new or changed, None if the flags do not allow it."""
    old = held.get(member)
    if (b"NX" in flags and old is not None) or (b"XX" in flags and old is None):
        return None
    if b"INCR" in flags:
        score = _sum(old or 0.0, score)
    if old is not None and ((b"GT" in flags and score <= old) or (b"LT" in flags and score >= old)):
        return None
    held[member] = score
    return score != old


def _sum(old: float, amount: float) -> float:
    if math.isnan(total := old + amount):
        raise reply_error("ERR resulting score is not a number (NaN)")
    return total


@command
def zincrby(db: Database, key: bytes, amount: bytes, member: bytes) -> object:
    """ZINCRBY key increment member."""
    number = float(decimal(amount))
    held = db.held(key, SortedSet)
    held[member] = _sum(held.get(member, 0.0), number)
    db.keep(key, held)
    return _text(held[member])


@command
def zrem(db: Database, key: bytes, member: bytes, *more: bytes) -> object:
    """ZREM key member …."""
    held = db.held(key, SortedSet)
    return _without(db, key, held, {member, *more} & held.keys())


def _without(db: Database, key: bytes, held: SortedSet, members: Iterable[bytes]) -> int:
    before = len(held)
    for member in [*members]:
        del held[member]
    db.keep(key, held)
    return before - len(held)


@command
def zcard(db: Database, key: bytes) -> object:
    """ZCARD key."""
    return len(db.held(key, SortedSet))


@command
def zscore(db: Database, key: bytes, member: bytes) -> object:
    """ZSCORE key member."""
    score = db.held(key, SortedSet).get(member)
    return None if score is None else _text(score)


@command
def zmscore(db: Database, key: bytes, member: bytes, *more: bytes) -> object:
    """ZMSCORE key member …."""
    held = db.held(key, SortedSet)
    return [_text(held[each]) if each in held else None for each in (member, *more)]


@command
def zrank(db: Database, key: bytes, member: bytes) -> object:
    """ZRANK key member."""
    return _rank(db.held(key, SortedSet), member, down=False)


@command
def zrevrank(db: Database, key: bytes, member: bytes) -> object:
    """ZREVRANK key member."""
    return _rank(db.held(key, SortedSet), member, down=True)


def _rank(held: SortedSet, member: bytes, *, down: bool) -> int | None:
    return held.ordered(down=down).index((member, held[member])) if member in held else None


@command
def zpopmin(db: Database, key: bytes, number: bytes = b"1") -> object:
    """ZPOPMIN key [count]."""
    return _pop(db, key, number, down=False)


@command
def zpopmax(db: Database, key: bytes, number: bytes = b"1") -> object:
    """ZPOPMAX key [count]."""
    return _pop(db, key, number, down=True)


def _pop(db: Database, key: bytes, number: bytes, *, down: bool) -> list[bytes]:
    wanted = count(number)
    held = db.held(key, SortedSet)
    taken = held.ordered(down=down)[:wanted]
    _without(db, key, held, (member for member, _ in taken))
    return _flat(taken)


def _end(data: bytes) -> tuple[float, bool]:
    """Parse a bound of a range; return it, and True if it is exclusive. Empty counts as 0, as for C's `strtod`."""
    return float(decimal(data.removeprefix(b"(") or b"0", "ERR min or max is not a float")), data.startswith(b"(")


Within: TypeAlias = Callable[[float], bool]


def _within(least: bytes, greatest: bytes) -> Within:
    """Return a predicate for scores in a range. A parenthesis before a bound makes it exclusive."""
    (low, low_out), (high, high_out) = _end(least), _end(greatest)

    def within(score: float) -> bool:
        return (low < score or (score == low and not low_out)) and (score < high or (score == high and not high_out))

    return within


@command
def zcount(db: Database, key: bytes, least: bytes, greatest: bytes) -> object:
    """ZCOUNT key min max."""
    within = _within(least, greatest)
    return sum(map(within, db.held(key, SortedSet).values()))


@command
def zremrangebyscore(db: Database, key: bytes, least: bytes, greatest: bytes) -> object:
    """ZREMRANGEBYSCORE key min max."""
    within = _within(least, greatest)
    held = db.held(key, SortedSet)
    return _without(db, key, held, (member for member, score in held.items() if within(score)))


@command
def zremrangebyrank(db: Database, key: bytes, start: bytes, end: bytes) -> object:
    """ZREMRANGEBYRANK key start stop."""
    first, last = integer(start), integer(end)
    held = db.held(key, SortedSet)
    return _without(db, key, held, (member for member, _ in held.ordered()[between(first, last, len(held))]))


@dataclass(slots=True)
class _Range:
    """The options of ZRANGE."""

    by_score: bool = False
    down: bool = False
    scores: bool = False
    limit: tuple[int, int] | None = None


@command
def zrange(db: Database, key: bytes, start: bytes, end: bytes, *rest: bytes) -> object:
    """ZRANGE key start stop [BYSCORE] [REV] [LIMIT offset count] [WITHSCORES]; not BYLEX."""
    wanted = _wanted(iter(rest))
    if wanted.limit is not None and not wanted.by_score:
        message = "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
        raise reply_error(f"ERR {message}")
    if not wanted.by_score:
        first, last = integer(start), integer(end)
        found = db.held(key, SortedSet).ordered(down=wanted.down)
        return _flat(found[between(first, last, len(found))], scores=wanted.scores)
    within = _within(end, start) if wanted.down else _within(start, end)
    offset, number = wanted.limit or (0, -1)
    found = [scored for scored in db.held(key, SortedSet).ordered(down=wanted.down) if within(scored[1])]
    found = found[offset:] if offset >= 0 else []
    return _flat(found if number < 0 else found[:number], scores=wanted.scores)


def _wanted(rest: Iterator[bytes]) -> _Range:
    wanted = _Range()
    for arg in rest:
        option = arg.upper()
        if option == b"BYSCORE":
            wanted.by_score = True
        elif option == b"REV":
            wanted.down = True
        elif option == b"WITHSCORES":
            wanted.scores = True
        elif option == b"LIMIT" and (limit := next(zip(rest, rest, strict=False), None)):
            wanted.limit = integer(limit[0]), integer(limit[1])
        else:
            raise syntax_error()
    return wanted


@command
def zscan(db: Database, key: bytes, cursor: bytes, *options: bytes) -> object:
    """ZSCAN key cursor [MATCH pattern] [COUNT count]."""
    start = position(cursor)
    held = db.held(key, SortedSet)
    on, members = walk(held, start, options)
    return [on, _flat([(member, held[member]) for member in members])]
