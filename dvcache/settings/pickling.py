"""Immutable parts of settings: picklable for another process, and without credentials in `repr`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Self, TypeVar

from typing_extensions import override

T = TypeVar("T")


class Arguments(Mapping[str, Any]):
    """Connection arguments by name. `repr` shows only the names, since values may be credentials.

    Args:
        given: the arguments; they are copied.
    """

    __slots__ = ("_given",)

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given: Final = dict(given)

    @override
    def __getitem__(self, name: str) -> Any:
        return self._given[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    @override
    def __len__(self) -> int:
        return len(self._given)

    @override
    def __repr__(self) -> str:
        return f"<arguments: {', '.join(self._given) or 'none'}>"

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return Arguments, (self._given,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class _Named:
    """Pickled form of an object compared by identity: the module and name where another process finds its own."""

    module: str
    name: str


_names: Final[list[tuple[object, _Named]]] = []


def name(marker: object, module: str, attribute: str) -> None:
    """Register an object that is compared by identity, to be pickled by its name.

    Args:
        marker: the object.
        module: the module that defines it.
        attribute: its name in that module.
    """
    _names.append((marker, _Named(module, attribute)))


def pickled(value: object) -> object:
    """Return the registered name of a value, or the value itself."""
    return next((named for marker, named in _names if marker is value), value)


def restored(cls: type[T], values: Mapping[str, Any]) -> T:
    """Create an object from pickled field values; `pickle` calls this."""
    return cls(**{key: _found(value) if isinstance(value, _Named) else value for key, value in values.items()})


def _found(named: _Named) -> object:
    return getattr(import_module(named.module), named.name)
