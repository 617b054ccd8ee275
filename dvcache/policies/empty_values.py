"""Empty values: results of operations without a reply, if errors are ignored. Each stands at its operation.

An entry counts as missing. A counter or a length is None: callers compare it with a limit (rate limiting), and 0 would
let every request pass.
"""

import inspect
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

Argument: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], Any]
"""Returns one argument of a call, given its positional and its keyword arguments."""

EMPTY: Final[dict[str, Callable[..., object]]] = {}
"""By operation, a function of the call's arguments that returns its empty value."""


def empty_value(value: object) -> Callable[[F], F]:
    """Return a decorator that sets an operation's empty value.

    Args:
        value: copied for each call; or a function, called with those of the operation's arguments that it names.
    """

    def registered(operation: F) -> F:
        EMPTY[operation.__name__] = _computed(operation, value) if callable(value) else lambda *_, **__: deepcopy(value)
        return operation

    return registered


def _computed(operation: Callable[..., Any], value: Callable[..., object]) -> Callable[..., object]:
    # On the first call: signatures cost import time, and each of them ten times a call that sends nothing.
    arguments = cache(lambda: _arguments(operation, value))

    def called(*args: Any, **kwargs: Any) -> object:
        return value(*[argument(args, kwargs) for argument in arguments()])

    return called


def _arguments(operation: Callable[..., Any], value: Callable[..., object]) -> list[Argument]:
    """Return a function for each argument of the operation that `value` names."""
    parameters = inspect.signature(operation).parameters
    positions = {name: position for position, name in enumerate(parameters)}
    return [_argument(parameters[name], positions[name]) for name in inspect.signature(value).parameters]


def _argument(parameter: inspect.Parameter, position: int) -> Argument:
    """Return a function that finds an argument in those of a call, to which an adapter may have added (`client=`)."""
    name, default = parameter.name, parameter.default
    if parameter.kind is parameter.VAR_POSITIONAL:
        return lambda args, _: args[position:]
    if parameter.kind is parameter.KEYWORD_ONLY:
        return lambda _, kwargs: kwargs.get(name, default)
    if default is parameter.empty:
        return lambda args, kwargs: args[position] if position < len(args) else kwargs[name]
    return lambda args, kwargs: args[position] if position < len(args) else kwargs.get(name, default)
