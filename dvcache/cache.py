"""The facades: every operation bound to a driver, one line a method."""

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_args

from dvcache.drive import arun, run
from dvcache.operations import counters, expiry, many, scan, values, versions
from dvcache.operations.context import Context
from dvcache.protocols import AsyncClient, Client
from dvcache.signatures import AsyncGetOrSet, AsyncSet, GetOrSet, Set
from dvcache.types import Key, Op

P = ParamSpec("P")
T = TypeVar("T")


class Bound(Protocol):
    """What a method made by `sync` finds on its object."""

    _context: Context
    _client: Client


class AsyncBound(Protocol):
    """What a method made by `aio` finds on its object."""

    _context: Context
    _async_client: AsyncClient


def sync(op: Callable[Concatenate[Context, P], Op[T]]) -> Callable[Concatenate[Bound, P], T]:
    """Make a method of an operation: it runs on the object's `_client`, in the object's `_context`."""
    name = op.__name__

    def method(self: Bound, /, *args: P.args, **kwargs: P.kwargs) -> T:
        cx = self._context
        flow = op(cx, *args, **kwargs)
        guard = cx.policy.guard
        return run(flow if guard is None else guard(cx, name, flow, args, kwargs), self._client)

    return _described(method, op)


def aio(
    op: Callable[Concatenate[Context, P], Op[T]],
) -> Callable[Concatenate[AsyncBound, P], Coroutine[Any, Any, T]]:
    """Make an asynchronous method of an operation, as `sync`, on the object's `_async_client`."""
    name = op.__name__

    async def method(self: AsyncBound, /, *args: P.args, **kwargs: P.kwargs) -> T:
        cx = self._context
        flow = op(cx, *args, **kwargs)
        guard = cx.policy.guard
        return await arun(flow if guard is None else guard(cx, name, flow, args, kwargs), self._async_client)

    return _described(method, op)


def _described(method: Callable[P, T], op: Callable[..., Any]) -> Callable[P, T]:
    """Give a method the operation's name, docstring and signature, without the context and the generator."""
    signature = inspect.signature(op)
    first, *rest = signature.parameters.values()
    method.__name__ = op.__name__
    method.__qualname__ = op.__name__
    method.__doc__ = op.__doc__
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]  # functions take it, and inspect reads it
        parameters=[first.replace(name="self", annotation=first.empty), *rest],
        return_annotation=get_args(signature.return_annotation)[-1],
    )
    return method


class Cache:
    """A cache whose methods wait for the server. May be shared by threads.

    Args:
        context: keys, codec, policy and expiry of this wiring.
        client: what runs the commands.
    """

    def __init__(self, context: Context, client: Client) -> None:
        self._context = context
        self._client = client

    get = sync(values.get)
    set: Set = sync(values.set)  # type: ignore[arg-type, assignment]  # see signatures
    get_or_set: GetOrSet = sync(values.get_or_set)  # type: ignore[assignment]  # see signatures
    add = sync(values.add)
    delete = sync(values.delete)
    touch = sync(values.touch)
    has_key = sync(values.has_key)
    get_many = sync(many.get_many)
    set_many = sync(many.set_many)
    delete_many = sync(many.delete_many)
    mget = sync(many.mget)
    mset = sync(many.mset)
    incr = sync(counters.incr)
    decr = sync(counters.decr)
    incr_version = sync(versions.incr_version)
    decr_version = sync(versions.decr_version)
    ttl = sync(expiry.ttl)
    pttl = sync(expiry.pttl)
    persist = sync(expiry.persist)
    expire = sync(expiry.expire)
    expire_at = sync(expiry.expire_at)
    pexpire = sync(expiry.pexpire)
    pexpire_at = sync(expiry.pexpire_at)
    keys = sync(scan.keys)
    scan_page = sync(scan.scan_page)
    delete_pattern = sync(scan.delete_pattern)
    clear = sync(scan.clear)

    def iter_keys(self, search: str, itersize: int | None = None, version: int | None = None) -> Iterator[str]:
        """Yield the names of the entries that match a pattern, page by page. A name may come more than once.

        Arguments and errors are those of `scan_page`.
        """
        cursor, names = self.scan_page(search, 0, version, itersize=itersize)
        yield from names
        while cursor:
            cursor, names = self.scan_page(search, cursor, version, itersize=itersize)
            yield from names

    def __contains__(self, key: Key) -> bool:
        return self.has_key(key)


class AsyncCache:
    """A cache whose methods are awaited. May be shared by event loops.

    Args:
        context: keys, codec, policy and expiry of this wiring.
        client: what runs the commands.
    """

    def __init__(self, context: Context, client: AsyncClient) -> None:
        self._context = context
        self._async_client = client

    get = aio(values.get)
    set: AsyncSet = aio(values.set)  # type: ignore[arg-type, assignment]  # see signatures
    get_or_set: AsyncGetOrSet = aio(values.get_or_set)  # type: ignore[assignment]  # see signatures
    add = aio(values.add)
    delete = aio(values.delete)
    touch = aio(values.touch)
    has_key = aio(values.has_key)
    get_many = aio(many.get_many)
    set_many = aio(many.set_many)
    delete_many = aio(many.delete_many)
    mget = aio(many.mget)
    mset = aio(many.mset)
    incr = aio(counters.incr)
    decr = aio(counters.decr)
    incr_version = aio(versions.incr_version)
    decr_version = aio(versions.decr_version)
    ttl = aio(expiry.ttl)
    pttl = aio(expiry.pttl)
    persist = aio(expiry.persist)
    expire = aio(expiry.expire)
    expire_at = aio(expiry.expire_at)
    pexpire = aio(expiry.pexpire)
    pexpire_at = aio(expiry.pexpire_at)
    keys = aio(scan.keys)
    scan_page = aio(scan.scan_page)
    delete_pattern = aio(scan.delete_pattern)
    clear = aio(scan.clear)

    async def iter_keys(
        self, search: str, itersize: int | None = None, version: int | None = None
    ) -> AsyncGenerator[str, None]:
        """Yield the names of the entries that match a pattern, page by page. A name may come more than once.

        Arguments and errors are those of `scan_page`.
        """
        cursor, names = await self.scan_page(search, 0, version, itersize=itersize)
        for name in names:
            yield name
        while cursor:
            cursor, names = await self.scan_page(search, cursor, version, itersize=itersize)
            for name in names:
                yield name
