"""Raise at every instruction of an async pool's code, one at a time, and check its callers.

Usage: `python -m tests.support.interrupted_pools POOL PORT LOOP EXCEPTION [EVERY]`, POOL being one of `KINDS`. Prints
JSON: the number of points, and the points after which a value was wrong, an acknowledged write was not stored, a call
took longer than its limit, a connection was lost, or the pool did not work again.
"""

import asyncio
import builtins
import gc
import json
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple, TypeAlias

import uvloop
import valkey

from dvcache.pools import async_connection
from dvcache.pools.async_pool import MultiplexedPool
from dvcache.pools.custom.async_pool import AsyncCustomPool
from dvcache.types import Endpoint
from tests.support.custom_pools import OwnAsyncBlockingPool, OwnAsyncPool, endpoint_of
from tests.support.interrupted_calls import CONNECT, LIMIT, MARGIN, PHASES, Phase, Struck, Trial

MULTIPLEXED: Final = frozenset(
    {"async_connection.py", "read_buffers.py", "async_limits.py", "async_pool.py", "takeover.py", "per_loop.py"}
)
OWN: Final = frozenset({"loop_pool.py", "calls.py", "async_pool.py", "replies.py", "idle.py", "per_loop.py"})
MOST: Final = 2
"""Connections of a custom pool."""

Point: TypeAlias = tuple[CodeType, int]


def multiplexed(port: int) -> MultiplexedPool:
    return MultiplexedPool(Endpoint(host="127.0.0.1", port=port, timeout=LIMIT, connect_timeout=CONNECT))


def own(cls: type, port: int) -> AsyncCustomPool:
    """Return a pool of `MOST` connections of a custom class."""
    limits = {"SOCKET_TIMEOUT": LIMIT, "SOCKET_CONNECT_TIMEOUT": CONNECT}
    kwargs = {"max_connections": MOST, **({"timeout": LIMIT} if cls is OwnAsyncBlockingPool else {})}
    options = {"CONNECTION_POOL_CLASS": cls, "CONNECTION_POOL_KWARGS": kwargs, **limits}
    return AsyncCustomPool(endpoint_of(f"valkey://127.0.0.1:{port}", **options))


class Kind(NamedTuple):
    """A kind of pool."""

    make: Callable[[int], Any]
    """Make a pool for a port."""
    traced: frozenset[str]
    """The files with the tested instructions."""
    most: int | None = None
    """Maximum of a pool's connections, one for each call; None for a single shared one."""


KINDS: Final = {
    "multiplexed": Kind(multiplexed, MULTIPLEXED),
    "own": Kind(partial(own, OwnAsyncPool), OWN, MOST),
    "own-blocking": Kind(partial(own, OwnAsyncBlockingPool), OWN, MOST),
}


class Tracer:
    """Record every instruction that runs, or raise at one of them once."""

    def __init__(self, traced: frozenset[str], point: Point | None, error: type[BaseException]) -> None:
        self.traced, self.point, self.error = traced, point, error
        self.seen: dict[Point, None] = {}
        self.struck = False

    def __call__(self, frame: FrameType, _: str, __: object) -> Any:
        if Path(frame.f_code.co_filename).name not in self.traced or "pools" not in frame.f_code.co_filename:
            return None
        if self.point is not None and self.point[0] is not frame.f_code:
            return None
        frame.f_trace_opcodes = True
        return self.local

    def local(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "opcode":
            point = frame.f_code, frame.f_lasti
            if self.point is None:
                self.seen[point] = None
            elif point == self.point and not self.struck:
                self.struck = True
                raise self.error
        return self.local


def run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, despite exceptions that stop the loop."""
    task = loop.create_task(work)
    # not `run_until_complete`: interrupted at the end of its task, it leaves a callback that stops the next run
    task.add_done_callback(lambda _: loop.stop())
    while not task.done():
        with suppress(Struck, KeyboardInterrupt, SystemExit):
            loop.run_forever()
    with suppress(Struck, KeyboardInterrupt, SystemExit):
        task.result()


class Interruptions:
    """Trials of a kind of pool on a server.

    Args:
        kind: kind of pool.
        new_loop: makes an event loop.
        port: port of the server.
        raised: the exception.
    """

    def __init__(
        self, kind: Kind, new_loop: Callable[[], asyncio.AbstractEventLoop], port: int, raised: type[BaseException]
    ) -> None:
        self._kind, self._new_loop, self._port, self._raised = kind, new_loop, port, raised
        self._server = valkey.Valkey(port=port)
        for number in range(20):
            self._server.set(f"k{number}", b"v%d" % number)
        self._server.set("big", b"x" * 600_000)
        self._before = self._connections()
        self.report: dict[str, Any] = {
            "points": 0,
            "struck": 0,
            **{name: [] for name in ("wrong", "false", "late", "lost", "dead")},
        }

    def try_all(self, every: int) -> None:
        """Run each phase, and raise at one in so many instructions that it runs for the first time."""
        seen: dict[Point, None] = {}
        for phase in PHASES:
            noted = Tracer(self._kind.traced, None, self._raised)
            made, works = self._trial(phase, noted)
            assert works, f"{phase.__name__} fails by itself"
            assert (made.wrong, made.late, made.lost) == ([], [], [])
            points = [point for point in noted.seen if point not in seen][::every]
            seen.update(noted.seen)
            for point in points:
                self._strike(phase, point)

    def _strike(self, phase: Phase, point: Point) -> None:
        where = f"{phase.__name__}: {point[0].co_qualname}+{point[1]}"
        for key in self._server.scan_iter("s*"):
            self._server.delete(key)
        tracer = Tracer(self._kind.traced, point, self._raised)
        made, works = self._trial(phase, tracer)
        self.report["points"] += 1
        self.report["struck"] += tracer.struck
        for name in ("wrong", "late", "lost"):
            self.report[name] += [f"{where}: {each}" for each in getattr(made, name)]
        stored = {key: self._server.get(key) for key in made.acknowledged}
        self.report["false"] += [f"{where}: {key}" for key, value in made.acknowledged.items() if stored[key] != value]
        self.report["dead"] += [] if works else [where]

    def _trial(self, phase: Phase, tracer: Tracer) -> tuple[Trial, bool]:
        """Run a phase under the tracer; return the outcomes of its calls, and whether the pool works afterwards."""
        loop = self._new_loop()
        loop.set_exception_handler(lambda *_: None)
        made = Trial(self._kind.make(self._port))
        sys.settrace(tracer)
        try:
            run(loop, phase(made))
        finally:
            sys.settrace(None)
        works: list[bool] = []

        async def afterwards() -> None:
            for _ in range(5):  # it may get a connection whose close is not noticed yet, or run on a busy machine
                before = made.answered
                await asyncio.gather(*map(made.get, range(10)), made.pair(3), made.set(99))
                works.append(made.answered - before == 12)
                if works[-1]:
                    break
            if self._kind.most is not None:
                await self._holds(made, self._kind.most)

        run(loop, afterwards())
        made.pool.close()
        run(loop, asyncio.sleep(0.001))
        loop.close()
        if not self._are_ended():
            made.lost.append(f"{self._connections() - self._before} connections stay")
        return made, works[-1]

    async def _holds(self, made: Trial, most: int) -> None:
        """Record a loss unless exactly as many calls run concurrently as the pool has connections."""
        for _ in range(3):
            missed = await self._missed(made, most)
            if not missed:
                return
        made.lost += missed

    async def _missed(self, made: Trial, most: int) -> list[str]:
        held = [asyncio.ensure_future(made.pool.execute((("BLPOP", "held", 5),))) for _ in range(most)]
        blocked = 0
        while blocked < most and not any(each.done() for each in held):
            await asyncio.sleep(0.001)
            blocked = self._server.info("clients")["blocked_clients"]
        self._server.rpush("held", *range(most))
        done = await asyncio.gather(*held, return_exceptions=True)
        self._server.delete("held")
        missed = [f"a place: {each!r}" for each in done if isinstance(each, BaseException)]
        if self._connections() > self._before + most:
            gc.collect()  # a reference cycle may hold one
            await asyncio.sleep(0.001)
        found = self._connections() - self._before
        return [*missed, f"{found} connections"] if found > most else missed

    def _are_ended(self) -> bool:
        """Return True if the pool has left no connection after a garbage collection."""
        give_up = time.monotonic() + MARGIN
        while self._connections() > self._before:
            gc.collect()
            time.sleep(0.001)
            if time.monotonic() > give_up:
                return False
        return True

    def _connections(self) -> int:
        connected: int = self._server.info("clients")["connected_clients"]
        return connected


def main() -> None:
    name, port, loop, error = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    every = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    new_loop = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[loop]
    raised: type[BaseException] = Struck if error == "Struck" else getattr(builtins, error)
    async_connection.IN_FLIGHT = 2000  # type: ignore[misc]  # small enough to be reached
    interruptions = Interruptions(KINDS[name], new_loop, port, raised)
    interruptions.try_all(every)
    json.dump(interruptions.report, sys.stdout)


if __name__ == "__main__":
    main()
