"""The methods of the core's facades with `client=`, which nearly every method of django-valkey takes."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django_valkey import borrowed, locks
from dvcache.binding import aio, astream, stream, sync
from dvcache.cache import AsyncCache, Cache
from dvcache.operations.context import Context
from dvcache.types import Colour

C = TypeVar("C", bound=type)

_CLIENT: Final = inspect.Parameter("client", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Any)


def taking_client(cls: C) -> C:
    """Bind the operations of a class again, so that each takes `client`."""
    for name in dir(cls):
        method = getattr(cls, name)
        op = getattr(method, "__wrapped__", None)
        if op is not None:
            setattr(cls, name, _bound(method, op))
    return cls


def _bound(method: Callable[..., Any], op: Callable[..., Any]) -> Any:
    if inspect.isgeneratorfunction(method):
        return stream(_pages(op, "sync"))
    if inspect.isasyncgenfunction(method):
        return astream(_pages(op, "async"))
    if inspect.iscoroutinefunction(method):
        return aio(op, _operation(op, "async"))
    return sync(op, _operation(op, "sync"))


def _operation(op: Callable[..., Any], colour: Colour) -> Callable[..., Any]:
    @wraps(op)
    def taking(cx: Context, /, *args: Any, **kwargs: Any) -> Any:
        client = kwargs.pop("client", None)
        if client is None:
            return op(cx, *args, **kwargs)
        cx = borrowed.undivided(cx, client)
        return borrowed.on(client, colour, op.__name__, cx, op(cx, *args, **kwargs))

    return _signed(taking, op)


def _pages(op: Callable[..., Any], colour: Colour) -> Callable[..., Any]:
    @wraps(op)
    def taking(cx: Context, /, *args: Any, **kwargs: Any) -> Any:
        client = kwargs.pop("client", None)
        pages = op(cx, *args, **kwargs)
        return pages if client is None else borrowed.pages_on(client, colour, op.__name__, cx, pages)

    return _signed(taking, op)


def _signed(taking: Callable[..., Any], op: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(op)
    parameters = [*signature.parameters.values(), _CLIENT]
    taking.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # inspect reads it
    return taking


@taking_client
class Methods(Cache):
    """The methods of `dvcache.Cache`."""

    get_lock = lock = locks.get_lock


@taking_client
class AsyncMethods(AsyncCache):
    """The methods of `dvcache.AsyncCache`."""

    get_lock = lock = locks.aget_lock
