"""Decorators that return a value if the server gives no reply, for code written against django-valkey.

The backends of this package do not use them: there IGNORE_EXCEPTIONS is a policy.
"""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, TypeVar

from django_valkey._overrides.discovery import OPERATIONS, STREAMS
from django_valkey.exceptions import ConnectionInterrupted

CONNECTION_INTERRUPTED: Final = object()
"""Result of a decorated `_get` without a reply; its caller then returns the default."""
ATTR_DOES_NOT_EXIST: Final = object()

T = TypeVar("T", bound=type)
Method = Callable[..., Any]


def omit_exception(method: Method | None = None, return_value: Any = None, gen: bool = False) -> Any:
    """Decorate a method to return a value if the server gives no reply and the object ignores exceptions.

    Args:
        method: the method; None to decorate with arguments.
        return_value: the value to return.
        gen: whether the method returns an iterator; it then ends.

    Raises:
        Exception: the cause of `ConnectionInterrupted`, if the object does not ignore exceptions.
    """
    if method is None:
        return functools.partial(omit_exception, return_value=return_value, gen=gen)

    @functools.wraps(method)
    def plain(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except ConnectionInterrupted as error:
            return _omitted(self, error, return_value)

    @functools.wraps(method)
    def iterating(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from method(self, *args, **kwargs)
        except ConnectionInterrupted as error:
            _omitted(self, error, return_value)

    return iterating if gen else plain


def omit_exception_async(method: Method | None = None, return_value: Any = None, gen: bool = False) -> Any:
    """Decorate a coroutine method or an async generator. Arguments are those of `omit_exception`."""
    if method is None:
        return functools.partial(omit_exception_async, return_value=return_value, gen=gen)

    @functools.wraps(method)
    async def plain(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await method(self, *args, **kwargs)
        except ConnectionInterrupted as error:
            return _omitted(self, error, return_value)

    @functools.wraps(method)
    async def iterating(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        try:
            async for item in method(self, *args, **kwargs):
                yield item
        except ConnectionInterrupted as error:
            _omitted(self, error, return_value)

    return iterating if gen or inspect.isasyncgenfunction(method) else plain


def _omitted(self: Any, error: ConnectionInterrupted, value: Any) -> Any:
    if not getattr(self, "_ignore_exceptions", False):
        # As in django-valkey, the caller gets valkey-py's error, from which ConnectionInterrupted was raised.
        raise error.__cause__ if type(error) is ConnectionInterrupted and error.__cause__ is not None else error
    if getattr(self, "_log_ignored_exceptions", False):
        self.logger.error("Exception ignored", exc_info=error)
    return value


def decorate_all_methods(decorator: Callable[..., Any]) -> Callable[[T], T]:
    """Return a class decorator that decorates every operation and every method that the class defines.

    `get` and `get_or_set` are excluded: they call `_get`, which is decorated.
    """

    def decorate(cls: T) -> T:
        for name in {*OPERATIONS, *STREAMS, *vars(cls)} - {"get", "get_or_set"}:
            method = getattr(cls, name, None)
            if name.startswith("__") or not inspect.isfunction(method):
                continue
            values = {"_get": CONNECTION_INTERRUPTED, "get_many": {}}
            arguments = {"gen": True} if name in STREAMS else {"return_value": values[name]} if name in values else {}
            setattr(cls, name, decorator(method, **arguments))
        return cls

    return decorate
