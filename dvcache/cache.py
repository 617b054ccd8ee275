"""The caches: every operation as a method, for sync and async code.

The methods are generated from `dvcache.operations`; `sync` and `aio` make methods of operations of your own.
"""

from copy import copy
from typing import Self, Unpack

from typing_extensions import override

from dvcache import views
from dvcache._binding import aio, astream, stream, sync
from dvcache._methods.all_operations import AsyncCacheMethods, CacheMethods
from dvcache.context import Context
from dvcache.locks import AsyncLock, Lock, Terms
from dvcache.protocols import AsyncClient, Client
from dvcache.types import DEFAULT, Key, Timeout

__all__ = ["AsyncCache", "Cache", "aio", "astream", "stream", "sync"]


class Cache(CacheMethods):
    """A cache whose methods block until the server answers. May be shared by threads.

    Args:
        context: keys, codec, policy and expiry of this wiring.
        client: runs the commands.
    """

    def __init__(self, context: Context, client: Client) -> None:
        self._context = context
        self._client = client

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._context.title}>"

    def get_lock(self, key: Key, *, version: int | None = None, **terms: Unpack[Terms]) -> Lock:
        """Return a lock on a key, not yet acquired: `with` acquires and releases it.

        Args:
            key: the lock's name, without prefix and version.
            version: the key's version; the alias's own if None.
            terms: the keywords of `dvcache.locks.Terms`; without `timeout` the lock is held until it is released.

        Raises:
            ValueError: a timeout of 0 or less.
            TypeError: a keyword that `Terms` does not have.
        """
        return Lock(self._context, self._client, self._context.keys.key(key, version), **terms)

    lock = get_lock

    def make_key(self, key: Key, version: int | None = None, prefix: str | None = None) -> str:
        """Return the stored key, for `container.raw()` and other programs.

        Args:
            key: the entry's name, without prefix and version.
            version: the key's version; the alias's own if None.
            prefix: the key's prefix; the alias's own if None.

        Raises:
            ValueError: the key cannot be encoded.
        """
        return views.stored_key(self._context, key, version, prefix)

    def original_key(self, key: str, version: int | None = None) -> str:
        """Return the caller's key of a stored key; one of another prefix or version is returned unchanged.

        Args:
            key: the stored key, as `make_key` returns it.
            version: the key's version; the alias's own if None.

        Raises:
            NotSupportedError: there is a KEY_FUNCTION that cannot be reversed, but no REVERSE_KEY_FUNCTION.
        """
        return views.original_key(self._context, key, version)

    def with_options(
        self, *, timeout: Timeout = DEFAULT, prefix: str | None = None, version: int | None = None
    ) -> Self:
        """Return a view of this cache with other defaults, over the same connections. A call on it costs the same.

        Args:
            timeout: the default lifetime: seconds or a timedelta; None for no expiry; if omitted, that of this cache.
            prefix: the key prefix; None for that of this cache.
            version: the version; None for that of this cache.

        Raises:
            NotSupportedError: the container was given `keys` without a method `with_options(prefix, version)`.
        """
        view = copy(self)
        view._context = views.viewed(self._context, timeout, prefix, version)  # noqa: SLF001  # of this class
        return view

    def __contains__(self, key: Key) -> bool:
        return self.has_key(key)


class AsyncCache(AsyncCacheMethods):
    """A cache whose methods are coroutines. May be shared by event loops.

    Args:
        context: keys, codec, policy and expiry of this wiring.
        client: runs the commands.
    """

    def __init__(self, context: Context, client: AsyncClient) -> None:
        self._async_context = context
        self._async_client = client

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._async_context.title}>"

    def get_lock(self, key: Key, *, version: int | None = None, **terms: Unpack[Terms]) -> AsyncLock:
        """Return a lock on a key, not yet acquired: `async with` acquires and releases it.

        Arguments and errors are those of `Cache.get_lock`.
        """
        return AsyncLock(self._async_context, self._async_client, self._async_context.keys.key(key, version), **terms)

    lock = get_lock

    def make_key(self, key: Key, version: int | None = None, prefix: str | None = None) -> str:
        """Return the stored key, for `container.raw()` and other programs.

        Args:
            key: the entry's name, without prefix and version.
            version: the key's version; the alias's own if None.
            prefix: the key's prefix; the alias's own if None.

        Raises:
            ValueError: the key cannot be encoded.
        """
        return views.stored_key(self._async_context, key, version, prefix)

    def original_key(self, key: str, version: int | None = None) -> str:
        """Return the caller's key of a stored key; one of another prefix or version is returned unchanged.

        Args:
            key: the stored key, as `make_key` returns it.
            version: the key's version; the alias's own if None.

        Raises:
            NotSupportedError: there is a KEY_FUNCTION that cannot be reversed, but no REVERSE_KEY_FUNCTION.
        """
        return views.original_key(self._async_context, key, version)

    def with_options(
        self, *, timeout: Timeout = DEFAULT, prefix: str | None = None, version: int | None = None
    ) -> Self:
        """Return a view of this cache with other defaults, over the same connections. A call on it costs the same.

        Args:
            timeout: the default lifetime: seconds or a timedelta; None for no expiry; if omitted, that of this cache.
            prefix: the key prefix; None for that of this cache.
            version: the version; None for that of this cache.

        Raises:
            NotSupportedError: the container was given `keys` without a method `with_options(prefix, version)`.
        """
        view = copy(self)
        view._async_context = views.viewed(self._async_context, timeout, prefix, version)  # noqa: SLF001  # of this class
        return view
