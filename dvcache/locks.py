"""Locks: the objects that `get_lock` returns, sync and async, with valkey-py's names and arguments."""

# ruff: noqa: D417, SLF001  # flows are functions outside the classes; callers do not pass the lock

import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar, Concatenate, Final, Generic, ParamSpec, Self, TypedDict, TypeVar, Unpack

from dvcache._binding import described, returned
from dvcache.context import Context
from dvcache.drive import arun, run
from dvcache.effects import Op
from dvcache.errors import CacheError, ConnectError, LockError, LockNotOwnedError, PoolExhausted, ServerError
from dvcache.numeric_arguments import seconds
from dvcache.operations import locks
from dvcache.process.lock_tokens import Acquisition, Acquisitions
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Real

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", Client, AsyncClient)

_logger: Final = logging.getLogger("dvcache.locks")


class Terms(TypedDict, total=False):
    """Keywords of `get_lock`."""

    timeout: Real | timedelta | None
    """Seconds, or a timedelta, until a held lock expires; None holds it until it is released."""
    sleep: Real
    """Maximum seconds between two attempts, 0.1 by default.

    Values above 0.01 are capped, so a release in another process is noticed within 10 ms.
    """
    blocking: bool
    """True, the default, if `acquire` waits."""
    blocking_timeout: Real | timedelta | None
    """Maximum seconds, or a timedelta, that `acquire` waits; None, the default, waits without a limit."""
    thread_local: bool
    """True, the default, if only the thread that acquired a `Lock` may release it.

    Any task may release an `AsyncLock`.
    """


class _Lock(Generic[C]):
    """A lock's terms and acquisitions, for sync and async.

    Args:
        context: the cache's context.
        client: runs the commands.
        key: the stored key.
        terms: the keywords of `Terms`.

    Raises:
        ValueError: a timeout of 0 or less, or NaN.
        TypeError: a timeout that is neither a number, a timedelta nor None.
    """

    error: ClassVar[type[LockError]] = LockError
    not_owned: ClassVar[type[LockNotOwnedError]] = LockNotOwnedError
    _by_thread: ClassVar[bool] = True

    def __init__(self, context: Context, client: C, key: bytes, **terms: Unpack[Terms]) -> None:
        _known(terms)
        self._context, self._key = context, key
        self._client: C = client
        self.name: Final = key.decode("utf-8", "surrogateescape")
        self.timeout: Final = terms.get("timeout")
        self.sleep, self.blocking = terms.get("sleep", 0.1), terms.get("blocking", True)
        self.blocking_timeout = terms.get("blocking_timeout")
        self.local: Final = Acquisitions(shared=not (terms.get("thread_local", True) and self._by_thread))
        """Provides `token` while the lock is held."""
        self._lifetime = _milliseconds(context, self.timeout)
        _pause(self.sleep)
        _patience(self.blocking_timeout)

    def _held(self, deed: str) -> Acquisition:
        found = self.local.own()
        if found is None:
            raise self.error(f"Cannot {deed} an unlocked lock", lock_name=self.name)
        return found

    def _lost(self, deed: str) -> LockNotOwnedError:
        return self.not_owned(f"Cannot {deed} a lock that's no longer owned", lock_name=self.name)


def _known(terms: Terms) -> None:
    for name in terms:
        if name not in Terms.__annotations__:
            raise TypeError(f"get_lock() got an unexpected keyword argument {name!r}")


def _pause(sleep: Real) -> float:
    return seconds(sleep, "a lock's sleep")


def _patience(blocking_timeout: Real | timedelta | None) -> float | None:
    return None if blocking_timeout is None else seconds(blocking_timeout, "a lock's blocking_timeout")


def _milliseconds(cx: Context, timeout: Real | timedelta | None) -> int | None:
    lifetime = cx.milliseconds(timeout)
    if lifetime == 0:
        raise ValueError("a lock's timeout must be more than 0 seconds, or None to hold it until it is released")
    return lifetime


def acquire(
    lock: _Lock[Any],
    sleep: Real | None = None,
    blocking: bool | None = None,
    blocking_timeout: Real | timedelta | None = None,
    token: str | bytes | None = None,
) -> Op[bool]:
    """Acquire the lock; return True if it was acquired in time. Not reentrant.

    Args:
        sleep: maximum seconds between two attempts; None uses the lock's own.
        blocking: whether to wait; None uses the lock's own.
        blocking_timeout: maximum seconds to wait; None uses the lock's own.
        token: identifies this acquisition; None generates a random one.

    Raises:
        TransportError: no reply arrived. The lock may be held until it expires; `release` may be called.
    """
    cx = lock._context
    own = cx.tokens() if token is None else token.encode() if isinstance(token, str) else token
    patience = _patience(lock.blocking_timeout if blocking_timeout is None else blocking_timeout)
    if not (lock.blocking if blocking is None else blocking):
        patience = 0.0
    longest = _pause(lock.sleep if sleep is None else sleep)
    for earlier in lock.local.unanswered():  # a lock taken without a reply would block this very call
        yield from _given_back(lock, earlier)
    try:
        taken = yield from locks.acquire(cx, lock._key, own, lock._lifetime, patience=patience, longest=longest)
    except (ConnectError, PoolExhausted, ServerError):  # nothing was performed: the lock's state is known
        raise
    except CacheError:
        lock.local.add(own, unanswered=True)
        raise
    if taken:
        lock.local.add(own)
    return taken


def release(lock: _Lock[Any]) -> Op[None]:
    """Release the lock. May be repeated if no reply arrived.

    Raises:
        LockError: the lock is not held.
        LockNotOwnedError: the lock had expired; another owner may hold it.
    """
    held = lock._held("release")
    # A release that was sent but not answered may have succeeded: the lock's absence is then no error.
    may_be_done = held.unanswered
    if not (yield from _given_back(lock, held)) and not may_be_done:
        raise lock._lost("release")


def _given_back(lock: _Lock[Any], held: Acquisition) -> Op[bool]:
    """Release one acquisition; forget it once the server has replied."""
    # Set before sending: an interruption leaves it unknown whether the release was performed.
    before, held.unanswered = held.unanswered, True
    try:
        released = yield from locks.release(lock._context, lock._key, held.token)
    except (ConnectError, PoolExhausted, ServerError):  # nothing was performed: the lock's state is known
        held.unanswered = before
        raise
    lock.local.forget(held)
    return released


def extend(lock: _Lock[Any], additional_time: Real | timedelta, replace_ttl: bool = False) -> Op[bool]:
    """Extend the lock's lifetime; return True.

    Args:
        additional_time: seconds or a timedelta.
        replace_ttl: whether the time replaces the remaining lifetime instead of being added to it.

    Raises:
        LockError: the lock is not held, or has no timeout.
        LockNotOwnedError: the lock had expired; another owner may hold it.
        ValueError: the time is 0 or less.
    """
    return (yield from _prolong(lock, "extend", additional_time, add=not replace_ttl))


def reacquire(lock: _Lock[Any]) -> Op[bool]:
    """Reset the lock's lifetime to its full timeout; return True. Errors are those of `extend`."""
    return (yield from _prolong(lock, "reacquire", lock.timeout, add=False))


def _prolong(lock: _Lock[Any], deed: str, time: Real | timedelta | None, *, add: bool) -> Op[bool]:
    token = lock._held(deed).token
    if lock._lifetime is None:
        raise lock.error(f"Cannot {deed} a lock with no timeout", lock_name=lock.name)
    more = _milliseconds(lock._context, time) or 0
    if not (yield from locks.extend(lock._context, lock._key, token, more, add=add)):
        raise lock._lost(deed)
    return True


def locked(lock: _Lock[Any]) -> Op[bool]:
    """Return True if the lock is held by any owner."""
    return (yield from locks.holder(lock._key)) is not None


def owned(lock: _Lock[Any]) -> Op[bool]:
    """Return True if the caller holds the lock."""
    found = yield from locks.holder(lock._key)
    return found is not None and found == lock.local.token


def _enter(lock: _Lock[Any]) -> Op[None]:
    if not (yield from acquire(lock)):
        raise lock.error("Unable to acquire lock within the time specified", lock_name=lock.name)


def _exit(lock: _Lock[Any], reason: BaseException | None) -> Op[None]:
    """Release the lock at the end of its block, without replacing an exception raised in the block."""
    try:
        yield from release(lock)
    except CacheError as error:
        if reason is None:
            raise
        _logger.warning("lock %s: %s", lock.name, error)
        reason.add_note(f"Releasing lock {lock.name} also failed: {error}")


def _sync(flow: Callable[Concatenate[_Lock[Any], P], Op[T]]) -> Callable[Concatenate["Lock", P], T]:
    def method(self: "Lock", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run(flow(self, *args, **kwargs), self._client)

    return described(method, flow, returned(flow))


def _aio(
    flow: Callable[Concatenate[_Lock[Any], P], Op[T]],
) -> Callable[Concatenate["AsyncLock", P], Coroutine[Any, Any, T]]:
    async def method(self: "AsyncLock", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await arun(flow(self, *args, **kwargs), self._client)

    return described(method, flow, returned(flow))


class Lock(_Lock[Client]):
    """A lock held by one owner at a time across processes. A context manager. Made by `Cache.get_lock`."""

    acquire = _sync(acquire)
    release = _sync(release)
    extend = _sync(extend)
    reacquire = _sync(reacquire)
    locked = _sync(locked)
    owned = _sync(owned)

    def __enter__(self) -> Self:
        run(_enter(self), self._client)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        run(_exit(self, exc), self._client)


class AsyncLock(_Lock[AsyncClient]):
    """A `Lock` whose methods are coroutines. An asynchronous context manager. Made by `AsyncCache.get_lock`."""

    _by_thread = False

    acquire = _aio(acquire)
    release = _aio(release)
    extend = _aio(extend)
    reacquire = _aio(reacquire)
    locked = _aio(locked)
    owned = _aio(owned)

    async def __aenter__(self) -> Self:
        await arun(_enter(self), self._client)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await arun(_exit(self, exc), self._client)
