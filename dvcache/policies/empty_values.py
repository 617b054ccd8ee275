"""Empty values: results of operations without a reply, if errors are ignored. Each stands at its operation.

An entry counts as missing. A counter or a length is None: callers compare it with a limit (rate limiting), and 0 would
let every request pass.
"""

import inspect
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

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
    def called(*args: object, **kwargs: object) -> object:
        signature = inspect.signature(operation)
        kinds = [each.kind for each in signature.parameters.values()]
        if inspect.Parameter.VAR_POSITIONAL not in kinds:  # an adapter may add arguments (`client=`)
            args = args[: len(kinds) - kinds.count(inspect.Parameter.KEYWORD_ONLY)]
        bound = signature.bind_partial(*args, **{each: kwargs[each] for each in kwargs.keys() & signature.parameters})
        bound.apply_defaults()
        return value(*(bound.arguments[name] for name in inspect.signature(value).parameters))

    return called
