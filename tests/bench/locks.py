"""Measure locks between processes, from a release to the next acquire: `python -m tests.bench locks`.

With `--django-valkey PYTHON` the same processes use django-valkey, on an interpreter that has it.
"""

import os
import statistics
import sys
from typing import Final

from tests.support.lock_queues import hand_overs, turns
from tests.support.servers import Server

PROCESSES: Final = 3


def show_locks(server: Server, rounds: int, theirs: str | None) -> None:
    """Measure and print.

    Args:
        server: used by no other process.
        rounds: a tenth of the acquisitions of each process.
        theirs: a Python with django-valkey.
    """
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    print(f"{f'{PROCESSES} processes, ms from release to acquire':<46}{'count':>7}{'p50':>8}{'p99':>8}{'most':>8}")
    pythons = {"dvcache": sys.executable} | ({} if theirs is None else {"django-valkey": theirs})
    for name, python in pythons.items():
        server.raw("FLUSHALL")
        before = _sets(server)
        taken = turns(server.url(), rounds * 10, *[python] * PROCESSES)
        took = sorted(seconds * 1000 for seconds in hand_overs(taken))
        p99 = took[len(took) * 99 // 100]
        print(f"  {name:<44}{len(took):>7}{statistics.median(took):>8.1f}{p99:>8.1f}{took[-1]:>8.1f}")
        lasted = taken[-1].given_back - taken[0].asked
        print(
            f"    {(_sets(server) - before) / lasted / PROCESSES:.0f} SET a second and process while it waits or holds"
        )


def _sets(server: Server) -> int:
    calls = server.info("commandstats").get("cmdstat_set", "calls=0")
    return int(calls.partition("calls=")[2].partition(",")[0])
