"""Strings in memory: GET, SET and related commands."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import ServerError, reply_error
from dvcache.memory.arguments import integer, moment, syntax_error
from dvcache.memory.database import Commands, Database, Entrypoint, wrong_arity

_TIMES: Final = frozenset({b"EX", b"PX", b"EXAT", b"PXAT"})
_CONDITIONS: Final = frozenset({b"NX", b"XX", b"IFEQ"})
_OPTIONS: Final = {
    "set": _TIMES | _CONDITIONS | {b"GET", b"KEEPTTL"},
    "getex": _TIMES | {b"PERSIST"},
    "msetex": _TIMES | {b"NX", b"XX", b"KEEPTTL"},
}


def _options(command: str, args: Sequence[bytes]) -> dict[bytes, bytes]:
    """Parse the options of SET, GETEX or MSETEX. At most one time and one condition; the same time may be repeated."""
    found: dict[bytes, bytes] = {}
    rest = iter(args)
    for arg in rest:
        option = arg.upper()
        group = _CONDITIONS if option in _CONDITIONS else _TIMES | {b"KEEPTTL", b"PERSIST"}
        clash = option != b"GET" and (found.keys() & group) - ({option} - {b"IFEQ"})
        if option not in _OPTIONS[command] or clash:
            raise syntax_error()
        value = next(rest, None) if option in _TIMES or option == b"IFEQ" else b""
        if value is None:
            raise syntax_error()
        found[option] = value
    return found


def _end(db: Database, command: str, options: dict[bytes, bytes]) -> int | None:
    return next((moment(db, value, name, command) for name, value in options.items() if name in _TIMES), None)


def get(db: Database, args: Sequence[bytes]) -> object:
    """GET key."""
    return db.value(args[0], bytes)


def set_(db: Database, args: Sequence[bytes]) -> object:
    """SET key value [NX | XX | IFEQ value] [GET] [EX | PX | EXAT | PXAT time | KEEPTTL]."""
    key, value, *rest = args
    options = _options("set", rest)
    expires = _end(db, "set", options)
    old = db.value(key, bytes) if options.keys() & {b"GET", b"IFEQ"} else None
    entry = db.find(key)
    refused = (
        (b"NX" in options and entry is not None)
        or (b"XX" in options and entry is None)
        or (b"IFEQ" in options and old != options[b"IFEQ"])
    )
    if not refused:
        db.put(key, value, entry.expires if entry is not None and b"KEEPTTL" in options else expires)
    if b"GET" in options:
        return old
    return None if refused else b"OK"


def setnx(db: Database, args: Sequence[bytes]) -> object:
    """SETNX key value."""
    return int(set_(db, (*args, b"NX")) is not None)


def setex(db: Database, args: Sequence[bytes]) -> object:
    """SETEX key seconds value."""
    key, time, value = args
    db.put(key, value, moment(db, time, b"EX", "setex"))
    return b"OK"


def psetex(db: Database, args: Sequence[bytes]) -> object:
    """PSETEX key milliseconds value."""
    key, time, value = args
    db.put(key, value, moment(db, time, b"PX", "psetex"))
    return b"OK"


def getset(db: Database, args: Sequence[bytes]) -> object:
    """GETSET key value."""
    return set_(db, (*args, b"GET"))


def getdel(db: Database, args: Sequence[bytes]) -> object:
    """GETDEL key."""
    value = db.value(args[0], bytes)
    db.drop(args[0])
    return value


def getex(db: Database, args: Sequence[bytes]) -> object:
    """GETEX key [EX | PX | EXAT | PXAT time | PERSIST]."""
    key, *rest = args
    options = _options("getex", rest)
    expires = _end(db, "getex", options)
    value = db.value(key, bytes)
    if value is not None and options:
        db.put(key, value, expires)
    return value


def mget(db: Database, args: Sequence[bytes]) -> object:
    """MGET key …: None for missing entries and those that are no strings."""
    entries = (db.find(key) for key in args)
    return [entry.value if entry is not None and isinstance(entry.value, bytes) else None for entry in entries]


def mset(db: Database, args: Sequence[bytes]) -> object:
    """MSET key value [key value …]."""
    if len(args) % 2:
        raise wrong_arity("mset")
    for key, value in zip(args[::2], args[1::2], strict=True):
        db.put(key, value)
    return b"OK"


def msetex(db: Database, args: Sequence[bytes]) -> object:
    """MSETEX numkeys key value [key value …] [NX | XX] [EX | PX | EXAT | PXAT time | KEEPTTL]."""
    try:
        places = 2 * integer(args[0])
    except ServerError:
        places = 0
    if places <= 0:
        raise reply_error("ERR invalid numkeys value or out of range")
    fields = args[1 : places + 1]
    if len(fields) < places:
        raise syntax_error()
    options = _options("msetex", args[places + 1 :])
    expires = _end(db, "msetex", options)
    there = [db.find(key) is not None for key in fields[::2]]
    if (b"NX" in options and any(there)) or (b"XX" in options and not all(there)):
        return 0
    for key, value in zip(fields[::2], fields[1::2], strict=True):
        entry = db.find(key)
        db.put(key, value, entry.expires if entry is not None and b"KEEPTTL" in options else expires)
    return 1


def append(db: Database, args: Sequence[bytes]) -> object:
    """APPEND key value."""
    key, value = args
    joined = (db.value(key, bytes) or b"") + value
    db.change(key, joined)
    return len(joined)


def strlen(db: Database, args: Sequence[bytes]) -> object:
    """STRLEN key."""
    return len(db.value(args[0], bytes) or b"")


def delifeq(db: Database, args: Sequence[bytes]) -> object:
    """DELIFEQ key value."""
    return int(db.value(args[0], bytes) == args[1] and db.drop(args[0]))


COMMANDS: Final[Commands] = {
    b"GET": Entrypoint(get, 2),
    b"SET": Entrypoint(set_, -3),
    b"SETNX": Entrypoint(setnx, 3),
    b"SETEX": Entrypoint(setex, 4),
    b"PSETEX": Entrypoint(psetex, 4),
    b"GETSET": Entrypoint(getset, 3),
    b"GETDEL": Entrypoint(getdel, 2),
    b"GETEX": Entrypoint(getex, -2),
    b"MGET": Entrypoint(mget, -2),
    b"MSET": Entrypoint(mset, -3),
    b"MSETEX": Entrypoint(msetex, -4),
    b"APPEND": Entrypoint(append, 3),
    b"STRLEN": Entrypoint(strlen, 2),
    b"DELIFEQ": Entrypoint(delifeq, 3),
}
