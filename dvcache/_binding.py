"""Bind operations as methods of the sync and async facades, keeping their signatures."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_args

from dvcache.context import Context
from dvcache.drive import apaged, arun, paged, run
from dvcache.effects import Op, Pages
from dvcache.protocols import AsyncClient, Client

P = ParamSpec("P")
T = TypeVar("T")


class Bound(Protocol):
    """Attributes that a method made by `sync` uses."""

    _context: Context
    _client: Client


class AsyncBound(Protocol):
    """Attributes that a method made by `aio` uses."""

    _async_context: Context
    _async_client: AsyncClient


def sync(op: Callable[Concatenate[Context, P], Op[T]]) -> Callable[Concatenate[Bound, P], T]:
    """Return a method that runs an operation on the object's `_client`, in its `_context`."""
    name = op.__name__

    def method(self: Bound, /, *args: P.args, **kwargs: P.kwargs) -> T:
        cx = self._context
        flow = op(cx, *args, **kwargs)
        guard = cx.policy.guard
        return run(flow if guard is None else guard(cx, name, flow, args, kwargs), self._client)

    return described(method, op, returned(op))


def aio(op: Callable[Concatenate[Context, P], Op[T]]) -> Callable[Concatenate[AsyncBound, P], Coroutine[Any, Any, T]]:
    """Return an asynchronous method that runs an operation as `sync` does, on `_async_client`, in `_async_context`."""
    name = op.__name__

    async def method(self: AsyncBound, /, *args: P.args, **kwargs: P.kwargs) -> T:
        cx = self._async_context
        flow = op(cx, *args, **kwargs)
        guard = cx.policy.guard
        return await arun(flow if guard is None else guard(cx, name, flow, args, kwargs), self._async_client)

    return described(method, op, returned(op))


def stream(op: Callable[Concatenate[Context, P], Pages[T]]) -> Callable[Concatenate[Bound, P], Iterator[T]]:
    """Return a method that iterates over an operation's results; each page is fetched as `sync` would fetch it."""
    name = op.__name__

    def method(self: Bound, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        cx = self._context
        yield from paged(cx, self._client, name, op(cx, *args, **kwargs), (args, kwargs))

    return described(method, op, Iterator[_item(op)])  # type: ignore[misc]  # an annotation built at run time


def astream(
    op: Callable[Concatenate[Context, P], Pages[T]],
) -> Callable[Concatenate[AsyncBound, P], AsyncGenerator[T, None]]:
    """Return an asynchronous iterator method, as `stream` does."""
    name = op.__name__

    async def method(self: AsyncBound, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        cx = self._async_context
        async for item in apaged(cx, self._async_client, name, op(cx, *args, **kwargs), (args, kwargs)):
            yield item

    return described(method, op, AsyncIterator[_item(op)])  # type: ignore[misc]  # as above


def returned(op: Callable[..., Any]) -> Any:
    """Return the annotation of an operation's result."""
    return get_args(inspect.signature(op).return_annotation)[-1]


def _item(op: Callable[..., Any]) -> Any:
    """Return the annotation of one item of an operation's pages."""
    [_, sequence] = get_args(get_args(returned(op))[-1])
    return get_args(sequence)[0]


def described(method: Callable[P, T], op: Callable[..., Any], annotation: object) -> Callable[P, T]:
    """Set a method's name, docstring and signature to the operation's, minus the context."""
    signature = inspect.signature(op)
    first, *rest = signature.parameters.values()
    method.__name__ = op.__name__
    method.__qualname__ = op.__name__
    method.__doc__ = op.__doc__
    method.__wrapped__ = op  # type: ignore[attr-defined]  # as functools.wraps does
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]  # inspect.signature reads it
        parameters=[first.replace(name="self", annotation=first.empty), *rest], return_annotation=annotation
    )
    return method
