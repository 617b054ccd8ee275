"""Locks with django-valkey's arguments."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, overload

from django_valkey._methods import client_argument
from django_valkey._methods.lock_classes import AsyncLock, ForeignLock, Lock
from django_valkey._overrides.hooks import text
from dvcache import locks
from dvcache.context import Context
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Key, Mode, Real

__all__ = ["AsyncLock", "AsyncLocks", "ForeignLock", "Lock", "Locks", "PrefixedLocks"]

L = TypeVar("L")


class Locks:
    """The locks of a cache or its client, for sync code."""

    _context: Context
    _client: Client
    client_in: Callable[[Mode], Any]

    @overload
    def get_lock(
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        lock_class: None = None,
        thread_local: bool = True,
    ) -> Lock: ...
    @overload
    def get_lock(
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        *,
        lock_class: Callable[..., L],
        thread_local: bool = True,
    ) -> L: ...
    def get_lock(  # noqa: PLR0917  # the order of django-valkey
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        lock_class: Callable[..., Any] | None = None,
        thread_local: bool = True,
    ) -> Any:
        """Return a lock on a key, not yet acquired: `with` acquires and releases it.

        Args:
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
        cx = self._context
        stored = cx.keys.key(key, version)
        if lock_class is not None:
            return lock_class(client or self.client_in("sync").get_client(), text(stored), **terms)
        if client is None:
            return Lock(cx, self._client, stored, **terms)
        pool = client_argument.pool(client, "sync", cx.alias)
        return Lock(client_argument.in_line(cx, client), pool, stored, **terms)

    lock = get_lock


class AsyncLocks:
    """The locks of a cache or its client, for async code."""

    _async_context: Context
    _async_client: AsyncClient
    client_in: Callable[[Mode], Any]

    @overload
    def get_lock(
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        lock_class: None = None,
        thread_local: bool = True,
    ) -> AsyncLock: ...
    @overload
    def get_lock(
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        *,
        lock_class: Callable[..., L],
        thread_local: bool = True,
    ) -> ForeignLock: ...
    def get_lock(  # noqa: PLR0917  # the order of django-valkey
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        lock_class: Callable[..., Any] | None = None,
        thread_local: bool = True,
    ) -> Any:
        """Return a lock on a key, not yet acquired: `async with` acquires and releases it.

        Args:
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
        return _async_lock(self, self._async_context.keys.key(key, version), client, lock_class, terms)

    lock = get_lock


class PrefixedLocks:
    """The locks of a cache for async code, under Django's `a*` names."""

    _async_context: Context
    _async_client: AsyncClient
    client_in: Callable[[Mode], Any]

    @overload
    def aget_lock(
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        lock_class: None = None,
        thread_local: bool = True,
    ) -> AsyncLock: ...
    @overload
    def aget_lock(
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        *,
        lock_class: Callable[..., L],
        thread_local: bool = True,
    ) -> ForeignLock: ...
    def aget_lock(  # noqa: PLR0917  # the order of django-valkey
        self,
        key: Key,
        version: int | None = None,
        timeout: Real | timedelta | None = None,
        sleep: Real = 0.1,
        blocking: bool = True,
        blocking_timeout: Real | timedelta | None = None,
        client: Any = None,
        lock_class: Callable[..., Any] | None = None,
        thread_local: bool = True,
    ) -> Any:
        """Return a lock on a key, not yet acquired: `async with` acquires and releases it.

        Args:
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
        return _async_lock(self, self._async_context.keys.key(key, version), client, lock_class, terms)

    alock = aget_lock


def _async_lock(
    owner: AsyncLocks | PrefixedLocks, stored: bytes, client: Any, own: Callable[..., Any] | None, terms: locks.Terms
) -> AsyncLock | ForeignLock:
    cx = owner._async_context  # noqa: SLF001  # of this module
    if own is None and client is None:
        return AsyncLock(cx, owner._async_client, stored, **terms)  # noqa: SLF001  # of this module
    if own is None:
        pool = client_argument.pool(client, "async", cx.alias)
        return AsyncLock(client_argument.in_line(cx, client), pool, stored, **terms)

    async def found() -> Any:
        return client or await owner.client_in("async").get_client()

    return ForeignLock(lambda client: own(client, text(stored), **terms), found)
