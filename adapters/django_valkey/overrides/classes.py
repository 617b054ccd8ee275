"""What a class of the project's own overrides, found once for each class.

An attribute is the project's if the class that defines it is neither of this library nor of Django.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from django_valkey.methods import Methods, taking_more
from dvcache.operations import overriding
from dvcache.types import Op

_NOT_OWN: Final = frozenset({"dvcache", "django_valkey", "django", "builtins", "typing"})


Operations: TypeAlias = Mapping[str, Callable[..., Op[Any]]]
"""Operations by their names."""


@cache
def operations(cls: Any, prefix: str = "") -> Operations:
    """Return the operations that a class has as methods of this library, whether or not the project overrides them.

    Args:
        cls: the class.
        prefix: what the methods' names have before those of the operations.
    """
    found: dict[str, Callable[..., Op[Any]]] = {}
    for each in filter(_is_library, cls.__mro__):
        for name, method in vars(each).items():
            operation = getattr(method, "__wrapped__", None)
            if inspect.isfunction(method) and operation and name == prefix + method.__name__ and not _streams(method):
                found.setdefault(method.__name__, operation)
    return found


def _streams(method: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method)


def _is_library(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in _NOT_OWN


OPERATIONS: Final = operations(Methods)
"""Those that every cache and every client has."""

STREAMS: Final = frozenset(name for name in dir(Methods) if _streams(getattr(Methods, name)))
"""The names of what yields page by page."""

COUNTERS: Final = {op.__name__: taking_more(op, "sync") for op in (overriding.incr, overriding.decr)}
"""Those for numbers that the project's `get` and `set` read and write."""

CLIENT_HOOKS: Final = ("make_key", "make_pattern", "encode", "decode")
CHOOSING: Final = ("get_client", "get_client_with_index", "get_next_client_index", "connect", "_get_client")
"""What says which client of valkey-py's carries a command."""

CACHE_HOOKS: Final = (*CLIENT_HOOKS, "validate_key", "make_and_validate_key", "get_backend_timeout")


def is_own(cls: type, name: str) -> bool:
    """Say whether a class has an attribute of this name that the project defined."""
    definer = next((each for each in cls.__mro__ if name in vars(each)), object)
    return not _is_library(definer)


def own(cls: type, names: Iterable[str], prefix: str = "") -> frozenset[str]:
    """Return which of the names, each with the prefix before it, are the project's in a class."""
    return frozenset(name for name in names if is_own(cls, prefix + name))


def is_built_in(reference: object) -> bool:
    """Say whether a class, given by its dotted path or itself, is this library's. Nothing is imported."""
    module = reference.__module__ if isinstance(reference, type) else str(reference).strip()
    return module.partition(".")[0] == "django_valkey"
