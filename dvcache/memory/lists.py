"""Lists in memory."""

from collections.abc import Callable, Sequence
from typing import Final

from dvcache.errors import reply_error
from dvcache.memory.arguments import count, integer, syntax_error
from dvcache.memory.database import Commands, Database, Entrypoint, Handler, wrong_arity


def _list(db: Database, key: bytes) -> list[bytes]:
    """Return a list for changes in place; an empty one if there is none."""
    return db.value(key, list) or []


def _push(put: Callable[[list[bytes], bytes], None]) -> Handler:
    def push(db: Database, args: Sequence[bytes]) -> object:
        key, *values = args
        held = _list(db, key)
        for value in values:
            put(held, value)
        db.keep(key, held)
        return len(held)

    return push


def _pop(command: str, place: int) -> Handler:
    def pop(db: Database, args: Sequence[bytes]) -> object:
        key, *rest = args
        if len(rest) > 1:
            raise wrong_arity(command)
        wanted = count(rest[0]) if rest else None
        held = _list(db, key)
        if not held:
            return None
        taken = [held.pop(place) for _ in range(min(len(held), 1 if wanted is None else wanted))]
        db.keep(key, held)
        return taken[0] if wanted is None else taken

    return pop


def llen(db: Database, args: Sequence[bytes]) -> object:
    """LLEN key."""
    return len(_list(db, args[0]))


def between(start: int, end: int, length: int) -> slice:
    """Return the slice from one index to another, inclusive; negative ones count from the end."""
    first = max(0, start + length if start < 0 else start)
    last = end + length if end < 0 else end
    return slice(first, max(first, last + 1))


def lrange(db: Database, args: Sequence[bytes]) -> object:
    """LRANGE key start stop."""
    key, start, end = args
    first, last = integer(start), integer(end)
    held = _list(db, key)
    return held[between(first, last, len(held))]


def ltrim(db: Database, args: Sequence[bytes]) -> object:
    """LTRIM key start stop."""
    key, start, end = args
    first, last = integer(start), integer(end)
    held = _list(db, key)
    db.keep(key, held[between(first, last, len(held))])
    return b"OK"


def lindex(db: Database, args: Sequence[bytes]) -> object:
    """LINDEX key index."""
    key, index = args
    held = _list(db, key)
    place = integer(index) if held else 0
    return held[place] if -len(held) <= place < len(held) else None


def lset(db: Database, args: Sequence[bytes]) -> object:
    """LSET key index element."""
    key, index, value = args
    held = _list(db, key)
    if not held:
        raise reply_error("ERR no such key")
    place = integer(index)
    if not -len(held) <= place < len(held):
        raise reply_error("ERR index out of range")
    held[place] = value
    return b"OK"


def lrem(db: Database, args: Sequence[bytes]) -> object:
    """LREM key count element."""
    key, number, value = args
    wanted = integer(number)
    held = _list(db, key)
    places = [place for place, each in enumerate(held) if each == value]
    if wanted:
        places = places[:wanted] if wanted > 0 else places[wanted:]
    db.keep(key, [each for place, each in enumerate(held) if place not in set(places)])
    return len(places)


def linsert(db: Database, args: Sequence[bytes]) -> object:
    """LINSERT key BEFORE | AFTER pivot element."""
    key, where, pivot, value = args
    if where.upper() not in {b"BEFORE", b"AFTER"}:
        raise syntax_error()
    held = _list(db, key)
    if pivot not in held:
        return -1 if held else 0
    held.insert(held.index(pivot) + (where.upper() == b"AFTER"), value)
    return len(held)


def lpos(db: Database, args: Sequence[bytes]) -> object:
    """LPOS key element, without options."""
    key, value = args
    held = _list(db, key)
    return held.index(value) if value in held else None


def lmove(db: Database, args: Sequence[bytes]) -> object:
    """LMOVE source destination LEFT | RIGHT LEFT | RIGHT."""
    source, destination, *ends = args
    if not {end.upper() for end in ends} <= {b"LEFT", b"RIGHT"}:
        raise syntax_error()
    leaves, arrives = (end.upper() == b"LEFT" for end in ends)
    held = _list(db, source)
    if not held:
        return None
    other = held if source == destination else _list(db, destination)
    value = held.pop(0 if leaves else -1)
    other.insert(0 if arrives else len(other), value)
    db.keep(source, held)
    db.keep(destination, other)
    return value


COMMANDS: Final[Commands] = {
    b"LPUSH": Entrypoint(_push(lambda held, value: held.insert(0, value)), -3),
    b"RPUSH": Entrypoint(_push(list.append), -3),
    b"LPOP": Entrypoint(_pop("lpop", 0), -2),
    b"RPOP": Entrypoint(_pop("rpop", -1), -2),
    b"LLEN": Entrypoint(llen, 2),
    b"LRANGE": Entrypoint(lrange, 4),
    b"LTRIM": Entrypoint(ltrim, 4),
    b"LINDEX": Entrypoint(lindex, 3),
    b"LSET": Entrypoint(lset, 4),
    b"LREM": Entrypoint(lrem, 4),
    b"LINSERT": Entrypoint(linsert, 5),
    b"LPOS": Entrypoint(lpos, 3),
    b"LMOVE": Entrypoint(lmove, 5),
}
