"""Measure many entries at once, and a deleted pattern, beside django-valkey: `python -m tests.bench bulk`.

With `--django-valkey PYTHON` the same calls are made with django-valkey, on an interpreter that has it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.bench.patterns import OTHER
from tests.support.programs import environment
from tests.support.servers import Server

CALLS: Final = Path(__file__).with_name("bulk_calls.py")
RAW: Final = "raw get"


def show_bulk(server: Server, rounds: int, theirs: str | None) -> None:
    """Measure and print.

    Args:
        server: used by no other process.
        rounds: number of rounds of each call.
        theirs: a Python with django-valkey.
    """
    pythons = {"dvcache": sys.executable} | ({} if theirs is None else {"django-valkey": theirs})
    results = {name: _measured(server, rounds, python) for name, python in pythons.items()}
    print(f"{'100 entries, µs (times a raw get)':<42}" + "".join(f"{name:>22}" for name in results))
    first, *_ = results.values()
    for call in [call for call in first if call not in {"delete_pattern", "longest"}]:
        cells = (f"{each[call]:.1f} ({each[call] / each[RAW]:.1f}x)" for each in results.values())
        print(f"  {call:<40}" + "".join(f"{cell:>22}" for cell in cells))
    for name, each in results.items():
        took, longest = each["delete_pattern"], each["longest"] * 1000
        print(f"{name}: delete_pattern of half of 200,000 keys {took:.3f} s; another's longest get {longest:.1f} ms")


def _measured(server: Server, rounds: int, python: str) -> dict[str, float]:
    """Return the figures of one library, and the longest get of another client during the call, in seconds."""
    server.raw("FLUSHALL", "SYNC")
    env = environment() if python == sys.executable else {"PATH": "/usr/bin:/bin"}
    arguments = [python, str(CALLS), server.host, str(server.port), str(rounds)]
    with subprocess.Popen(arguments, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as calls:
        assert calls.stdin is not None
        assert calls.stdout is not None
        assert calls.stdout.readline(), f"{python} has failed"
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        witness = [sys.executable, "-c", OTHER, server.host, str(server.port)]
        with subprocess.Popen(witness, env=environment(), text=True, stdout=subprocess.PIPE) as other:
            os.sched_setaffinity(0, cores)
            assert other.stdout is not None
            other.stdout.readline()
            calls.stdin.write("go\n")
            calls.stdin.flush()
            answer = calls.stdout.read()
            server.raw("SET", "other", "x")
            results: dict[str, float] = json.loads(answer)
            results["longest"] = float(other.stdout.read())
    return results
