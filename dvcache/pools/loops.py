"""Keep what belongs to one event loop for as long as that loop lives."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

from typing_extensions import override


class OfLoop(Protocol):
    """An object that one event loop uses, and that keeps a reference to it."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        ...


T = TypeVar("T", bound=OfLoop)

_HELD: Final = "_dvcache_held"
"""The attribute of an event loop that holds its objects."""


class PerLoop(Mapping[asyncio.AbstractEventLoop, T]):
    """One object for each event loop, held by the loop alone.

    A loop that is dropped without being closed is then collected with its connections: a registry that held them would
    keep it for ever.
    """

    __slots__ = ("_unheld", "refs")

    def __init__(self) -> None:
        self.refs: dict[int, weakref.ref[T]] = {}
        """By the identity of the loop, which is its own for as long as the object lives: that refers to the loop."""
        self._unheld: set[T] = set()
        """The objects of loops that take no attributes."""

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
        """Keep the object of its loop."""
        _held(made.loop, self._unheld).add(made)
        self.refs[id(made.loop)] = weakref.ref(made)

    def pop(self, gone: T) -> None:
        """Forget an object; another of the same loop stays."""
        if self.get(gone.loop) is gone:
            self.refs.pop(id(gone.loop), None)
        _held(gone.loop, self._unheld).discard(gone)

    def living(self) -> list[T]:
        """Return the objects of all loops, and forget those that are gone. Called from any thread."""
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
    """Bound a block by a deadline in `time.monotonic` seconds, as `asyncio.timeout` does.

    The loop keeps a cancelled timer until its time: this one keeps nothing of the caller's context.
    """
    async with asyncio.timeout(None) as limit:
        if until is not None:
            loop = asyncio.get_running_loop()
            Context().run(limit.reschedule, loop.time() + max(until - monotonic(), 0))
        yield limit
