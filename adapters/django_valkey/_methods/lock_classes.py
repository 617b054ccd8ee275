"""Locks with errors compatible with valkey-py's, and locks of a user's own class."""

from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Final, Self

from django_valkey.exceptions import LockError, LockNotOwnedError
from dvcache import locks


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
