"""Calls on an async pool while one instruction of it raises, phase by phase."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeAlias

LIMIT: Final = 0.3
"""Socket timeout of the pools in seconds."""
CONNECT: Final = 0.7
"""Connect timeout of the pools in seconds."""
MARGIN: Final = 1.0
"""Seconds by which a busy machine may be late."""
GIVEN_UP: Final = 10.0

Phase: TypeAlias = Callable[["Trial"], Coroutine[Any, Any, None]]


class Struck(Exception):
    """Raised at the point."""


class Trial:
    """Calls on one pool, and their outcomes."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.acknowledged: dict[str, bytes] = {}
        self.wrong: list[str] = []
        self.late: list[str] = []
        self.lost: list[str] = []
        self.answered = 0

    async def call(self, *commands: tuple[Any, ...], want: list[Any], limit: float = LIMIT, **until: float) -> None:
        """Run a batch in a task; an exception is a valid outcome, a wrong value is not."""
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
    """Make reads, writes and batches of several commands, in one tick and in several."""
    for number in range(0, 9, 3):
        await asyncio.gather(trial.get(number), trial.pair(number + 1), trial.set(number), trial.get(number + 2))
    cancelled = asyncio.ensure_future(trial.get(1))
    asyncio.get_running_loop().call_soon(cancelled.cancel)
    await asyncio.gather(trial.get(0), cancelled, trial.get(2), return_exceptions=True)
    await trial.call(("GET", "big"), want=[b"x" * 600_000])
    await asyncio.sleep(0.002)
    await asyncio.gather(*map(trial.get, range(10)))


async def room(trial: Trial) -> None:
    """Make writes that wait for buffer space."""
    await trial.get(0)
    await asyncio.gather(*(trial.set(number, 400) for number in range(12)), *map(trial.get, range(6)))


async def deadline(trial: Trial) -> None:
    """Make calls that pass their deadline, among others that do not."""
    await trial.get(0)
    blocked = trial.call(("BLPOP", "none", 0.12), want=[None], limit=0.04, within=0.04)
    await asyncio.gather(blocked, *map(trial.get, range(4)))


async def silence(trial: Trial) -> None:
    """Stop the server for longer than the limit."""
    await trial.get(0)
    blocked = trial.call(("BLPOP", "none", LIMIT + 0.15), want=[None])
    await asyncio.gather(blocked, trial.get(1), trial.set(2))


async def loss(trial: Trial) -> None:
    """Close connections from the server's side."""
    await trial.get(0)
    await asyncio.gather(trial.get(1), trial.call(("QUIT",), want=[b"OK"]), trial.get(2), trial.set(3))
    await asyncio.gather(*map(trial.get, range(3)))


async def ends(trial: Trial) -> None:
    """Release connections, and one of a transaction."""
    await trial.get(0)
    trial.pool.release()
    await asyncio.sleep(0)
    await asyncio.gather(trial.get(1), trial.get(2))
    other = type(trial.pool)(trial.pool._endpoint)
    with suppress(Exception):
        await other.execute((("PING",),))
    with suppress(Struck, KeyboardInterrupt):
        other.abort()
    other.abort()
    await asyncio.sleep(0)


async def moved(trial: Trial) -> None:
    """Move the server's name, so that each connection is opened again."""
    await asyncio.gather(*map(trial.get, range(4)))
    with suppress(Struck):
        await trial.pool.retire()
    await asyncio.gather(*map(trial.get, range(4)))


PHASES: Final[tuple[Phase, ...]] = (traffic, room, deadline, silence, loss, ends, moved)
