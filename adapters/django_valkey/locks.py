"""Locks, by the arguments that django-valkey has, and with the errors that users of valkey-py's locks catch."""

# ruff: noqa: SLF001  # what the methods of a cache use of it

from collections.abc import Awaitable, Callable, Generator
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeAlias

from django_valkey import borrowed
from django_valkey.exceptions import LockError, LockNotOwnedError
from django_valkey.overrides.hooks import text
from dvcache import locks
from dvcache.binding import AsyncBound, Bound
from dvcache.types import Colour, Key

__all__ = ["AsyncLock", "ForeignLock", "Lock", "aget_lock", "get_lock"]


class Lock(locks.Lock):
    """A lock that one caller holds at a time, in whatever process. A context manager. Made by `get_lock`."""

    error = LockError
    not_owned = LockNotOwnedError


class AsyncLock(locks.AsyncLock):
    """A `Lock` whose methods are coroutines, for `async with`. Made by `aget_lock`, which may be awaited or not."""

    error = LockError
    not_owned = LockNotOwnedError

    def __await__(self) -> Generator[None, None, Self]:
        yield from ()
        return self


class ForeignLock:
    """A lock of the user's own class, made when it is awaited or entered: its client is had by awaiting.

    Args:
        make: makes the lock of valkey-py's client.
        client: the client to come.
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
    """What locks are had of: a cache, or its `client`."""

    def client_in(self, colour: Colour) -> Any:
        """Return the client class's object of a colour, whose `get_client` gives valkey-py's client."""
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
        """Return a lock on a key, which is not taken yet: `with` takes it and gives it back.

        Args:
            self: the cache.
            key: the lock's name, without prefix and version.
            version: the version to use; the alias's own where None.
            timeout: seconds after which it lapses if it is still held; None holds it until it is released.
            sleep: seconds, the longest pause between two questions to the server; more than 0.01 counts as 0.01.
            blocking: whether to wait for it.
            blocking_timeout: for how many seconds at the most; None for as long as it takes.
            client: a client of valkey-py's to use in place of the cache's connections.
            lock_class: a class of the project's own, which gets valkey-py's client and keeps its `sleep`.
            thread_local: whether only the thread that took it may release it.

        Raises:
            ValueError: a timeout of 0 or less.
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
    return Lock(borrowed.in_line(cx, client), borrowed.pool(client, "sync", cx.alias), stored, **terms)


def _alock(owner: Owner, name: Name, client: Any, own: Callable[..., Any] | None, terms: locks.Terms) -> Any:
    cx = owner._async_context
    stored = cx.keys.key(*name)
    if own is None and client is None:
        return AsyncLock(cx, owner._async_client, stored, **terms)
    if own is None:
        return AsyncLock(borrowed.in_line(cx, client), borrowed.pool(client, "async", cx.alias), stored, **terms)

    async def found() -> Any:
        return client or await owner.client_in("async").get_client()

    return ForeignLock(lambda client: own(client, text(stored), **terms), found)


get_lock: Final = _getter(_lock)
aget_lock: Final = _getter(_alock)
