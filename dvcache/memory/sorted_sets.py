"""Sorted sets in memory, sorted at each read. The text of a score may differ from the server's."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from dvcache.errors import ServerError, reply_error
from dvcache.memory.arguments import count, integer, long_double, syntax_error
from dvcache.memory.database import Commands, Database, Entrypoint, Handler
from dvcache.memory.lists import between
from dvcache.memory.scan import position, walk

Scored: TypeAlias = tuple[bytes, float]


class SortedSet(dict[bytes, float]):
    """Members and scores."""

    kind: Final = b"zset"

    def ordered(self, *, down: bool = False) -> list[Scored]:
        """Return the members with their scores, sorted by score, then by their bytes."""
        return sorted(self.items(), key=lambda scored: scored[::-1], reverse=down)


def _held(db: Database, key: bytes) -> SortedSet:
    """Return a sorted set for changes in place; an empty one if there is none."""
    held = db.value(key, SortedSet)
    return SortedSet() if held is None else held


def _score(data: bytes, message: str = "value is not a valid float") -> float:
    try:
        number = long_double(data)
    except ServerError as error:
        raise reply_error(f"ERR {message}") from error
    if number is not None:
        return float(number)
    return -math.inf if data.startswith(b"-") else math.inf


def _text(score: float) -> bytes:
    return b"%d" % score if score.is_integer() and abs(score) < 10**15 else repr(score).encode()


def _flat(found: Sequence[Scored], *, scores: bool = True) -> list[bytes]:
    return [part for member, score in found for part in ((member, _text(score)) if scores else (member,))]


_FLAGS: Final = frozenset({b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"})


def zadd(db: Database, args: Sequence[bytes]) -> object:
    """ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member …]."""
    key, *rest = args
    flags: set[bytes] = set()
    while rest and rest[0].upper() in _FLAGS:
        flags.add(rest.pop(0).upper())
    if len(rest) % 2 or not rest:
        raise syntax_error()
    _check(flags, len(rest) // 2)
    pairs = [(_score(score), member) for score, member in zip(rest[::2], rest[1::2], strict=True)]
    held = _held(db, key)
    before = len(held)
    changes = [_scored(held, member, score, flags) for score, member in pairs]
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


def zincrby(db: Database, args: Sequence[bytes]) -> object:
    """ZINCRBY key increment member."""
    key, amount, member = args
    number = _score(amount)
    held = _held(db, key)
    held[member] = _sum(held.get(member, 0.0), number)
    db.keep(key, held)
    return _text(held[member])


def zrem(db: Database, args: Sequence[bytes]) -> object:
    """ZREM key member …."""
    key, *members = args
    held = _held(db, key)
    return _without(db, key, held, {*members} & held.keys())


def _without(db: Database, key: bytes, held: SortedSet, members: set[bytes]) -> int:
    for member in members:
        del held[member]
    db.keep(key, held)
    return len(members)


def zcard(db: Database, args: Sequence[bytes]) -> object:
    """ZCARD key."""
    return len(_held(db, args[0]))


def zscore(db: Database, args: Sequence[bytes]) -> object:
    """ZSCORE key member."""
    key, member = args
    score = _held(db, key).get(member)
    return None if score is None else _text(score)


def zmscore(db: Database, args: Sequence[bytes]) -> object:
    """ZMSCORE key member …."""
    key, *members = args
    held = _held(db, key)
    return [_text(held[member]) if member in held else None for member in members]


def _rank(*, down: bool) -> Handler:
    def rank(db: Database, args: Sequence[bytes]) -> object:
        key, member, *rest = args
        if rest and [option.upper() for option in rest] != [b"WITHSCORE"]:
            raise syntax_error()
        held = _held(db, key)
        if member not in held:
            return None
        place = held.ordered(down=down).index((member, held[member]))
        return [place, _text(held[member])] if rest else place

    return rank


def _pop(*, down: bool) -> Handler:
    def pop(db: Database, args: Sequence[bytes]) -> object:
        key, *rest = args
        if len(rest) > 1:
            raise syntax_error()
        wanted = count(rest[0]) if rest else 1
        held = _held(db, key)
        taken = held.ordered(down=down)[:wanted]
        _without(db, key, held, {member for member, _ in taken})
        return _flat(taken)

    return pop


def _end(data: bytes) -> tuple[float, bool]:
    """Parse a bound of a range; return it, and True if it is exclusive. Empty counts as 0, as for C's `strtod`."""
    return _score(data.removeprefix(b"(") or b"0", "min or max is not a float"), data.startswith(b"(")


Within: TypeAlias = Callable[[float], bool]


def _within(least: bytes, greatest: bytes) -> Within:
    """Return a predicate for scores in a range. A parenthesis before a bound makes it exclusive."""
    (low, low_out), (high, high_out) = _end(least), _end(greatest)

    def within(score: float) -> bool:
        return (low < score or (score == low and not low_out)) and (score < high or (score == high and not high_out))

    return within


def zcount(db: Database, args: Sequence[bytes]) -> object:
    """ZCOUNT key min max."""
    key, *ends = args
    within = _within(*ends)
    return sum(map(within, _held(db, key).values()))


def zremrangebyscore(db: Database, args: Sequence[bytes]) -> object:
    """ZREMRANGEBYSCORE key min max."""
    key, *ends = args
    within = _within(*ends)
    held = _held(db, key)
    return _without(db, key, held, {member for member, score in held.items() if within(score)})


def zremrangebyrank(db: Database, args: Sequence[bytes]) -> object:
    """ZREMRANGEBYRANK key start stop."""
    key, start, end = args
    first, last = integer(start), integer(end)
    held = _held(db, key)
    return _without(db, key, held, {member for member, _ in held.ordered()[between(first, last, len(held))]})


@dataclass(slots=True)
class _Range:
    """The options of ZRANGE."""

    by_score: bool = False
    down: bool = False
    scores: bool = False
    limit: tuple[int, int] | None = None


def zrange(db: Database, args: Sequence[bytes]) -> object:
    """ZRANGE key start stop [BYSCORE] [REV] [LIMIT offset count] [WITHSCORES]; not BYLEX."""
    key, start, end, *rest = args
    wanted = _wanted(iter(rest))
    if wanted.limit is not None and not wanted.by_score:
        message = "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
        raise reply_error(f"ERR {message}")
    if not wanted.by_score:
        first, last = integer(start), integer(end)
        found = _held(db, key).ordered(down=wanted.down)
        return _flat(found[between(first, last, len(found))], scores=wanted.scores)
    within = _within(end, start) if wanted.down else _within(start, end)
    offset, number = wanted.limit or (0, -1)
    found = [scored for scored in _held(db, key).ordered(down=wanted.down) if within(scored[1])]
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


def zscan(db: Database, args: Sequence[bytes]) -> object:
    """ZSCAN key cursor [MATCH pattern] [COUNT count]."""
    key, cursor, *options = args
    start = position(cursor)
    held = _held(db, key)
    if not held:
        return [b"0", []]
    on, members = walk(held, start, options)
    return [on, _flat([(member, held[member]) for member in members])]


COMMANDS: Final[Commands] = {
    b"ZADD": Entrypoint(zadd, -4),
    b"ZINCRBY": Entrypoint(zincrby, 4),
    b"ZREM": Entrypoint(zrem, -3),
    b"ZCARD": Entrypoint(zcard, 2),
    b"ZSCORE": Entrypoint(zscore, 3),
    b"ZMSCORE": Entrypoint(zmscore, -3),
    b"ZRANK": Entrypoint(_rank(down=False), -3),
    b"ZREVRANK": Entrypoint(_rank(down=True), -3),
    b"ZPOPMIN": Entrypoint(_pop(down=False), -2),
    b"ZPOPMAX": Entrypoint(_pop(down=True), -2),
    b"ZCOUNT": Entrypoint(zcount, 4),
    b"ZREMRANGEBYSCORE": Entrypoint(zremrangebyscore, 4),
    b"ZREMRANGEBYRANK": Entrypoint(zremrangebyrank, 4),
    b"ZRANGE": Entrypoint(zrange, -4),
    b"ZSCAN": Entrypoint(zscan, -3),
}
