"""Expiry of hash fields in memory."""

from collections.abc import Iterator, Sequence
from typing import Final

from dvcache.errors import reply_error
from dvcache.memory.arguments import deadline, integer, invalid_expire, syntax_error
from dvcache.memory.database import Commands, Database, Entrypoint, Handler
from dvcache.memory.expiry import allowed, flags_of
from dvcache.memory.hashes import Hash, hash_at

NONE, DELETED = -2, 2
"""Replies for a missing field, and for a field deleted because its new expiry has passed."""

_TIMES: Final = frozenset({b"EX", b"PX", b"EXAT", b"PXAT"})
_GROUPS: Final = (_TIMES | {b"KEEPTTL"}, frozenset({b"NX", b"XX"}), frozenset({b"FNX", b"FXX"}))


def _split(args: Sequence[bytes], width: int = 1) -> tuple[Sequence[bytes], list[bytes]]:
    """Split at FIELDS; return the arguments before it and those of the fields, `width` for each field."""
    for place, arg in enumerate(args[:-1]):
        if arg.upper() == b"FIELDS":
            fields = [*args[place + 2 :]]
            if len(fields) != integer(args[place + 1]) * width or not fields:
                raise reply_error("ERR numfields should be greater than 0 and match the provided number of fields")
            return args[:place], fields
    raise syntax_error()


def _expire(command: str, unit: bytes) -> Handler:
    def expire(db: Database, args: Sequence[bytes]) -> object:
        key, number, *rest = args
        options, fields = _split(rest)
        flags = flags_of(options)
        if (time := integer(number)) < 0:
            raise invalid_expire(command)
        end = deadline(db, time, unit, command)
        held = hash_at(db, key)
        states = [_ended(db, held, field, flags, end) for field in fields]
        db.keep(key, held)
        return states

    return expire


def _ended(db: Database, held: Hash, field: bytes, flags: set[bytes], end: int) -> int:
    if field not in held:
        return NONE
    if not allowed(flags, held.ends.get(field), end):
        return 0
    if end <= db.now():
        held.remove(field)
        return DELETED
    held.ends[field] = end
    return 1


def hpersist(db: Database, args: Sequence[bytes]) -> object:
    """HPERSIST key FIELDS numfields field …."""
    key, *rest = args
    _, fields = _split(rest)
    held = hash_at(db, key)
    return [NONE if field not in held else 1 if held.ends.pop(field, None) else -1 for field in fields]


def hpttl(db: Database, args: Sequence[bytes]) -> object:
    """HPTTL key FIELDS numfields field …."""
    return list(_left(db, args))


def httl(db: Database, args: Sequence[bytes]) -> object:
    """HTTL key FIELDS numfields field …: seconds, rounded."""
    return [left if left < 0 else (left + 500) // 1000 for left in _left(db, args)]


def _left(db: Database, args: Sequence[bytes]) -> Iterator[int]:
    key, *rest = args
    _, fields = _split(rest)
    held = hash_at(db, key)
    for field in fields:
        end = held.ends.get(field)
        yield NONE if field not in held else -1 if end is None else end - db.now()


def hsetex(db: Database, args: Sequence[bytes]) -> object:
    """HSETEX key [NX | XX] [FNX | FXX] [EX | PX | EXAT | PXAT time | KEEPTTL] FIELDS numfields field value …."""
    key, *rest = args
    given, pairs = _split(rest, 2)
    options = _options(given)
    held = hash_at(db, key)
    if (b"NX" in options and held) or (b"XX" in options and not held):
        return 0
    time = next(((name, value) for name, value in options.items() if name in _TIMES), None)
    end = None if time is None else _end(db, *time)
    fields = pairs[::2]
    there = [field in held for field in fields]
    if (b"FNX" in options and any(there)) or (b"FXX" in options and not all(there)):
        return 0
    for field, value in zip(fields, pairs[1::2], strict=True):
        held.put(field, value, held.ends.get(field) if b"KEEPTTL" in options else end)
    db.keep(key, held)
    hash_at(db, key)
    return 1


def _options(args: Sequence[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    rest = iter(args)
    for arg in rest:
        option = arg.upper()
        group = next((names for names in _GROUPS if option in names), None)
        if group is None or found.keys() & group - {option}:
            raise syntax_error()
        value = next(rest, None) if option in _TIMES else b""
        if value is None:
            raise syntax_error()
        found[option] = value
    return found


def _end(db: Database, option: bytes, number: bytes) -> int:
    if (time := integer(number)) < 0:
        raise invalid_expire("hsetex")
    return deadline(db, time, option, "hsetex")


COMMANDS: Final[Commands] = {
    b"HEXPIRE": Entrypoint(_expire("hexpire", b"EX"), -6),
    b"HPEXPIRE": Entrypoint(_expire("hpexpire", b"PX"), -6),
    b"HEXPIREAT": Entrypoint(_expire("hexpireat", b"EXAT"), -6),
    b"HPEXPIREAT": Entrypoint(_expire("hpexpireat", b"PXAT"), -6),
    b"HPERSIST": Entrypoint(hpersist, -5),
    b"HTTL": Entrypoint(httl, -5),
    b"HPTTL": Entrypoint(hpttl, -5),
    b"HSETEX": Entrypoint(hsetex, -6),
}
