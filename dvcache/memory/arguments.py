"""Arguments of commands: encode them, and parse numbers, times and options as the server does.

Invalid arguments raise the error that Valkey 9.1 replies.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from decimal import Context, Decimal
from typing import Final

from dvcache.error_replies import reply_error
from dvcache.errors import ServerError
from dvcache.memory.database import Database

LARGEST: Final = 2**63 - 1
SMALLEST: Final = -(2**63)

TIMES: Final = frozenset({b"EX", b"PX", b"EXAT", b"PXAT"})
CONDITIONS: Final = frozenset({b"NX", b"XX", b"IFEQ"})

_INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_FLOAT: Final = re.compile(rb"[+-]?(?:inf(?:inity)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?)", re.IGNORECASE)
_PLACES: Final = Decimal("1e-17")
_EXACT: Final = Context(prec=2100)
"""Enough digits to add any two numbers of `_FLOAT` without rounding."""


def encoded(argument: object) -> bytes:
    """Return an argument as libvalkey packs it."""
    if isinstance(argument, bytes):
        return argument
    if isinstance(argument, str):
        return argument.encode()
    if isinstance(argument, memoryview):
        return argument.tobytes()
    if isinstance(argument, int | float) and not isinstance(argument, bool):
        return repr(argument).encode()
    raise TypeError("A tuple item must be str, int, float or bytes.")


def syntax_error() -> ServerError:
    """Return the server's error for unknown or conflicting options."""
    return reply_error("ERR syntax error")


def integer(data: bytes, error: str = "ERR value is not an integer or out of range") -> int:
    """Parse a signed 64-bit integer in canonical form."""
    if _INTEGER.fullmatch(data) and SMALLEST <= (number := int(data)) <= LARGEST:
        return number
    raise reply_error(error)


def count(data: bytes) -> int:
    """Parse a number of elements."""
    error = "ERR value is out of range, must be positive"
    if (number := integer(data, error)) < 0:
        raise reply_error(error)
    return number


def sum_of(old: bytes, delta: bytes, error: str = "ERR value is not an integer or out of range") -> int:
    """Add 64-bit integers; `error` is raised if the old one is none."""
    added = integer(delta)
    total = integer(old, error) + added
    if not SMALLEST <= total <= LARGEST:
        raise reply_error("ERR increment or decrement would overflow")
    return total


def decimal(data: bytes, error: str = "ERR value is not a valid float") -> Decimal:
    """Parse a number, which may be infinite; not in hexadecimal."""
    if _FLOAT.fullmatch(data):
        return Decimal(data.decode())
    raise reply_error(error)


def decimal_sum(first: Decimal, second: Decimal) -> bytes:
    """Add finite numbers; return the sum to 17 decimal places. The server rounds it to 64 significant bits."""
    text = f"{_EXACT.quantize(_EXACT.add(first, second), _PLACES):f}".rstrip("0").rstrip(".")
    return b"0" if text == "-0" else text.encode()


def options(args: Sequence[bytes], known: AbstractSet[bytes]) -> dict[bytes, bytes]:
    """Parse options and their values: at most one time and one condition; the same time may be repeated."""
    found: dict[bytes, bytes] = {}
    rest = iter(args)
    for arg in rest:
        option = arg.upper()
        group = CONDITIONS if option in CONDITIONS else TIMES | {b"KEEPTTL"}
        clash = option != b"GET" and (found.keys() & group) - ({option} - {b"IFEQ"})
        value = next(rest, None) if option in TIMES or option == b"IFEQ" else b""
        if option not in known or clash or value is None:
            raise syntax_error()
        found[option] = value
    return found


def end_of(db: Database, given: dict[bytes, bytes], command: str) -> int | None:
    """Return the Unix time in milliseconds that the options EX, PX, EXAT or PXAT set; None without them."""
    for option in given.keys() & TIMES:
        if (number := integer(given[option])) <= 0:
            raise invalid_expire(command)
        return deadline(db, number, option, command)
    return None


def deadline(db: Database, number: int, option: bytes, command: str) -> int:
    """Convert the number given with EX, PX, EXAT or PXAT to a Unix time in milliseconds."""
    milliseconds = number if option.startswith(b"P") else number * 1000
    base = 0 if option.endswith(b"AT") else db.now()
    if not SMALLEST <= milliseconds <= LARGEST - base:
        raise invalid_expire(command)
    return milliseconds + base


def invalid_expire(command: str) -> ServerError:
    """Return the server's error for an invalid expiry."""
    return reply_error(f"ERR invalid expire time in '{command}' command")
