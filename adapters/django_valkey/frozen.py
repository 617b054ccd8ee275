"""Settings as keys: what is kept for each of them is found by their value."""

from collections.abc import Hashable, Mapping

from typing_extensions import override


def frozen(value: object) -> Hashable:
    """Return what can be a key, and is equal for equal settings; an object without a hash equals only itself."""
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
    """An object that has no hash, equal to itself only."""

    __slots__ = ("_it",)

    def __init__(self, it: object) -> None:
        self._it = it

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other._it is self._it

    @override
    def __hash__(self) -> int:
        return id(self._it)
