"""Numbers as stored text, which the server can count with: which bytes are read as a number, and as which."""

import re
from typing import Final

DIGITS: Final = 4300
"""Maximum number of digits of an int stored as text: Python's own limit for parsing one."""

NUMERIC: Final = frozenset(b"-0123456789in")
"""First bytes of the text of a number."""

_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]+)?|(-?inf|nan)")
_ZERO: Final = ord("0")


def number_of(data: bytes) -> int | float | None:
    """Return the number whose text the bytes are, or None."""
    if len(data) > DIGITS + 1:
        return None
    try:
        # Counters, by far the most numbers, skip the regular expression.
        if data.isdigit() and data[0] != _ZERO:
            return int(data)
        found = _NUMBER.fullmatch(data)
        if found is None:
            return None
        return int(data) if found.lastindex is None else float(data)
    except ValueError:  # exceeds sys.set_int_max_str_digits
        return None


def is_same(number: float, value: object) -> bool:
    """Return True if the value equals the number."""
    try:
        return bool(number == value)
    except Exception:  # noqa: BLE001  # a user's __eq__ may raise anything
        return False
