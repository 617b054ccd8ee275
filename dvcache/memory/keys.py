"""Keys in memory: commands for entries of any type, their expiry, and whole databases."""

import pickle
from collections.abc import Sequence

from dvcache.error_replies import reply_error
from dvcache.globs import glob
from dvcache.memory.arguments import deadline, integer, syntax_error
from dvcache.memory.database import Database, command


@command
def ping(_: Database) -> object:
    """PING."""
    return b"PONG"


@command
def del_(db: Database, key: bytes, *more: bytes) -> object:
    """DEL key …."""
    return sum(db.drop(each) for each in (key, *more))


@command
def unlink(db: Database, key: bytes, *more: bytes) -> object:
    """UNLINK key …."""
    return del_(db, key, *more)


@command
def exists(db: Database, key: bytes, *more: bytes) -> object:
    """EXISTS key …: a repeated key counts twice."""
    return sum(db.find(each) is not None for each in (key, *more))


@command
def rename(db: Database, key: bytes, new: bytes) -> object:
    """RENAME key newkey."""
    entry = db.find(key)
    if entry is None:
        raise reply_error("ERR no such key")
    if key != new:
        db.drop(key)
        db.put(new, entry.value, entry.expires)
    return b"OK"


@command
def dump(db: Database, key: bytes) -> object:
    """DUMP key: a pickle, not the format of Valkey."""
    entry = db.find(key)
    return None if entry is None else pickle.dumps(entry.value)


@command
def restore(db: Database, key: bytes, ends: bytes, data: bytes, *options: bytes) -> object:
    """RESTORE key time bytes REPLACE ABSTTL."""
    if {option.upper() for option in options} != {b"REPLACE", b"ABSTTL"}:
        raise syntax_error()
    db.put(key, pickle.loads(data), integer(ends) or None)  # noqa: S301  # made by `dump`
    return b"OK"


@command
def pexpire(db: Database, key: bytes, time: bytes) -> object:
    """PEXPIRE key milliseconds."""
    return _expire(db, key, deadline(db, integer(time), b"PX", "pexpire"))


@command
def pexpireat(db: Database, key: bytes, time: bytes) -> object:
    """PEXPIREAT key milliseconds."""
    return _expire(db, key, deadline(db, integer(time), b"PXAT", "pexpireat"))


def _expire(db: Database, key: bytes, end: int) -> int:
    entry = db.find(key)
    if entry is None:
        return 0
    db.put(key, entry.value, end)
    return 1


@command
def persist(db: Database, key: bytes) -> object:
    """PERSIST key."""
    entry = db.find(key)
    if entry is None or entry.expires is None:
        return 0
    entry.expires = None
    return 1


@command
def pexpiretime(db: Database, key: bytes) -> int:
    """PEXPIRETIME key: the expiry, -1 if there is none, -2 without an entry."""
    entry = db.find(key)
    if entry is None:
        return -2
    return -1 if entry.expires is None else entry.expires


@command
def pttl(db: Database, key: bytes) -> object:
    """PTTL key: the remaining milliseconds, or as PEXPIRETIME."""
    end = pexpiretime(db, key)
    return end if end < 0 else end - db.now()


@command
def keys(db: Database, pattern: bytes) -> object:
    """KEYS pattern."""
    matches = glob(pattern)
    return [key for key, _ in db.living() if matches(key)]


@command
def dbsize(db: Database) -> object:
    """DBSIZE: entries that have not expired."""
    return sum(1 for _ in db.living())


@command
def info(_: Database, *sections: bytes) -> object:
    """INFO [section …]: the section Server only."""
    wanted = {each.lower() for each in sections} or {b"default"}
    if not wanted & {b"server", b"default", b"all", b"everything"}:
        return b""
    return b"# Server\r\nserver_name:dvcache\r\nvalkey_version:memory\r\nserver_mode:standalone\r\n"


@command
def flushdb(db: Database, *mode: bytes) -> object:
    """FLUSHDB [ASYNC | SYNC]."""
    return _clear([db], mode)


@command
def flushall(db: Database, *mode: bytes) -> object:
    """FLUSHALL [ASYNC | SYNC]."""
    return _clear([*db.siblings.values()], mode)


def _clear(databases: Sequence[Database], mode: Sequence[bytes]) -> bytes:
    if [each.upper() for each in mode] not in ([], [b"ASYNC"], [b"SYNC"]):
        raise syntax_error()
    for each in databases:
        each.clear()
    return b"OK"
