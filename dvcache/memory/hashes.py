"""Hashes in memory, and the expiry of their fields."""

from collections.abc import Sequence
from typing import Final

from dvcache.error_replies import reply_error
from dvcache.memory.arguments import (
    TIMES,
    deadline,
    decimal,
    decimal_sum,
    end_of,
    integer,
    invalid_expire,
    options,
    sum_of,
    syntax_error,
)
from dvcache.memory.database import Database, command, wrong_arity
from dvcache.memory.scan import position, walk

NO_FIELD: Final = -2
"""Reply for a missing field."""


class Hash(dict[bytes, bytes]):
    """Fields and values. `ends` maps a field that expires to its Unix time in milliseconds."""

    def __init__(self) -> None:
        self.ends: dict[bytes, int] = {}

    def put(self, field: bytes, value: bytes, end: int | None = None) -> None:
        """Write a field, with or without expiry."""
        self[field] = value
        self.ends.pop(field, None)
        if end is not None:
            self.ends[field] = end

    def remove(self, field: bytes) -> bool:
        """Remove a field; return True if there was one."""
        self.ends.pop(field, None)
        return self.pop(field, None) is not None


def _hash(db: Database, key: bytes) -> Hash:
    """Remove the expired fields of a hash and return it for changes in place; an empty one if there is none."""
    held = db.held(key, Hash)
    now = db.now()
    if gone := [field for field, end in held.ends.items() if end <= now]:
        for field in gone:
            held.remove(field)
        db.keep(key, held)
    return held


@command
def hset(db: Database, key: bytes, field: bytes, value: bytes, *more: bytes) -> object:
    """HSET key field value [field value …]."""
    if len(more) % 2:
        raise wrong_arity("hset")
    held = _hash(db, key)
    before = len(held)
    for each, written in zip((field, *more[::2]), (value, *more[1::2]), strict=True):
        held.put(each, written)
    db.keep(key, held)
    return len(held) - before


@command
def hsetnx(db: Database, key: bytes, field: bytes, value: bytes) -> object:
    """HSETNX key field value."""
    return 0 if field in _hash(db, key) else hset(db, key, field, value)


@command
def hget(db: Database, key: bytes, field: bytes) -> object:
    """HGET key field."""
    return _hash(db, key).get(field)


@command
def hmget(db: Database, key: bytes, field: bytes, *more: bytes) -> object:
    """HMGET key field …."""
    held = _hash(db, key)
    return [held.get(each) for each in (field, *more)]


@command
def hdel(db: Database, key: bytes, field: bytes, *more: bytes) -> object:
    """HDEL key field …."""
    held = _hash(db, key)
    removed = sum(held.remove(each) for each in (field, *more))
    db.keep(key, held)
    return removed


@command
def hexists(db: Database, key: bytes, field: bytes) -> object:
    """HEXISTS key field."""
    return int(field in _hash(db, key))


@command
def hlen(db: Database, key: bytes) -> object:
    """HLEN key."""
    return len(_hash(db, key))


@command
def hkeys(db: Database, key: bytes) -> object:
    """HKEYS key."""
    return [*_hash(db, key)]


@command
def hvals(db: Database, key: bytes) -> object:
    """HVALS key."""
    return [*_hash(db, key).values()]


@command
def hgetall(db: Database, key: bytes) -> object:
    """HGETALL key."""
    return [part for pair in _hash(db, key).items() for part in pair]


@command
def hincrby(db: Database, key: bytes, field: bytes, increment: bytes) -> object:
    """HINCRBY key field increment."""
    integer(increment)
    held = _hash(db, key)
    total = sum_of(held.get(field, b"0"), increment, "ERR hash value is not an integer")
    held[field] = b"%d" % total
    db.keep(key, held)
    return total


@command
def hincrbyfloat(db: Database, key: bytes, field: bytes, increment: bytes) -> object:
    """HINCRBYFLOAT key field increment."""
    delta = decimal(increment)
    if not delta.is_finite():
        raise reply_error("ERR value is NaN or Infinity")
    held = _hash(db, key)
    base = decimal(held.get(field, b"0"), "ERR hash value is not a float")
    if not base.is_finite():
        raise reply_error("ERR increment would produce NaN or Infinity")
    held[field] = decimal_sum(base, delta)
    db.keep(key, held)
    return held[field]


@command
def hscan(db: Database, key: bytes, cursor: bytes, *options: bytes) -> object:
    """HSCAN key cursor [MATCH pattern] [COUNT count]."""
    start = position(cursor)
    held = _hash(db, key)
    on, fields = walk(held, start, options)
    return [on, [part for field in fields for part in (field, held[field])]]


@command
def hsetex(db: Database, key: bytes, *args: bytes) -> object:
    """HSETEX key [EX | PX | EXAT | PXAT time] FIELDS numfields field value …."""
    given, pairs = _split(args, 2)
    end = end_of(db, options(given, TIMES), "hsetex")
    held = _hash(db, key)
    for field, value in zip(pairs[::2], pairs[1::2], strict=True):
        held.put(field, value, end)
    db.keep(key, held)
    _hash(db, key)
    return 1


@command
def hpexpire(db: Database, key: bytes, time: bytes, *args: bytes) -> object:
    """HPEXPIRE key milliseconds FIELDS numfields field …."""
    _, fields = _split(args)
    if (number := integer(time)) < 0:
        raise invalid_expire("hpexpire")
    end = deadline(db, number, b"PX", "hpexpire")
    held = _hash(db, key)
    found = [field for field in fields if field in held]
    held.ends.update(dict.fromkeys(found, end))
    return [1 if field in found else NO_FIELD for field in fields]


@command
def hpersist(db: Database, key: bytes, *args: bytes) -> object:
    """HPERSIST key FIELDS numfields field …."""
    _, fields = _split(args)
    held = _hash(db, key)
    return [NO_FIELD if field not in held else 1 if held.ends.pop(field, None) else -1 for field in fields]


@command
def hpttl(db: Database, key: bytes, *args: bytes) -> object:
    """HPTTL key FIELDS numfields field …."""
    _, fields = _split(args)
    held, now = _hash(db, key), db.now()
    return [NO_FIELD if field not in held else held.ends.get(field, now - 1) - now for field in fields]


def _split(args: Sequence[bytes], width: int = 1) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Split at FIELDS; return the arguments before it and those of the fields, `width` for each field."""
    names = [arg.upper() for arg in args[:-1]]
    if b"FIELDS" not in names:
        raise syntax_error()
    place = names.index(b"FIELDS")
    fields = args[place + 2 :]
    if len(fields) != integer(args[place + 1]) * width or not fields:
        raise reply_error("ERR numfields should be greater than 0 and match the provided number of fields")
    return args[:place], fields
