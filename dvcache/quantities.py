"""Numbers of callers: any real number where seconds or scores are meant, any integer where counts are."""

import math
from datetime import timedelta
from operator import index
from typing import Any, SupportsFloat, SupportsIndex


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
        try:
            return float(value)
        except OverflowError:  # a Fraction of any size
            return math.inf if value > 0 else -math.inf  # type: ignore[operator]  # it is a number
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


def argument(value: Any) -> Any:
    """Return an argument of a command: a number as an int or a float, text such as "-inf" and all else as it is."""
    kind = type(value)
    if kind is int or kind is float or kind is bool or not is_real(kind):
        return value
    return real(value, "an argument")


def numbered(version: Any) -> Any:
    """Return a version as it stands in a name: an integer by `__index__` as an int, all else as it is."""
    return index(version) if hasattr(type(version), "__index__") and not isinstance(version, bool) else version


def is_real(kind: type) -> bool:
    """Say whether values of a type are numbers that have an order: by `__index__` or `__float__`."""
    return hasattr(kind, "__index__") or hasattr(kind, "__float__")


def plainly(value: Any) -> Any:
    """Return a setting in which every number is one of Python's own, in dicts, lists and tuples too."""
    kind = type(value)
    if kind is dict:
        return {name: plainly(each) for name, each in value.items()}
    if kind is list or kind is tuple:
        return kind(map(plainly, value))
    return value if isinstance(value, int) else argument(value)


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
