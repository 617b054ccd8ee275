"""Callers that load a service while its nodes change."""

import asyncio
import itertools
import re
import threading
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from typing_extensions import override

from dvcache import Container
from dvcache.errors import CacheError
from dvcache.types import Batch

Mode: TypeAlias = Literal["sync", "async"]

CALLERS: Final = {"sync": 8, "async": 200}
"""Number of threads, and of tasks."""

PAUSE: Final = {"sync": 0.002, "async": 0.05}
"""Seconds between two calls of a caller, so that the servers on the same cores get their time."""


@dataclass(frozen=True, slots=True)
class Done:
    """A set and a get of a fresh key, acknowledged by one node."""

    caller: int
    at: float
    """Time of the acknowledgement, by `time.monotonic`."""
    run_id: str
    """The node that performed both."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An error of a call."""

    caller: int
    at: float
    seconds: float
    """Seconds until the error."""
    error: CacheError


class Callers(ABC):
    """Callers of one container, each in its own thread or task, which take one turn after another.

    Args:
        container: their container.
        mode: threads on its sync client, or tasks on its async one.
    """

    def __init__(self, container: Container, mode: Mode) -> None:
        self.callers = CALLERS[mode]
        self.container, self.mode = container, mode
        self._stop = threading.Event()

    @abstractmethod
    def turn(self, caller: int) -> None:
        """Make one turn of a caller in a thread, and record its outcome."""

    @abstractmethod
    async def aturn(self, caller: int) -> None:
        """Make one turn in a task."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the callers within the block."""
        work: Callable[[int], object] = self._call if self.mode == "sync" else self._call_all
        numbers: Iterable[int] = range(self.callers if self.mode == "sync" else 1)
        threads = [threading.Thread(target=work, args=(number,), name=f"load {number}") for number in numbers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _call(self, caller: int) -> None:
        while not self._stop.is_set():
            self.turn(caller)
            time.sleep(PAUSE["sync"])

    def _call_all(self, _: int) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(self._acall(caller) for caller in range(self.callers)))

        asyncio.run(all_of_them())

    async def _acall(self, caller: int) -> None:
        while not self._stop.is_set():
            await self.aturn(caller)
            await asyncio.sleep(PAUSE["async"])


class Load(Callers):
    """Results of callers of one container's client: each stores a fresh key, reads it, and notes the server."""

    def __init__(self, container: Container, mode: Mode) -> None:
        super().__init__(container, mode)
        self.done: list[Done] = []
        self.failed: list[Failed] = []
        self._first: dict[str, dict[int, float]] = defaultdict(dict)
        """First time at which each caller completed on each node."""
        self._numbers = itertools.count()

    def recovered(self, run_id: str, after: float) -> dict[int, float]:
        """Return the times at which callers first completed on a node, in seconds after a given time.

        Args:
            run_id: the node.
            after: time by `time.monotonic`; earlier acknowledgements count as 0.
        """
        return {caller: max(0.0, at - after) for caller, at in self._first[run_id].copy().items()}

    def acknowledged(self, run_id: str, after: float) -> list[Done]:
        """Return the requests that a node acknowledged after a given time."""
        return [done for done in list(self.done) if done.run_id == run_id and done.at > after]

    @override
    def turn(self, caller: int) -> None:
        batch = self._batch(caller)
        with self._failures(caller):
            self._note(caller, batch, self.container.client().execute(batch))

    @override
    async def aturn(self, caller: int) -> None:
        batch = self._batch(caller)
        with self._failures(caller):
            self._note(caller, batch, await self.container.async_client().execute(batch))

    @contextmanager
    def _failures(self, caller: int) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        except CacheError as error:
            self.failed.append(Failed(caller, time.monotonic(), time.monotonic() - started, error))

    def _batch(self, caller: int) -> Batch:
        key = f"load:{caller}:{next(self._numbers)}"
        return ("SET", key, key, "PX", 60_000), ("INFO", "server"), ("GET", key)

    def _note(self, caller: int, batch: Batch, replies: Any) -> None:
        for reply in replies:
            if isinstance(reply, CacheError):
                raise reply
        stored, info, value = replies
        assert (stored, value) == (b"OK", str(batch[0][1]).encode()), "somebody else's reply"
        [run_id] = re.findall(rb"run_id:(\w+)", info)
        done = Done(caller, time.monotonic(), run_id.decode())
        self.done.append(done)
        self._first[done.run_id].setdefault(caller, done.at)
