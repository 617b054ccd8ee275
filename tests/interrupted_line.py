"""Raise at every instruction of the multiplexed connection's code, one at a time, and look what becomes of its callers.

Run as a program: `python -m tests.interrupted_line PORT LOOP EXCEPTION [EVERY]`. Prints JSON: how many points there
were, and the points after which a value was wrong, a write was acknowledged and not stored, a call took longer than its
limit, or the pool did not work again.
"""

import asyncio
import builtins
import json
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, TypeAlias

import uvloop
import valkey

from dvcache.pools import line
from dvcache.pools.multiplexed import MultiplexedPool
from dvcache.types import Endpoint

TRACED: Final = frozenset({"line.py", "read_buffers.py", "limits.py", "multiplexed.py", "takeover.py", "loops.py"})
LIMIT: Final = 0.3
"""Seconds: the socket timeout of the pools."""
CONNECT: Final = 0.7
"""Seconds: their connect timeout."""
MARGIN: Final = 1.0
"""Seconds by which a busy machine may be late."""
GIVEN_UP: Final = 10.0

Point: TypeAlias = tuple[CodeType, int]
Phase: TypeAlias = Callable[["Trial"], Coroutine[Any, Any, None]]


class Struck(Exception):
    """Raised at the point."""


class Trial:
    """Calls on one pool, and what became of them."""

    def __init__(self, port: int) -> None:
        self.pool = MultiplexedPool(Endpoint(host="127.0.0.1", port=port, timeout=LIMIT, connect_timeout=CONNECT))
        self.acknowledged: dict[str, bytes] = {}
        self.wrong: list[str] = []
        self.late: list[str] = []
        self.answered = 0

    async def call(self, *commands: tuple[Any, ...], want: list[Any], limit: float = LIMIT, **until: float) -> None:
        """Run a batch in a task of its own; whatever it raises is an answer too, a wrong value is none."""
        began = time.monotonic()
        deadline = began + until["within"] if until else None
        task = asyncio.ensure_future(self.pool.execute(commands, deadline))
        done, _ = await asyncio.wait([task], timeout=GIVEN_UP)
        if not done or time.monotonic() - began > limit + CONNECT + MARGIN:
            self.late.append(f"{commands[0]} after {time.monotonic() - began:.2f} s")
            task.cancel()
        elif not task.cancelled() and task.exception() is None:
            self.answered += 1
            if task.result() != want:
                self.wrong.append(f"{commands} -> {task.result()!r}"[:300])
            self.acknowledged |= {command[1]: command[2] for command in commands if command[0] == "SET"}

    async def get(self, number: int) -> None:
        await self.call(("GET", f"k{number}"), want=[b"v%d" % number])

    async def pair(self, number: int) -> None:
        wanted = [b"v%d" % number, b"v%d" % (number + 1)]
        await self.call(("GET", f"k{number}"), ("GET", f"k{number + 1}"), want=wanted)

    async def set(self, number: int, size: int = 5) -> None:
        await self.call(("SET", f"s{number}", b"%d" % number * size), want=[b"OK"])


async def traffic(trial: Trial) -> None:
    """Reads, writes and batches of several commands, in one tick and in several."""
    for number in range(0, 9, 3):
        await asyncio.gather(trial.get(number), trial.pair(number + 1), trial.set(number), trial.get(number + 2))
    cancelled = asyncio.ensure_future(trial.get(1))
    asyncio.get_running_loop().call_soon(cancelled.cancel)
    await asyncio.gather(trial.get(0), cancelled, trial.get(2), return_exceptions=True)
    await trial.call(("GET", "big"), want=[b"x" * 600_000])
    await asyncio.sleep(0.002)
    await asyncio.gather(*map(trial.get, range(10)))


async def room(trial: Trial) -> None:
    """Writes that wait until less is in flight."""
    await trial.get(0)
    await asyncio.gather(*(trial.set(number, 400) for number in range(12)), *map(trial.get, range(6)))


async def deadline(trial: Trial) -> None:
    """Calls whose deadline passes; the others go on."""
    await trial.get(0)
    blocked = trial.call(("BLPOP", "none", 0.12), want=[None], limit=0.04, within=0.04)
    await asyncio.gather(blocked, *map(trial.get, range(4)))


async def silence(trial: Trial) -> None:
    """A server that is silent for longer than the limit."""
    await trial.get(0)
    blocked = trial.call(("BLPOP", "none", LIMIT + 0.15), want=[None])
    await asyncio.gather(blocked, trial.get(1), trial.set(2))


async def loss(trial: Trial) -> None:
    """Connections that the server ends."""
    await trial.get(0)
    await asyncio.gather(trial.get(1), trial.call(("QUIT",), want=[b"OK"]), trial.get(2), trial.set(3))
    await asyncio.gather(*map(trial.get, range(3)))


async def ends(trial: Trial) -> None:
    """Connections that are released, and a transaction's."""
    await trial.get(0)
    trial.pool.release()
    await asyncio.sleep(0)
    await asyncio.gather(trial.get(1), trial.get(2))
    other = Trial.__new__(Trial)
    other.pool = MultiplexedPool(trial.pool._endpoint)
    with suppress(Exception):
        await other.pool.execute((("PING",),))
    other.pool.abort()
    await asyncio.sleep(0)


PHASES: Final[tuple[Phase, ...]] = (traffic, room, deadline, silence, loss, ends)


class Tracer:
    """Note every instruction that is run, or raise at one of them once."""

    def __init__(self, point: Point | None, error: type[BaseException]) -> None:
        self.point, self.error = point, error
        self.seen: dict[Point, None] = {}
        self.struck = False

    def __call__(self, frame: FrameType, _: str, __: object) -> Any:
        if Path(frame.f_code.co_filename).name not in TRACED or "pools" not in frame.f_code.co_filename:
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
    """Run to the end, through exceptions that stop the loop."""
    task = loop.create_task(work)
    while not task.done():
        with suppress(Struck, KeyboardInterrupt, SystemExit):
            loop.run_until_complete(task)
    if not task.cancelled() and (error := task.exception()) is not None and isinstance(error, AssertionError):
        raise error


def trial(
    new_loop: Callable[[], asyncio.AbstractEventLoop], port: int, phase: Phase, tracer: Tracer
) -> tuple[Trial, bool]:
    """Go through a phase under the tracer; return what became of its calls, and whether the pool works afterwards."""
    loop = new_loop()
    loop.set_exception_handler(lambda *_: None)
    made = Trial(port)
    sys.settrace(tracer)
    try:
        run(loop, phase(made))
    finally:
        sys.settrace(None)

    async def afterwards() -> None:
        for _ in range(2):  # the first may meet a connection whose end nobody has noticed yet
            before = made.answered
            await asyncio.gather(*map(made.get, range(10)), made.pair(3), made.set(99))
            works.append(made.answered - before == 12)

    works: list[bool] = []
    run(loop, afterwards())
    made.pool.close()
    run(loop, asyncio.sleep(0.001))
    loop.close()
    return made, works[-1]


def main() -> None:
    port, kind, error = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    every = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    new_loop = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[kind]
    raised: type[BaseException] = Struck if error == "Struck" else getattr(builtins, error)
    line.IN_FLIGHT = 2000  # type: ignore[misc]  # small enough to be reached
    server = valkey.Valkey(port=port)
    for number in range(20):
        server.set(f"k{number}", b"v%d" % number)
    server.set("big", b"x" * 600_000)
    told: dict[str, Any] = {"points": 0, "struck": 0, "wrong": [], "false": [], "late": [], "dead": []}
    seen: dict[Point, None] = {}
    for phase in PHASES:
        noted = Tracer(None, raised)
        made, works = trial(new_loop, port, phase, noted)
        assert works, f"{phase.__name__} fails by itself"
        assert not made.wrong, made.wrong
        assert not made.late, made.late
        points = [point for point in noted.seen if point not in seen][::every]
        seen.update(noted.seen)
        for point in points:
            where = f"{phase.__name__}: {point[0].co_qualname}+{point[1]}"
            for key in server.scan_iter("s*"):
                server.delete(key)
            tracer = Tracer(point, raised)
            made, works = trial(new_loop, port, phase, tracer)
            told["points"] += 1
            told["struck"] += tracer.struck
            told["wrong"] += [f"{where}: {each}" for each in made.wrong]
            told["late"] += [f"{where}: {each}" for each in made.late]
            stored = {key: server.get(key) for key in made.acknowledged}
            told["false"] += [f"{where}: {key}" for key, value in made.acknowledged.items() if stored[key] != value]
            told["dead"] += [] if works else [where]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
