"""Registry of one resource per event loop, kept for as long as that loop lives."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

from typing_extensions import override


class OfLoop(Protocol):
    """An object used by one event loop, which it references."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""
        ...


T = TypeVar("T", bound=OfLoop)

_HELD: Final = "_dvcache_held"
"""Attribute of an event loop that holds its objects."""


class PerLoop(Mapping[asyncio.AbstractEventLoop, T]):
    """One object per event loop, referenced strongly only by the loop.

    A loop that is dropped without being closed is then collected with its connections; a registry with strong
    references would keep it forever.
    """

    __slots__ = ("_unheld", "refs")

    def __init__(self) -> None:
        self.refs: dict[int, weakref.ref[T]] = {}
        """Objects by the id of their loop. An id stays valid while its object lives, as that references the loop."""
        self._unheld: set[T] = set()
        """Objects of loops that accept no attributes."""

    @override
    def __getitem__(self, loop: asyncio.AbstractEventLoop) -> T:
        if (ref := self.refs.get(id(loop))) is None or (found := ref()) is None:
            raise KeyError(loop)
        return found

    @override
    def __iter__(self) -> Iterator[asyncio.AbstractEventLoop]:
        return (each.loop for each in self.living())

    @override
    def __len__(self) -> int:
        return len(self.living())

    def put(self, made: T) -> None:
        """Register the object for its loop."""
        _held(made.loop, self._unheld).add(made)
        self.refs[id(made.loop)] = weakref.ref(made)

    def pop(self, gone: T) -> None:
        """Forget an object; another one of the same loop stays."""
        if self.get(gone.loop) is gone:
            self.refs.pop(id(gone.loop), None)
        _held(gone.loop, self._unheld).discard(gone)

    def living(self) -> list[T]:
        """Return the objects of all loops, and forget collected ones. May be called from any thread."""
        living = []
        for key, ref in list(self.refs.items()):
            if (made := ref()) is not None:
                living.append(made)
            elif self.refs.get(key) is ref:
                self.refs.pop(key, None)
        return living


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
async def deadline(until: float | None) -> AsyncIterator[asyncio.Timeout]:
    """Apply a deadline in `time.monotonic` seconds to a block, as `asyncio.timeout` does.

    The loop keeps a cancelled timer until its time; this timer keeps no reference to the caller's context.
    """
    async with asyncio.timeout(None) as limit:
        if until is not None:
            loop = asyncio.get_running_loop()
            Context().run(limit.reschedule, loop.time() + max(until - monotonic(), 0))
        yield limit
