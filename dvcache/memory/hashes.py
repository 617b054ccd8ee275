"""Hashes in memory. The commands for the expiry of single fields are in `fields`."""

from collections.abc import Callable, Sequence
from typing import Final, Self

from dvcache.errors import ServerError, reply_error
from dvcache.memory.arguments import LARGEST, SMALLEST, integer, long_double, long_double_text
from dvcache.memory.database import Commands, Database, Entrypoint, Handler, wrong_arity
from dvcache.memory.scan import position, walk


class Hash(dict[bytes, bytes]):
    """Fields and values. `ends` maps a field that expires to its Unix time in milliseconds."""

    kind: Final = b"hash"

    def __init__(self) -> None:
        self.ends: dict[bytes, int] = {}

    def __copy__(self) -> Self:
        other = type(self)()
        other.update(self)
        other.ends.update(self.ends)
        return other

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


def hash_at(db: Database, key: bytes) -> Hash:
    """Remove the expired fields of a hash and return it for changes in place; an empty one if there is none."""
    held = db.value(key, Hash)
    if held is None:
        return Hash()
    now = db.now()
    for field in [field for field, end in held.ends.items() if end <= now]:
        held.remove(field)
    db.keep(key, held)
    return held


def hset(db: Database, args: Sequence[bytes]) -> object:
    """HSET key field value [field value …]."""
    key, *pairs = args
    if len(pairs) % 2:
        raise wrong_arity("hset")
    held = hash_at(db, key)
    before = len(held)
    for field, value in zip(pairs[::2], pairs[1::2], strict=True):
        held.put(field, value)
    db.keep(key, held)
    return len(held) - before


def hsetnx(db: Database, args: Sequence[bytes]) -> object:
    """HSETNX key field value."""
    key, field, value = args
    held = hash_at(db, key)
    if field in held:
        return 0
    held.put(field, value)
    db.keep(key, held)
    return 1


def hget(db: Database, args: Sequence[bytes]) -> object:
    """HGET key field."""
    key, field = args
    return hash_at(db, key).get(field)


def hmget(db: Database, args: Sequence[bytes]) -> object:
    """HMGET key field …."""
    key, *fields = args
    held = hash_at(db, key)
    return [held.get(field) for field in fields]


def hdel(db: Database, args: Sequence[bytes]) -> object:
    """HDEL key field …."""
    key, *fields = args
    held = hash_at(db, key)
    removed = sum(held.remove(field) for field in fields)
    db.keep(key, held)
    return removed


def hexists(db: Database, args: Sequence[bytes]) -> object:
    """HEXISTS key field."""
    key, field = args
    return int(field in hash_at(db, key))


def _of_all(read: Callable[[Hash], object]) -> Handler:
    def handler(db: Database, args: Sequence[bytes]) -> object:
        return read(hash_at(db, args[0]))

    return handler


def _pairs(held: Hash) -> list[bytes]:
    return [part for pair in held.items() for part in pair]


def hincrby(db: Database, args: Sequence[bytes]) -> object:
    """HINCRBY key field increment."""
    key, field, increment = args
    delta = integer(increment)
    held = hash_at(db, key)
    try:
        total = integer(held.get(field, b"0")) + delta
    except ServerError as error:
        raise reply_error("ERR hash value is not an integer") from error
    if not SMALLEST <= total <= LARGEST:
        raise reply_error("ERR increment or decrement would overflow")
    held[field] = b"%d" % total
    db.keep(key, held)
    return total


def hincrbyfloat(db: Database, args: Sequence[bytes]) -> object:
    """HINCRBYFLOAT key field increment."""
    key, field, increment = args
    delta = long_double(increment)
    if delta is None:
        raise reply_error("ERR value is NaN or Infinity")
    held = hash_at(db, key)
    try:
        base = long_double(held.get(field, b"0"))
    except ServerError as error:
        raise reply_error("ERR hash value is not a float") from error
    if base is None:
        raise reply_error("ERR increment would produce NaN or Infinity")
    held[field] = long_double_text(base + delta)
    db.keep(key, held)
    return held[field]


def hscan(db: Database, args: Sequence[bytes]) -> object:
    """HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]."""
    key, cursor, *options = args
    start = position(cursor)
    held = hash_at(db, key)
    if not held:
        return [b"0", []]
    bare = [option for option in options if option.upper() == b"NOVALUES"]
    on, fields = walk(held, start, [option for option in options if option not in bare])
    return [on, fields if bare else [part for field in fields for part in (field, held[field])]]


COMMANDS: Final[Commands] = {
    b"HSET": Entrypoint(hset, -4),
    b"HSETNX": Entrypoint(hsetnx, 4),
    b"HGET": Entrypoint(hget, 3),
    b"HMGET": Entrypoint(hmget, -3),
    b"HDEL": Entrypoint(hdel, -3),
    b"HEXISTS": Entrypoint(hexists, 3),
    b"HLEN": Entrypoint(_of_all(len), 2),
    b"HKEYS": Entrypoint(_of_all(list), 2),
    b"HVALS": Entrypoint(_of_all(lambda held: [*held.values()]), 2),
    b"HGETALL": Entrypoint(_of_all(_pairs), 2),
    b"HINCRBY": Entrypoint(hincrby, 4),
    b"HINCRBYFLOAT": Entrypoint(hincrbyfloat, 4),
    b"HSCAN": Entrypoint(hscan, -3),
}
