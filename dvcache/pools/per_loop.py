"""The registry of one resource per event loop: ended with the loop, forgotten in a forked child."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from time import monotonic
from typing import Any, Final, Generic, Protocol, TypeVar

from dvcache.process.fork import renewed_after_fork


class OfLoop(Protocol):
    """A resource of one event loop, which it references. Called by `PerLoop`."""

    keeper: Any
    """Async generator that ends the resource with its loop, or None; the loop itself holds it only weakly."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""
        ...

    def abort(self) -> None:
        """End the resource. Called on its loop."""
        ...

    def forget(self) -> None:
        """Release what the loop did not, as it was closed before the resource. Called from any thread."""
        ...


T = TypeVar("T", bound=OfLoop)

_HELD: Final = "_dvcache_held"
"""Attribute of an event loop that holds its resources."""


class PerLoop(Generic[T]):
    """One resource per event loop, ended with the loop and forgotten in a forked child.

    Only the loop references it strongly. A loop that is dropped without being closed is then collected with its
    connections; a registry with strong references would keep it forever.
    """

    __slots__ = ("__weakref__", "_unheld", "refs")

    def __init__(self) -> None:
        self.refs: dict[int, weakref.ref[T]] = {}
        """Resources by the id of their loop; an id is valid while the resource lives, as that references the loop."""
        self._unheld: set[T] = set()
        """Resources of loops that accept no attributes."""
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget every resource: a forked child shares the parent's epoll, so even ending them would disturb it."""
        _inherited.append((self.living(), self._unheld))
        self.refs, self._unheld = {}, set()

    def get(self, loop: asyncio.AbstractEventLoop) -> T | None:
        """Return the loop's resource."""
        ref = self.refs.get(id(loop))
        return None if ref is None else ref()

    def put(self, made: T) -> None:
        """Register the resource for its loop."""
        _held(made.loop, self._unheld).add(made)
        self.refs[id(made.loop)] = weakref.ref(made)

    async def keep(self, made: T) -> None:
        """End the registered resource with its loop. Called on that loop.

        asyncio.run, uvloop.run and async_to_sync close async generators last.
        """
        made.keeper = self._kept(made)
        await anext(made.keeper)

    async def _kept(self, made: T) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self.pop(made)
            made.abort()

    def pop(self, gone: T) -> None:
        """Forget a resource; another one of the same loop stays."""
        if self.get(gone.loop) is gone:
            self.refs.pop(id(gone.loop), None)
        _held(gone.loop, self._unheld).discard(gone)

    def living(self) -> list[T]:
        """Return the resources of all loops, and forget collected ones. May be called from any thread."""
        living = []
        for key, ref in list(self.refs.items()):
            if (made := ref()) is not None:
                living.append(made)
            elif self.refs.get(key) is ref:
                self.refs.pop(key, None)
        return living

    def sweep(self) -> None:
        """Forget the resources of closed loops."""
        for made in self.living():
            if made.loop.is_closed():
                self.pop(made)
                made.forget()

    def close(self) -> None:
        """End every resource, each on its loop. May be called from any thread."""
        for made in self.living():
            self.pop(made)
            if not call_in(made.loop, made.abort):
                made.forget()


_inherited: Final[list[object]] = []
"""Resources that a forked child inherited: kept referenced, since finalizing them would reach the parent's epoll."""


def call_in(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> bool:
    """Schedule a function on a loop, from any thread; return False if the loop is closed."""
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:
        return False
    return True


def _held(loop: asyncio.AbstractEventLoop, unheld: set[Any]) -> set[Any]:
    held: set[Any] | None = getattr(loop, _HELD, None)
    if held is None:
        made: set[Any] = set()
        with suppress(AttributeError):
            setattr(loop, _HELD, made)
            return made
        return unheld
    return held


@asynccontextmanager
async def timeout_at(until: float | None) -> AsyncIterator[asyncio.Timeout]:
    """Apply a deadline in `time.monotonic` seconds to a block, as `asyncio.timeout` does.

    The loop keeps a cancelled timer until its time; this timer keeps no reference to the caller's context.
    """
    async with asyncio.timeout(None) as limit:
        if until is not None:
            loop = asyncio.get_running_loop()
            Context().run(limit.reschedule, loop.time() + max(until - monotonic(), 0))
        yield limit
