"""Find the overrides of a project's own class.

An attribute counts as an override if its defining class belongs neither to this library nor to Django.
"""

import inspect
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from django_valkey._methods.calls_with_client import ModalOperation
from django_valkey._methods.methods import Methods
from dvcache.types import Mode

_NOT_OWN: Final = frozenset({"dvcache", "django_valkey", "django", "builtins", "typing"})
_GENERATED: Final = "django_valkey._methods.generated."

Operations: TypeAlias = Mapping[str, ModalOperation]
"""Operations by name."""


@cache
def operations(cls: Any, prefix: str = "") -> Operations:
    """Return the operations behind a class's library methods, overridden or not.

    Args:
        cls: the class.
        prefix: prefix of the method names, such as "a".
    """
    found: dict[str, ModalOperation] = {}
    for each in filter(_is_library, cls.__mro__):
        for name, method in vars(each).items():
            if name.startswith(prefix) and (operation := _operation(name.removeprefix(prefix), method)):
                found.setdefault(name.removeprefix(prefix), operation)
    return found


def _operation(name: str, method: Any) -> ModalOperation | None:
    """Return the operation of this name behind a generated method, None if there is none."""
    if not inspect.isfunction(method) or not method.__module__.startswith(_GENERATED) or _streams(method):
        return None
    # A module of methods is generated from the module of operations with the same name.
    module = sys.modules[f"dvcache.operations.{method.__module__.removeprefix(_GENERATED)}"]
    operation = getattr(module, name, None)
    mode: Mode = "async" if inspect.iscoroutinefunction(method) else "sync"
    return None if operation is None else ModalOperation(operation, mode)


def _streams(method: Any) -> bool:
    return inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method)


def _is_library(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in _NOT_OWN


OPERATIONS: Final = operations(Methods)
"""Operations of every cache and every client."""

STREAMS: Final = frozenset(name for name in dir(Methods) if _streams(getattr(Methods, name)))
"""Names of the methods that yield page by page."""

CLIENT_HOOKS: Final = ("make_key", "make_pattern", "encode", "decode")
CHOOSING: Final = ("get_client", "get_client_with_index", "get_next_client_index", "connect", "_get_client")
"""Methods that choose the valkey-py client for a command."""

CACHE_HOOKS: Final = (*CLIENT_HOOKS, "validate_key", "make_and_validate_key", "get_backend_timeout")


def is_own(cls: type, name: str) -> bool:
    """Return True if the project defined this attribute of a class."""
    return not _is_library(next((each for each in cls.__mro__ if name in vars(each)), object))


def own(cls: type, names: Iterable[str], prefix: str = "") -> frozenset[str]:
    """Return the names whose attribute, with the prefix, the project defined."""
    return frozenset(name for name in names if is_own(cls, prefix + name))


def is_built_in(reference: object) -> bool:
    """Return True if a class or dotted path belongs to this library. Nothing is imported."""
    module = reference.__module__ if isinstance(reference, type) else str(reference).strip()
    return module.partition(".")[0] == "django_valkey"
