"""The facades: every operation bound to a driver, one line a method."""

# ruff: noqa: ASYNC109  # the timeout is the entry's

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, get_args, overload

from dvcache.drive import arun, run
from dvcache.operations import counters, expiry, many, scan, values, versions
from dvcache.operations.context import Context
from dvcache.protocols import AsyncClient, Client
from dvcache.types import DEFAULT, Key, Op, Timeout

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

    _set = sync(values.set)
    _get_or_set = sync(values.get_or_set)
    get = sync(values.get)
    exchange = sync(values.exchange)
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

    @overload
    def set(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: Literal[False] = False,
    ) -> bool: ...
    @overload
    def set(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: bool,
    ) -> object: ...
    def set(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: bool = False,
    ) -> object:
        """Store a value and say whether it was stored; with `get`, return the value that was there before, or None.

        Args:
            key: the entry's name, without prefix and version.
            value: what to store.
            timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less deletes the entry.
            version: the version to store under; the alias's own where None.
            nx: store only where there is no entry.
            xx: store only where there is one.
            get: return the previous value.

        Raises:
            SerializationError: the value cannot be stored; nothing was sent.
            ValueError: both `nx` and `xx`, or a timeout that is not a number.
        """
        if get:
            return self.exchange(key, value, timeout, version, nx=nx, xx=xx)
        return self._set(key, value, timeout, version, nx=nx, xx=xx)

    @overload
    def get_or_set(
        self, key: Key, default: Callable[[], T], timeout: Timeout = DEFAULT, version: int | None = None
    ) -> T: ...
    @overload
    def get_or_set(self, key: Key, default: T, timeout: Timeout = DEFAULT, version: int | None = None) -> T: ...
    def get_or_set(self, key: Key, default: object, timeout: Timeout = DEFAULT, version: int | None = None) -> object:
        """Return the value of an entry; where there is none, store `default` and return it.

        Of callers that find no entry at once, each computes; the first one's value is stored, and all return that.

        Args:
            key: the entry's name, without prefix and version.
            default: the value, or a function that makes it.
            timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less stores nothing.
            version: the version to use; the alias's own where None.

        Raises:
            SerializationError: the value cannot be stored; nothing was sent after it was made.
        """
        return self._get_or_set(key, default, timeout, version)

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

    _set = aio(values.set)
    _get_or_set = aio(values.get_or_set)
    get = aio(values.get)
    exchange = aio(values.exchange)
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

    @overload
    async def set(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: Literal[False] = False,
    ) -> bool: ...
    @overload
    async def set(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: bool,
    ) -> object: ...
    async def set(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: bool = False,
    ) -> object:
        """Store a value and say whether it was stored; with `get`, return the value that was there before, or None.

        Args:
            key: the entry's name, without prefix and version.
            value: what to store.
            timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less deletes the entry.
            version: the version to store under; the alias's own where None.
            nx: store only where there is no entry.
            xx: store only where there is one.
            get: return the previous value.

        Raises:
            SerializationError: the value cannot be stored; nothing was sent.
            ValueError: both `nx` and `xx`, or a timeout that is not a number.
        """
        if get:
            return await self.exchange(key, value, timeout, version, nx=nx, xx=xx)
        return await self._set(key, value, timeout, version, nx=nx, xx=xx)

    @overload
    async def get_or_set(
        self, key: Key, default: Callable[[], Awaitable[T]], timeout: Timeout = DEFAULT, version: int | None = None
    ) -> T: ...
    @overload
    async def get_or_set(
        self, key: Key, default: Callable[[], T], timeout: Timeout = DEFAULT, version: int | None = None
    ) -> T: ...
    @overload
    async def get_or_set(self, key: Key, default: T, timeout: Timeout = DEFAULT, version: int | None = None) -> T: ...
    async def get_or_set(
        self, key: Key, default: object, timeout: Timeout = DEFAULT, version: int | None = None
    ) -> object:
        """Return the value of an entry; where there is none, store `default` and return it.

        Of callers that find no entry at once, each computes; the first one's value is stored, and all return that.

        Args:
            key: the entry's name, without prefix and version.
            default: the value, or a function that makes it; what the function returns is awaited if it can be.
            timeout: seconds or a timedelta, to the millisecond; None for ever; 0 or less stores nothing.
            version: the version to use; the alias's own where None.

        Raises:
            SerializationError: the value cannot be stored; nothing was sent after it was made.
        """
        return await self._get_or_set(key, default, timeout, version)

    async def iter_keys(
        self, search: str, itersize: int | None = None, version: int | None = None
    ) -> AsyncIterator[str]:
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
