"""Callers that load a cluster while its slots and nodes change."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from typing_extensions import override

from dvcache import Container
from dvcache.errors import CacheError
from dvcache.routing.slots import SLOTS, slot
from tests.support.service_load import Callers, Mode

THIRDS: Final = tuple(
    next(tag for tag in map(str, range(1000)) if slot(tag) * 3 // SLOTS == third) for third in range(3)
)
"""A hash tag of each primary's slots, as they are dealt."""


class ClusterLoad(Callers):
    """Results of callers of one container: each writes, reads and counts on every third of the slots in turn.

    Args:
        container: the container of the caches.
        mode: threads on the sync cache, or tasks on the async one.
        tags: the hash tags of the keys.
    """

    def __init__(self, container: Container, mode: Mode, tags: Iterable[str] = THIRDS) -> None:
        super().__init__(container, mode)
        self.tags = tuple(tags)
        self.done: list[tuple[int, str, float]] = []
        """The caller, the tag and the end of each complete turn."""
        self._last: dict[tuple[int, str], float] = {}
        """Last time at which each caller completed a turn with each tag."""
        self.failed: list[CacheError] = []
        self.wrong: list[str] = []
        self.counted: Counter[str] = Counter()
        """Number of acknowledged increments of each counter."""
        self._turns: Counter[int] = Counter()
        """Number of the turn of each caller."""

    def recovered(self, tag: str, after: float) -> set[int]:
        """Return the callers that have completed a turn with a tag since a time, by `time.monotonic`."""
        return {caller for caller in range(self.callers) if self._last.get((caller, tag), 0.0) > after}

    def check_unnoticed(self) -> None:
        """Assert that no caller had an error or a wrong value, and that each acknowledged increment counts once."""
        assert (self.failed, self.wrong) == ([], [])
        cache = self.container.cache()
        for key, count in self.counted.items():
            assert cache.get(key) == count, f"{key}: {cache.get(key)}, and {count} were acknowledged"

    @override
    def turn(self, caller: int) -> None:
        cache: Any = self.container.cache()
        with self._turn(caller) as (key, count, value):
            cache.set(key, value)
            self._seen(key, value, cache.get(key))
            self._seen(key, value, cache.get_many([key, f"{key}:none"]).get(key))
            cache.incr(count, default=0)

    @override
    async def aturn(self, caller: int) -> None:
        cache: Any = self.container.async_cache()
        with self._turn(caller) as (key, count, value):
            await cache.set(key, value)
            self._seen(key, value, await cache.get(key))
            self._seen(key, value, (await cache.get_many([key, f"{key}:none"])).get(key))
            await cache.incr(count, default=0)

    @contextmanager
    def _turn(self, caller: int) -> Iterator[tuple[str, str, str]]:
        """Yield a key, a counter and a value of this caller alone; record how the block ends."""
        self._turns[caller] += 1
        turn = self._turns[caller]
        tag = self.tags[turn % len(self.tags)]
        count = f"{{{tag}}}:count:{caller}"
        try:
            yield f"{{{tag}}}:{caller}:{turn % 5}", count, f"{caller}:{turn}"
        except CacheError as error:
            self.failed.append(error)
        else:
            self.counted[count] += 1
            self._last[caller, tag] = now = time.monotonic()
            self.done.append((caller, tag, now))

    def _seen(self, key: str, value: str, found: object) -> None:
        if found != value:
            self.wrong.append(f"{key}: {found!r}, where {value!r} was stored")
