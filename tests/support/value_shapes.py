"""Values as text, to compare them with the types of all their parts."""

from typing import Any


def shape(value: Any) -> str:
    """Return the type of a value and of its parts; of a time also zone and fold."""
    kind = type(value).__name__
    if isinstance(value, list | tuple):
        return f"{kind}[{', '.join(map(shape, value))}]"
    if isinstance(value, dict):
        return f"{kind}{shape([*value.items()])}"
    if isinstance(value, set | frozenset):
        return f"{kind}[{', '.join(sorted(map(shape, value)))}]"
    return f"{kind} {hex(value) if isinstance(value, int) else repr(value)}"


def same(left: object, right: object) -> bool:
    """Return True if values are equal and all their parts have the same types."""
    return shape(left) == shape(right)
