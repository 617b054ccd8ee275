"""Call overridden methods on their object, in the caller's mode."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from asgiref.sync import sync_to_async

from django_valkey.exceptions import ConfigurationError

CLIENT: Final = "OPTIONS['CLIENT_CLASS']"

# A ContextVar, not a thread-local: overrides also run in tasks and, by sync_to_async, in threads with a copied context.
_INSIDE: Final[ContextVar[tuple[object, ...]]] = ContextVar("_INSIDE", default=())
"""Objects with a running override. Their operations then use the built-in behaviour, so that no override recurses."""

Perform: TypeAlias = Callable[[Any, str, tuple[Any, ...], Mapping[str, Any]], object]
"""Calls a method of an object by the operation's name; its result may be awaitable in async code."""


def is_inside(target: object) -> bool:
    """Return True while an override of this object is running."""
    return any(each is target for each in _INSIDE.get())


@contextmanager
def _entered(target: object) -> Iterator[None]:
    token = _INSIDE.set((*_INSIDE.get(), target))
    try:
        yield
    finally:
        with suppress(ValueError):  # a discarded coroutine is closed in another context
            _INSIDE.reset(token)


def call(target: Any, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:
    """Call a method from sync code."""
    with _entered(target):
        return getattr(target, name)(*args, **kwargs)


async def acall(target: Any, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:
    """Call a method from async code: its coroutine under either name, else the sync method in a thread."""
    is_prefixed = hasattr(type(target), f"a{name}")
    function = getattr(target, f"a{name}" if is_prefixed else name)
    with _entered(target):
        if target.mode == "sync" and not is_prefixed:
            return await sync_to_async(function)(*args, **kwargs)
        found = function(*args, **kwargs)
        return await found if inspect.isawaitable(found) else found


def refuse(client: Any, name: str, *_: object) -> object:
    """Reject a sync call if the client is of a project's own async class.

    Raises:
        ConfigurationError: always; the message names the option.
    """
    path = f"{type(client).__module__}.{type(client).__qualname__}"
    cure = f"write: await cache.a{name}(…), or name a client for sync code"
    alias = client._wired.context.alias  # noqa: SLF001  # of this package
    raise ConfigurationError(f"the methods of {path} are coroutines; {cure}", alias=alias, key=CLIENT)
