"""Measure deleting keys by pattern, and the delay of another client: `python -m tests.bench patterns`."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from dvcache import Cache, Container, Settings
from tests.support.programs import environment
from tests.support.servers import Server

KEYS: Final = 200_000
OTHER: Final = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
longest = 0.0
sys.stdout.write("ready\\n"); sys.stdout.flush()
while True:
    began = time.perf_counter()
    s.sendall(b"GET other\\r\\n"); reply = s.recv(100)
    if reply.startswith(b"$1"): break
    longest = max(longest, time.perf_counter() - began)
    time.sleep(0.0002)
sys.stdout.write(str(longest))
"""
"""A client in a process of its own, so that it waits for the server alone; the entry `other` ends it."""


def show_patterns(server: Server, rounds: int) -> None:
    """Measure and print.

    Args:
        server: used by no other process.
        rounds: number of rounds, at most 5.
    """
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    settings = Settings.parse({"LOCATION": server.url(), "KEY_PREFIX": "own", "OPTIONS": {"CLEAR_SCOPE": "prefix"}})
    deeds: dict[str, Callable[[Cache], object]] = {
        f"delete_pattern of half of {KEYS:,} keys": lambda cache: cache.delete_pattern("odd*"),
        f"clear of {KEYS:,} keys, CLEAR_SCOPE prefix": lambda cache: cache.clear(),
    }
    with Container(settings) as container:
        print(f"{'':<46}{'seconds':>10}{'longest get of another, ms':>30}")
        for name, deed in deeds.items():
            figures = [_measured(server, container.cache(), deed) for _ in range(min(rounds, 5))]
            took, longest = (statistics.median(column) for column in zip(*figures, strict=True))
            print(f"  {name:<44}{took:>10.3f}{longest:>30.1f}")


def _measured(server: Server, cache: Cache, deed: Callable[[Cache], object]) -> tuple[float, float]:
    """Return the duration in seconds, and the longest get of another client in the meantime, in milliseconds."""
    server.raw("FLUSHALL", "SYNC")
    names = [f"{'odd' if number % 2 else 'even'}:{number}" for number in range(KEYS)]
    cache.set_many(dict.fromkeys(names, "x" * 50), None)
    arguments = [sys.executable, "-c", OTHER, server.host, str(server.port)]
    with subprocess.Popen(arguments, env=environment(), text=True, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        began = time.perf_counter()
        deed(cache)
        took = time.perf_counter() - began
        server.raw("SET", "other", "x")
        return took, float(other.stdout.read()) * 1000
