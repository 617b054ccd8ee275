"""Keys in memory: commands for entries of any type."""

import copy as copying
import pickle
import random
from collections.abc import Sequence
from typing import Final

from dvcache.errors import reply_error
from dvcache.globs import glob
from dvcache.memory.arguments import integer, syntax_error
from dvcache.memory.database import Commands, Database, Entrypoint, type_name

DATABASES: Final = 16
"""The number of databases, Valkey's default."""


def delete(db: Database, args: Sequence[bytes]) -> object:
    """DEL key … and UNLINK key …."""
    return sum(db.drop(key) for key in args)


def exists(db: Database, args: Sequence[bytes]) -> object:
    """EXISTS key … and TOUCH key …: a repeated key counts twice."""
    return sum(db.find(key) is not None for key in args)


def type_(db: Database, args: Sequence[bytes]) -> object:
    """TYPE key."""
    entry = db.find(args[0])
    return b"none" if entry is None else type_name(entry.value)


def rename(db: Database, args: Sequence[bytes]) -> object:
    """RENAME key newkey."""
    _move(db, *args)
    return b"OK"


def renamenx(db: Database, args: Sequence[bytes]) -> object:
    """RENAMENX key newkey."""
    key, new = args
    if db.find(key) is not None and db.find(new) is not None:
        return 0
    _move(db, key, new)
    return 1


def _move(db: Database, key: bytes, new: bytes) -> None:
    entry = db.find(key)
    if entry is None:
        raise reply_error("ERR no such key")
    if key != new:
        db.drop(key)
        db.put(new, entry.value, entry.expires)


def copy(db: Database, args: Sequence[bytes]) -> object:
    """COPY source destination [DB number] [REPLACE]."""
    source, destination, *rest = args
    target, replace = _copy_options(db, rest)
    if target is db and source == destination:
        raise reply_error("ERR source and destination objects are the same")
    entry = db.find(source)
    if entry is None or (target.find(destination) is not None and not replace):
        return 0
    target.put(destination, copying.copy(entry.value), entry.expires)
    return 1


def dump(db: Database, args: Sequence[bytes]) -> object:
    """DUMP key: a pickle, not the format of Valkey."""
    entry = db.find(args[0])
    return None if entry is None else pickle.dumps(entry.value)


def restore(db: Database, args: Sequence[bytes]) -> object:
    """RESTORE key ttl bytes [REPLACE] [ABSTTL]."""
    key, lifetime, data, *options = args
    wanted = {option.upper() for option in options}
    if wanted - {b"REPLACE", b"ABSTTL"}:
        raise syntax_error()
    if b"REPLACE" not in wanted and db.find(key) is not None:
        raise reply_error("BUSYKEY Target key name already exists.")
    ends = integer(lifetime)
    if ends and b"ABSTTL" not in wanted:
        ends += db.now()
    db.put(key, pickle.loads(data), ends or None)  # noqa: S301  # made by `dump`
    return b"OK"


def _copy_options(db: Database, args: Sequence[bytes]) -> tuple[Database, bool]:
    target, replace = db, False
    rest = iter(args)
    for arg in rest:
        if arg.upper() == b"REPLACE":
            replace = True
        elif arg.upper() == b"DB" and (number := next(rest, None)) is not None:
            target = db.sibling(database_number(number))
        else:
            raise syntax_error()
    return target, replace


def database_number(data: bytes) -> int:
    """Parse the number of a database."""
    if 0 <= (number := integer(data)) < DATABASES:
        return number
    raise reply_error("ERR DB index is out of range")


def keys(db: Database, args: Sequence[bytes]) -> object:
    """KEYS pattern."""
    matches = glob(args[0])
    return [key for key, _ in db.living() if matches(key)]


def randomkey(db: Database, _: Sequence[bytes]) -> object:
    """RANDOMKEY."""
    names = [key for key, _ in db.living()]
    return random.choice(names) if names else None  # noqa: S311  # no secret


COMMANDS: Final[Commands] = {
    b"DEL": Entrypoint(delete, -2),
    b"UNLINK": Entrypoint(delete, -2),
    b"EXISTS": Entrypoint(exists, -2),
    b"TOUCH": Entrypoint(exists, -2),
    b"TYPE": Entrypoint(type_, 2),
    b"RENAME": Entrypoint(rename, 3),
    b"RENAMENX": Entrypoint(renamenx, 3),
    b"COPY": Entrypoint(copy, -3),
    b"DUMP": Entrypoint(dump, 2),
    b"RESTORE": Entrypoint(restore, -4),
    b"KEYS": Entrypoint(keys, 2),
    b"RANDOMKEY": Entrypoint(randomkey, 1),
}
