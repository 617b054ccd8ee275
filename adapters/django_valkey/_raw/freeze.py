"""Turn settings into hashable keys, compared by value."""

from collections.abc import Hashable, Mapping

from typing_extensions import override


def frozen(value: object) -> Hashable:
    """Return a hashable form, equal for equal settings; an unhashable object equals only itself."""
    if isinstance(value, Mapping):
        return frozenset((name, frozen(each)) for name, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    if isinstance(value, set | frozenset):
        return frozenset(map(frozen, value))
    try:
        hash(value)
    except TypeError:
        return _Itself(value)
    return value


class _Itself:
    """Wraps an unhashable object; equal only for the same object."""

    __slots__ = ("_it",)

    def __init__(self, it: object) -> None:
        self._it = it

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other._it is self._it

    @override
    def __hash__(self) -> int:
        return id(self._it)
