"""Arguments of other libraries: django-valkey's `ignore_key_check`, django-redis 7's names for hashes and fields."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Final, ParamSpec, TypeVar

from dvcache.types import DEFAULT

P = ParamSpec("P")
T = TypeVar("T")

_NAMES: Final = {"key": "name", "field": "key", "fields": "keys"}
"""django-redis 7's names for a hash, a field and fields; and ours."""


def created(default: Any, timeout: Any) -> tuple[Any, Any]:
    """Return the default and the timeout for `ignore_key_check`: a missing entry starts at 0 and does not expire."""
    return 0 if default is None else default, None if timeout is DEFAULT else timeout


def takes_field(method: Callable[P, T]) -> Callable[P, T]:
    """Make a method also take `key`, `field`: django-redis 7's names for the hash and the field."""
    return _renaming(method, _is_of_field)


def takes_fields(method: Callable[P, T]) -> Callable[P, T]:
    """Make a method also take `key`, `fields`: django-redis 7's names for the hash and its fields."""
    return _renaming(method, _is_of_fields)


def _renaming(method: Callable[P, T], is_other: Callable[[Any, Any], bool]) -> Callable[P, T]:
    function: Any = method
    if iscoroutinefunction(method):

        @wraps(method)
        async def taking_async(*args: Any, **given: Any) -> Any:
            return await function(*args, **(_renamed(given) if given and is_other(args, given) else given))

        found: Any = taking_async
        return found  # type: ignore[no-any-return]  # a coroutine function, as the method

    @wraps(method)
    def taking(*args: Any, **given: Any) -> Any:
        return function(*args, **(_renamed(given) if given and is_other(args, given) else given))

    return taking


def _is_of_field(args: tuple[Any, ...], given: dict[str, Any]) -> bool:
    if "field" in given:
        return True
    # `key` is the hash if no field is given but a mapping of fields.
    return "key" in given and len(args) == 1 and not {"name", "value"} & given.keys() and bool(_MANY & given.keys())


_MANY: Final = frozenset({"mapping", "items"})


def _is_of_fields(_: tuple[Any, ...], given: dict[str, Any]) -> bool:
    return "key" in given or "fields" in given


def _renamed(given: dict[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(name, name): value for name, value in given.items()}
