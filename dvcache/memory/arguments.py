"""Arguments of commands: encode them, and parse numbers, times and options as the server does.

Invalid arguments raise the error that Valkey 9.1 replies.
"""

import re
from fractions import Fraction
from typing import Final

from dvcache.errors import ServerError, reply_error
from dvcache.memory.database import Database

LARGEST: Final = 2**63 - 1
SMALLEST: Final = -(2**63)

_INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_DECIMAL: Final = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,9}))?")
_HEXADECIMAL: Final = re.compile(rb"[+-]?0[xX][0-9a-fA-F.]+(?:[pP][+-]?[0-9]{1,4})?")
_INFINITE: Final = re.compile(rb"[+-]?inf(?:inity)?", re.IGNORECASE)
_LONGEST_FLOAT: Final = 255
_LARGEST_EXPONENT: Final = 4932


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


def integer(data: bytes) -> int:
    """Parse a signed 64-bit integer in canonical form."""
    if _INTEGER.fullmatch(data) and SMALLEST <= (number := int(data)) <= LARGEST:
        return number
    raise reply_error("ERR value is not an integer or out of range")


def count(data: bytes) -> int:
    """Parse a number of elements."""
    if _INTEGER.fullmatch(data) and 0 <= (number := int(data)) <= LARGEST:
        return number
    raise reply_error("ERR value is out of range, must be positive")


def moment(db: Database, data: bytes, option: bytes, command: str) -> int:
    """Parse the argument of EX, PX, EXAT or PXAT; return a Unix time in milliseconds. 0 and less are errors."""
    if (number := integer(data)) <= 0:
        raise invalid_expire(command)
    return deadline(db, number, option, command)


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


def long_double(data: bytes) -> Fraction | None:
    """Parse a number as C's `strtold` does on x86. Return None for an infinite one."""
    if len(data) <= _LONGEST_FLOAT:
        if (match := _DECIMAL.fullmatch(data)) and abs(int(match[1] or 0)) <= 2 * _LARGEST_EXPONENT:
            number = Fraction(data.decode())
            if abs(number) < 10**_LARGEST_EXPONENT:
                return _rounded(number)
        elif _HEXADECIMAL.fullmatch(data):
            return Fraction(float.fromhex(data.decode()))
        elif _INFINITE.fullmatch(data):
            return None
    raise reply_error("ERR value is not a valid float")


def long_double_text(number: Fraction) -> bytes:
    """Format a number as `%.17Lf` does, without trailing zeros."""
    scaled = round(_rounded(number) * 10**17)
    whole, rest = divmod(abs(scaled), 10**17)
    text = f"{whole}.{rest:017}".rstrip("0").rstrip(".")
    return (f"-{text}" if scaled < 0 else text).encode()


def _rounded(number: Fraction) -> Fraction:
    """Round to the 64 significant bits of x86's long double."""
    spare = 64 - abs(number.numerator).bit_length() + number.denominator.bit_length()
    unit = Fraction(2) ** spare
    if abs(number) * unit >= 2**64:
        unit /= 2
    return round(number * unit) / unit
