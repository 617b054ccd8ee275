"""Numbers of callers: any real number where seconds or scores are meant, any integer where counts are."""

from datetime import timedelta
from operator import index
from typing import SupportsFloat, SupportsIndex


def real(value: object, meaning: str) -> int | float:
    """Return a real number as an int or a float: whatever has `__index__`, or else `__float__`.

    Args:
        value: the number.
        meaning: the argument's name with its article, for the error.

    Raises:
        TypeError: it is no real number.
    """
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[return-value]  # mypy does not narrow by `kind`
    if isinstance(value, SupportsIndex):
        return index(value)
    if isinstance(value, SupportsFloat):
        return float(value)
    raise TypeError(f"{meaning} is a number, not {kind.__name__}")


def whole(value: object, meaning: str) -> int:
    """Return an integer: whatever has `__index__`.

    Args:
        value: the number.
        meaning: as in `real`.

    Raises:
        TypeError: it is no integer.
    """
    if type(value) is int:
        return value
    if isinstance(value, SupportsIndex):
        return index(value)
    raise TypeError(f"{meaning} is an integer, not {type(value).__name__}")


def seconds(value: object, meaning: str) -> int | float:
    """Return a time in seconds of a real number or a timedelta.

    Raises:
        TypeError: it is neither.
        ValueError: it is not a number (NaN).
    """
    found = value.total_seconds() if isinstance(value, timedelta) else real(value, meaning)
    if found != found:  # noqa: PLR0124  # NaN
        raise ValueError(f"{meaning} cannot be NaN")
    return found
