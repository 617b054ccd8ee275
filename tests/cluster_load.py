"""Callers of a cluster that never stop, for tests of what happens to slots and nodes meanwhile."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from dvcache import Container
from dvcache.errors import CacheError
from dvcache.slots import SLOTS, slot
from tests.load import CALLERS, PAUSE, Colour

THIRDS: Final = tuple(
    next(tag for tag in map(str, range(1000)) if slot(tag) * 3 // SLOTS == third) for third in range(3)
)
"""A hash tag of each primary's slots, as they are dealt."""


class ClusterLoad:
    """What callers of one container did: each writes, reads and counts on every third of the slots in turn.

    Args:
        container: whose caches they use.
        colour: threads on the synchronous cache, or tasks on the asynchronous one.
        tags: the hash tags of the keys.
    """

    def __init__(self, container: Container, colour: Colour, tags: Iterable[str] = THIRDS) -> None:
        self.callers = CALLERS[colour]
        self.tags = tuple(tags)
        self.done: list[tuple[int, str, float]] = []
        """Of each complete turn the caller, the tag, and when it ended."""
        self.failed: list[CacheError] = []
        self.wrong: list[str] = []
        self.counted: Counter[str] = Counter()
        """How often each counter was counted up and said so."""
        self._container, self._colour = container, colour
        self._stop = threading.Event()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Keep the callers calling within the block."""
        work: Callable[[int], object] = self._call if self._colour == "sync" else self._call_all
        numbers: Iterable[int] = range(self.callers if self._colour == "sync" else 1)
        threads = [threading.Thread(target=work, args=(number,), name=f"load {number}") for number in numbers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def recovered(self, tag: str, after: float) -> set[int]:
        """Return the callers that have completed a turn with a tag after a moment, by `time.monotonic`."""
        return {caller for caller, of, at in list(self.done) if of == tag and at > after}

    def check_counts(self) -> None:
        """Assert that no count that was acknowledged is lost, and none was made twice."""
        cache = self._container.cache()
        for key, count in self.counted.items():
            assert cache.get(key) == count, f"{key}: {cache.get(key)}, and {count} were acknowledged"

    def _call(self, caller: int) -> None:
        cache: Any = self._container.cache()
        turn = 0
        while not self._stop.is_set():
            turn += 1
            key, count, value = self._turn(caller, turn)
            try:
                cache.set(key, value)
                self._seen(key, value, cache.get(key))
                self._seen(key, value, cache.get_many([key, f"{key}:none"]).get(key))
                cache.incr(count, default=0)
                self.counted[count] += 1
                self.done.append((caller, self.tags[turn % len(self.tags)], time.monotonic()))
            except CacheError as error:
                self.failed.append(error)
            time.sleep(PAUSE["sync"])

    def _call_all(self, _: int) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(self._acall(caller) for caller in range(self.callers)))

        asyncio.run(all_of_them())

    async def _acall(self, caller: int) -> None:
        cache: Any = self._container.async_cache()
        turn = 0
        while not self._stop.is_set():
            turn += 1
            key, count, value = self._turn(caller, turn)
            try:
                await cache.set(key, value)
                self._seen(key, value, await cache.get(key))
                self._seen(key, value, (await cache.get_many([key, f"{key}:none"])).get(key))
                await cache.incr(count, default=0)
                self.counted[count] += 1
                self.done.append((caller, self.tags[turn % len(self.tags)], time.monotonic()))
            except CacheError as error:
                self.failed.append(error)
            await asyncio.sleep(PAUSE["async"])

    def _turn(self, caller: int, turn: int) -> tuple[str, str, str]:
        """Return a key, a counter and a value that is no other caller's."""
        tag = self.tags[turn % len(self.tags)]
        return f"{{{tag}}}:{caller}:{turn % 5}", f"{{{tag}}}:count:{caller}", f"{caller}:{turn}"

    def _seen(self, key: str, value: str, found: object) -> None:
        if found != value:
            self.wrong.append(f"{key}: {found!r}, where {value!r} was stored")
