"""What a class of the project's own overrides, found once for each class.

An attribute is the project's if the class that defines it is neither of this library nor of Django.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from django_valkey.methods import Methods, taking_more
from dvcache.operations import overriding
from dvcache.types import Op

_NOT_OWN: Final = frozenset({"dvcache", "django_valkey", "django", "builtins", "typing"})


def _operations() -> Iterator[tuple[str, Callable[..., Op[Any]]]]:
    for name in dir(Methods):
        method = getattr(Methods, name)
        if hasattr(method, "__wrapped__") and not inspect.isgeneratorfunction(method):
            yield name, method.__wrapped__


OPERATIONS: Final[Mapping[str, Callable[..., Op[Any]]]] = dict(_operations())
"""Every operation by its name."""

STREAMS: Final = frozenset(name for name in dir(Methods) if inspect.isgeneratorfunction(getattr(Methods, name)))
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
    return definer.__module__.partition(".")[0] not in _NOT_OWN


def own(cls: type, names: Iterable[str], prefix: str = "") -> frozenset[str]:
    """Return which of the names, each with the prefix before it, are the project's in a class."""
    return frozenset(name for name in names if is_own(cls, prefix + name))


def is_built_in(reference: object) -> bool:
    """Say whether a class, given by its dotted path or itself, is this library's. Nothing is imported."""
    module = reference.__module__ if isinstance(reference, type) else str(reference).strip()
    return module.partition(".")[0] == "django_valkey"
