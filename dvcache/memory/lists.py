"""Lists in memory."""

from dvcache.error_replies import reply_error
from dvcache.memory.arguments import count, integer, syntax_error
from dvcache.memory.database import Database, command


@command
def lpush(db: Database, key: bytes, value: bytes, *more: bytes) -> object:
    """LPUSH key element …."""
    held = [*reversed((value, *more)), *db.held(key, list)]
    db.change(key, held)
    return len(held)


@command
def rpush(db: Database, key: bytes, value: bytes, *more: bytes) -> object:
    """RPUSH key element …."""
    held = db.held(key, list)
    held += (value, *more)
    db.change(key, held)
    return len(held)


@command
def lpop(db: Database, key: bytes, number: bytes = b"") -> object:
    """LPOP key [count]."""
    return _pop(db, key, number, 0)


@command
def rpop(db: Database, key: bytes, number: bytes = b"") -> object:
    """RPOP key [count]."""
    return _pop(db, key, number, -1)


def _pop(db: Database, key: bytes, number: bytes, place: int) -> object:
    wanted = count(number) if number else 1
    held = db.held(key, list)
    if not held:
        return None
    taken = [held.pop(place) for _ in range(min(len(held), wanted))]
    db.keep(key, held)
    return taken if number else taken[0]


@command
def llen(db: Database, key: bytes) -> object:
    """LLEN key."""
    return len(db.held(key, list))


def between(start: int, end: int, length: int) -> slice:
    """Return the slice from one index to another, inclusive; negative ones count from the end."""
    first = max(0, start + length if start < 0 else start)
    last = end + length if end < 0 else end
    return slice(first, max(first, last + 1))


@command
def lrange(db: Database, key: bytes, start: bytes, end: bytes) -> object:
    """LRANGE key start stop."""
    first, last = integer(start), integer(end)
    held = db.held(key, list)
    return held[between(first, last, len(held))]


@command
def ltrim(db: Database, key: bytes, start: bytes, end: bytes) -> object:
    """LTRIM key start stop."""
    first, last = integer(start), integer(end)
    held = db.held(key, list)
    db.keep(key, held[between(first, last, len(held))])
    return b"OK"


@command
def lindex(db: Database, key: bytes, index: bytes) -> object:
    """LINDEX key index."""
    held = db.held(key, list)
    place = integer(index) if held else 0
    return held[place] if -len(held) <= place < len(held) else None


@command
def lset(db: Database, key: bytes, index: bytes, value: bytes) -> object:
    """LSET key index element."""
    held = db.held(key, list)
    if not held:
        raise reply_error("ERR no such key")
    place = integer(index)
    if not -len(held) <= place < len(held):
        raise reply_error("ERR index out of range")
    held[place] = value
    return b"OK"


@command
def lrem(db: Database, key: bytes, number: bytes, value: bytes) -> object:
    """LREM key count element."""
    wanted = integer(number)
    held = db.held(key, list)
    places = [place for place, each in enumerate(held) if each == value]
    if wanted:
        places = places[:wanted] if wanted > 0 else places[wanted:]
    db.keep(key, [each for place, each in enumerate(held) if place not in set(places)])
    return len(places)


@command
def linsert(db: Database, key: bytes, where: bytes, pivot: bytes, value: bytes) -> object:
    """LINSERT key BEFORE | AFTER pivot element."""
    if where.upper() not in {b"BEFORE", b"AFTER"}:
        raise syntax_error()
    held = db.held(key, list)
    if pivot not in held:
        return -1 if held else 0
    held.insert(held.index(pivot) + (where.upper() == b"AFTER"), value)
    return len(held)


@command
def lpos(db: Database, key: bytes, value: bytes) -> object:
    """LPOS key element."""
    held = db.held(key, list)
    return held.index(value) if value in held else None


@command
def lmove(db: Database, source: bytes, destination: bytes, leaves: bytes, arrives: bytes) -> object:
    """LMOVE source destination LEFT | RIGHT LEFT | RIGHT."""
    if not {leaves.upper(), arrives.upper()} <= {b"LEFT", b"RIGHT"}:
        raise syntax_error()
    held = db.held(source, list)
    if not held:
        return None
    other = held if source == destination else db.held(destination, list)
    value = held.pop(0 if leaves.upper() == b"LEFT" else -1)
    other.insert(0 if arrives.upper() == b"LEFT" else len(other), value)
    db.keep(source, held)
    db.keep(destination, other)
    return value
