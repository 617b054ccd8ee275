"""Locks with django-valkey's arguments, and errors compatible with valkey-py's locks."""

# ruff: noqa: SLF001  # these functions become methods of a cache

from collections.abc import Awaitable, Callable, Generator
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeAlias

from django_valkey._methods import client_argument
from django_valkey._overrides.hooks import text
from django_valkey.exceptions import LockError, LockNotOwnedError
from dvcache import locks
from dvcache._binding import AsyncBound, Bound
from dvcache.types import Key, Mode

__all__ = ["AsyncLock", "ForeignLock", "Lock", "aget_lock", "get_lock"]


class Lock(locks.Lock):
    """A lock across processes, held by one caller at a time. A context manager; returned by `get_lock`."""

    error = LockError
    not_owned = LockNotOwnedError


class AsyncLock(locks.AsyncLock):
    """A `Lock` with coroutine methods, for `async with`. Returned by `aget_lock`, awaited or not."""

    error = LockError
    not_owned = LockNotOwnedError

    def __await__(self) -> Generator[None, None, Self]:
        yield from ()
        return self


class ForeignLock:
    """A lock of the user's own class, created when awaited or entered, since its client has to be awaited.

    Args:
        make: creates the lock from a valkey-py client.
        client: returns the client.
    """

    def __init__(self, make: Callable[[Any], Any], client: Callable[[], Awaitable[Any]]) -> None:
        self._make: Final = make
        self._client: Final = client
        self._lock: Any = None

    async def _made(self) -> Any:
        if self._lock is None:
            self._lock = self._make(await self._client())
        return self._lock

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._made().__await__()

    async def __aenter__(self) -> Any:
        lock = await self._made()
        return await lock.__aenter__()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        return await self._lock.__aexit__(exc_type, exc, traceback)


class Owner(Bound, AsyncBound, Protocol):
    """Owner of locks: a cache, or its `client`."""

    def client_in(self, mode: Mode) -> Any:
        """Return the client object of a mode; its `get_client` returns a valkey-py client."""
        ...


Name: TypeAlias = tuple[Key, int | None]
"""Key and version."""

Make: TypeAlias = Callable[[Owner, Name, Any, Callable[..., Any] | None, locks.Terms], Any]


def _getter(make: Make) -> Callable[..., Any]:
    def get_lock(  # noqa: PLR0917  # the order of django-valkey
        self: Owner,
        key: Key,
        version: int | None = None,
        timeout: float | timedelta | None = None,
        sleep: float = 0.1,
        blocking: bool = True,
        blocking_timeout: float | None = None,
        client: Any = None,
        lock_class: Callable[..., Any] | None = None,
        thread_local: bool = True,
    ) -> Any:
        """Return a lock on a key, not yet acquired: `with` acquires and releases it.

        Args:
            self: the cache.
            key: the lock's name, without prefix and version.
            version: the version; None for the alias's own.
            timeout: seconds after which the lock expires if still held; None for no expiry.
            sleep: maximum seconds between two attempts on the server; values above 0.01 count as 0.01.
            blocking: whether to wait for the lock.
            blocking_timeout: maximum seconds to wait; None for no limit.
            client: a valkey-py client to use in place of the cache's connections.
            lock_class: a class of the project's own; it gets a valkey-py client, and `sleep` unchanged.
            thread_local: whether only the thread that acquired the lock may release it.

        Raises:
            ValueError: a timeout is 0 or less.
        """
        terms: locks.Terms = {
            "timeout": timeout,
            "sleep": sleep,
            "blocking": blocking,
            "blocking_timeout": blocking_timeout,
            "thread_local": thread_local,
        }
        return make(self, (key, version), client, lock_class, terms)

    return get_lock


def _lock(owner: Owner, name: Name, client: Any, own: Callable[..., Any] | None, terms: locks.Terms) -> Any:
    cx = owner._context
    stored = cx.keys.key(*name)
    if own is not None:
        return own(client or owner.client_in("sync").get_client(), text(stored), **terms)
    if client is None:
        return Lock(cx, owner._client, stored, **terms)
    return Lock(client_argument.in_line(cx, client), client_argument.pool(client, "sync", cx.alias), stored, **terms)


def _alock(owner: Owner, name: Name, client: Any, own: Callable[..., Any] | None, terms: locks.Terms) -> Any:
    cx = owner._async_context
    stored = cx.keys.key(*name)
    if own is None and client is None:
        return AsyncLock(cx, owner._async_client, stored, **terms)
    if own is None:
        return AsyncLock(
            client_argument.in_line(cx, client), client_argument.pool(client, "async", cx.alias), stored, **terms
        )

    async def found() -> Any:
        return client or await owner.client_in("async").get_client()

    return ForeignLock(lambda client: own(client, text(stored), **terms), found)


get_lock: Final = _getter(_lock)
aget_lock: Final = _getter(_alock)
