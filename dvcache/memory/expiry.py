"""Expiry in memory: the EXPIRE and TTL commands, for entries of any type."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import reply_error
from dvcache.memory.arguments import deadline, integer
from dvcache.memory.database import Commands, Database, Entrypoint, Handler

_FLAGS: Final = frozenset({b"NX", b"XX", b"GT", b"LT"})


def flags_of(args: Sequence[bytes]) -> set[bytes]:
    """Parse NX, XX, GT and LT."""
    for arg in args:
        if arg.upper() not in _FLAGS:
            raise reply_error(f"ERR Unsupported option {arg.decode(errors='replace')}")
    flags = {arg.upper() for arg in args}
    if b"NX" in flags and len(flags) > 1:
        raise reply_error("ERR NX and XX, GT or LT options at the same time are not compatible")
    if flags >= {b"GT", b"LT"}:
        raise reply_error("ERR GT and LT options at the same time are not compatible")
    return flags


def allowed(flags: set[bytes], old: int | None, new: int) -> bool:
    """Return True if the flags allow a new expiry. For GT and LT, no expiry counts as infinite."""
    return not (
        (b"NX" in flags and old is not None)
        or (b"XX" in flags and old is None)
        or (b"GT" in flags and (old is None or new <= old))
        or (b"LT" in flags and old is not None and new >= old)
    )


def _expire(command: str, unit: bytes) -> Handler:
    def expire(db: Database, args: Sequence[bytes]) -> object:
        key, number, *rest = args
        flags = flags_of(rest)
        end = deadline(db, integer(number), unit, command)
        entry = db.find(key)
        if entry is None or not allowed(flags, entry.expires, end):
            return 0
        db.put(key, entry.value, end)
        return 1

    return expire


def _left(db: Database, key: bytes) -> int:
    """Return the remaining lifetime in milliseconds, -1 without expiry, -2 without an entry."""
    end = _end(db, key)
    return end if end < 0 else end - db.now()


def _end(db: Database, key: bytes) -> int:
    entry = db.find(key)
    if entry is None:
        return -2
    return -1 if entry.expires is None else entry.expires


def persist(db: Database, args: Sequence[bytes]) -> object:
    """PERSIST key."""
    entry = db.find(args[0])
    if entry is None or entry.expires is None:
        return 0
    entry.expires = None
    return 1


def pttl(db: Database, args: Sequence[bytes]) -> object:
    """PTTL key."""
    return _left(db, args[0])


def ttl(db: Database, args: Sequence[bytes]) -> object:
    """TTL key: seconds, rounded."""
    return _seconds(_left(db, args[0]))


def pexpiretime(db: Database, args: Sequence[bytes]) -> object:
    """PEXPIRETIME key."""
    return _end(db, args[0])


def expiretime(db: Database, args: Sequence[bytes]) -> object:
    """EXPIRETIME key: seconds, rounded."""
    return _seconds(_end(db, args[0]))


def _seconds(milliseconds: int) -> int:
    return milliseconds if milliseconds < 0 else (milliseconds + 500) // 1000


COMMANDS: Final[Commands] = {
    b"EXPIRE": Entrypoint(_expire("expire", b"EX"), -3),
    b"PEXPIRE": Entrypoint(_expire("pexpire", b"PX"), -3),
    b"EXPIREAT": Entrypoint(_expire("expireat", b"EXAT"), -3),
    b"PEXPIREAT": Entrypoint(_expire("pexpireat", b"PXAT"), -3),
    b"PERSIST": Entrypoint(persist, 2),
    b"TTL": Entrypoint(ttl, 2),
    b"PTTL": Entrypoint(pttl, 2),
    b"EXPIRETIME": Entrypoint(expiretime, 2),
    b"PEXPIRETIME": Entrypoint(pexpiretime, 2),
}
