"""Numeric arguments: real numbers for seconds and scores, integers for counts."""

import math
from datetime import timedelta
from operator import index
from typing import Any, SupportsFloat, SupportsIndex


def real(value: object, meaning: str) -> int | float:
    """Return a real number as an int or a float, by `__index__` or else `__float__`.

    Args:
        value: the number.
        meaning: the argument's name with its article, for the error.

    Raises:
        TypeError: it is not a real number.
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
            return math.inf if value > 0 else -math.inf  # type: ignore[operator]  # SupportsFloat has no order
    raise TypeError(f"{meaning} is a number, not {kind.__name__}")


def whole(value: object, meaning: str) -> int:
    """Return an integer, by `__index__`.

    Args:
        value: the number.
        meaning: as in `real`.

    Raises:
        TypeError: it is not an integer.
    """
    if type(value) is int:
        return value
    if isinstance(value, SupportsIndex):
        return index(value)
    raise TypeError(f"{meaning} is an integer, not {type(value).__name__}")


def argument(value: Any) -> Any:
    """Return an argument of a command: numbers as an int or a float, anything else (text such as "-inf") unchanged."""
    kind = type(value)
    if kind is int or kind is float or kind is bool or not is_real(kind):
        return value
    return real(value, "an argument")


def plain_version(version: Any) -> Any:
    """Return a version for use in a key: an integer by `__index__` as an int, anything else unchanged."""
    return index(version) if hasattr(type(version), "__index__") and not isinstance(version, bool) else version


def is_real(kind: type) -> bool:
    """Return True if values of the type are real numbers: by `__index__` or `__float__`."""
    return hasattr(kind, "__index__") or hasattr(kind, "__float__")


def with_plain_numbers(value: Any) -> Any:
    """Return a setting with every number converted to an int or a float, also in dicts, lists and tuples."""
    kind = type(value)
    if kind is dict:
        return {name: with_plain_numbers(each) for name, each in value.items()}
    if kind is list or kind is tuple:
        return kind(map(with_plain_numbers, value))
    return value if isinstance(value, int) else argument(value)


def seconds(value: object, meaning: str) -> int | float:
    """Return seconds from a real number or a timedelta.

    Raises:
        TypeError: it is neither.
        ValueError: it is NaN.
    """
    found = value.total_seconds() if isinstance(value, timedelta) else real(value, meaning)
    if found != found:  # noqa: PLR0124  # NaN
        raise ValueError(f"{meaning} cannot be NaN")
    return found
