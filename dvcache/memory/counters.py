"""Counters in memory: the INCR commands, on strings that hold numbers."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import reply_error
from dvcache.memory.arguments import LARGEST, SMALLEST, integer, long_double, long_double_text
from dvcache.memory.database import Commands, Database, Entrypoint


def _add(db: Database, key: bytes, delta: int) -> int:
    current = db.value(key, bytes)
    total = (0 if current is None else integer(current)) + delta
    if not SMALLEST <= total <= LARGEST:
        raise reply_error("ERR increment or decrement would overflow")
    db.change(key, str(total).encode())
    return total


def incr(db: Database, args: Sequence[bytes]) -> object:
    """INCR key."""
    return _add(db, args[0], 1)


def decr(db: Database, args: Sequence[bytes]) -> object:
    """DECR key."""
    return _add(db, args[0], -1)


def incrby(db: Database, args: Sequence[bytes]) -> object:
    """INCRBY key delta."""
    return _add(db, args[0], integer(args[1]))


def decrby(db: Database, args: Sequence[bytes]) -> object:
    """DECRBY key delta."""
    if (delta := integer(args[1])) == SMALLEST:
        raise reply_error("ERR decrement would overflow")
    return _add(db, args[0], -delta)


def incrbyfloat(db: Database, args: Sequence[bytes]) -> object:
    """INCRBYFLOAT key delta."""
    key, delta = args
    current = db.value(key, bytes)
    first, second = long_double(b"0" if current is None else current), long_double(delta)
    if first is None or second is None:
        raise reply_error("ERR increment would produce NaN or Infinity")
    text = long_double_text(first + second)
    db.change(key, text)
    return text


COMMANDS: Final[Commands] = {
    b"INCR": Entrypoint(incr, 2),
    b"DECR": Entrypoint(decr, 2),
    b"INCRBY": Entrypoint(incrby, 3),
    b"DECRBY": Entrypoint(decrby, 3),
    b"INCRBYFLOAT": Entrypoint(incrbyfloat, 3),
}
