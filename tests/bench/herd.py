"""Measure the herd policy: the cost of a hit, and callers at the end of an entry: `python -m tests.bench herd`.

With `--django-valkey PYTHON` the same crowd asks django-valkey's herd client too, on an interpreter that has it:
`python -m venv /tmp/theirs && /tmp/theirs/bin/pip install django-valkey[libvalkey]==0.4.1`.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from dvcache import Container, Settings
from tests.bench.figures import Figures
from tests.bench.measures import measure_async, measure_sync
from tests.bench.peers import (
    KEYS,
    VALUE,
    AsyncDvcache,
    AsyncPeer,
    Dvcache,
    SyncPeer,
    dvcache_async,
    dvcache_sync,
)
from tests.support.programs import environment
from tests.support.servers import Server

PLAIN: Final = "plain"
PROCESSES: Final = 4
CROWD: Final = Path(__file__).with_name("crowd.py")


def show_herd(server: Server, rounds: int, theirs: str | None) -> None:
    """Measure and print.

    Args:
        server: empty, and used by no other process.
        rounds: number of rounds of each peer.
        theirs: a Python with django-valkey.
    """
    Figures(measure_sync({PLAIN: dvcache_sync, "herd": herd_sync}, server, rounds), PLAIN).show("hits, sync")
    peers = {PLAIN: dvcache_async, "herd": herd_async}
    Figures(asyncio.run(measure_async(peers, server, rounds)), PLAIN).show("hits, async")
    print(f"{'a crowd when an entry ends':<36}{'lives':>8}{'made':>8}{'calls':>9}{'p50 ms':>9}{'p99 ms':>9}{'most':>9}")
    pythons = {"dvcache": sys.executable} | ({} if theirs is None else {"django-valkey 0.4.1": theirs})
    for call in ("get, set", "get_or_set"):
        for name, python in pythons.items():
            print(f"  {f'{name}: {call}':<34}" + crowd(python, server, call))


def crowd(python: str, server: Server, call: str) -> str:
    """Let a crowd of processes ask for one entry over several lifetimes; return the row of figures."""
    server.raw("FLUSHALL")
    env = environment() if python == sys.executable else {"PATH": "/usr/bin:/bin"}
    programs = [
        subprocess.Popen([python, str(CROWD), server.url(), call], env=env, text=True, stdout=subprocess.PIPE)
        for _ in range(PROCESSES)
    ]
    reports = [json.loads(program.communicate()[0]) for program in programs]
    times = sorted(time for each in reports for time in each["times"])
    made = sum(each["made"] for each in reports)
    lives = max(each["lives"] for each in reports)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    return f"{lives:>8}{made:>8}{len(times):>9,}{p50:>9.2f}{p99:>9.2f}{times[-1]:>9.1f}"


def herd(server: Server) -> Container:
    options: dict[str, Any] = {"LOCATION": server.url(), "KEY_PREFIX": "herd", "OPTIONS": {"HERD": True}}
    made = Container(Settings.parse(options))
    made.cache().set_many(dict.fromkeys(KEYS, VALUE), None)
    return made


@contextmanager
def herd_sync(server: Server) -> Iterator[SyncPeer]:
    with herd(server) as own:
        yield Dvcache(own.cache())


@asynccontextmanager
async def herd_async(server: Server) -> AsyncIterator[AsyncPeer]:
    async with herd(server) as own:
        yield AsyncDvcache(own.async_cache())
