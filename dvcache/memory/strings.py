"""Strings in memory: GET, SET and related commands."""

from dvcache.error_replies import reply_error
from dvcache.memory.arguments import CONDITIONS, TIMES, end_of, integer, options, sum_of, syntax_error
from dvcache.memory.database import Database, command, wrong_arity


@command
def get(db: Database, key: bytes) -> object:
    """GET key."""
    return db.value(key, bytes)


@command
def set_(db: Database, key: bytes, value: bytes, *rest: bytes) -> object:
    """SET key value [NX | XX | IFEQ value] [GET] [EX | PX | EXAT | PXAT time | KEEPTTL]."""
    given = options(rest, TIMES | CONDITIONS | {b"GET", b"KEEPTTL"})
    expires = end_of(db, given, "set")
    old = db.value(key, bytes) if given.keys() & {b"GET", b"IFEQ"} else None
    entry = db.find(key)
    refused = (
        (b"NX" in given and entry is not None)
        or (b"XX" in given and entry is None)
        or (b"IFEQ" in given and old != given[b"IFEQ"])
    )
    if not refused:
        db.put(key, value, entry.expires if entry is not None and b"KEEPTTL" in given else expires)
    if b"GET" in given:
        return old
    return None if refused else b"OK"


@command
def getdel(db: Database, key: bytes) -> object:
    """GETDEL key."""
    value = db.value(key, bytes)
    db.drop(key)
    return value


@command
def mget(db: Database, key: bytes, *more: bytes) -> object:
    """MGET key …: None for missing entries and those that are no strings."""
    entries = (db.find(each) for each in (key, *more))
    return [entry.value if entry is not None and isinstance(entry.value, bytes) else None for entry in entries]


@command
def mset(db: Database, key: bytes, value: bytes, *more: bytes) -> object:
    """MSET key value [key value …]."""
    if len(more) % 2:
        raise wrong_arity("mset")
    for each, written in zip((key, *more[::2]), (value, *more[1::2]), strict=True):
        db.put(each, written)
    return b"OK"


@command
def msetex(db: Database, number: bytes, *rest: bytes) -> object:
    """MSETEX numkeys key value [key value …] [EX | PX | EXAT | PXAT time]."""
    error = "ERR invalid numkeys value or out of range"
    places = 2 * integer(number, error)
    if places <= 0:
        raise reply_error(error)
    fields = rest[:places]
    if len(fields) < places:
        raise syntax_error()
    expires = end_of(db, options(rest[places:], TIMES), "msetex")
    for key, value in zip(fields[::2], fields[1::2], strict=True):
        db.put(key, value, expires)
    return 1


@command
def incrby(db: Database, key: bytes, delta: bytes) -> object:
    """INCRBY key delta."""
    total = sum_of(db.value(key, bytes) or b"0", delta)
    db.change(key, b"%d" % total)
    return total
