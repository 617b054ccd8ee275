"""Measure backends in rounds, taking turns, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from tests.bench.backends.installed import BACKENDS, OURS, output
from tests.bench.backends.report import RAW
from tests.bench.measures import fill, sync_round
from tests.bench.peers import raw_socket
from tests.support.servers import Server

PROCESS: Final = Path(__file__).with_name("process.py")
WORKS: Final = ("get", "set", "get_many", "set_many", "aget", "gather", "gather uvloop", "threads")
RAW_CALLS: Final = {"get": 1000, "set": 1000, "get_many": 50, "set_many": 30}

Process: TypeAlias = "subprocess.Popen[str]"


class Round(NamedTuple):
    """Microseconds of a call, and of the client's CPU time."""

    wall: float
    cpu: float


Rounds: TypeAlias = dict[str, dict[str, list[Round]]]
"""All rounds, by work and backend."""

Weights: TypeAlias = dict[str, dict[str, list[float]]]
"""Milliseconds of `import` and MiB of `memory` in each process, by backend."""


def measure(server: Server, pythons: Mapping[str, str], rounds: int) -> Rounds:
    """Return the figures of all rounds; a first one is left out."""
    figures: Rounds = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        raw = stack.enter_context(raw_socket(server))
        fill(server)
        processes = {name: stack.enter_context(running(server, name, python)) for name, python in pythons.items()}
        for process in processes.values():
            answer(process)
        for number in range(-1, rounds):
            print(f"\rround {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
            for work in WORKS:
                found: dict[str, Round | str] = {}
                if work in RAW_CALLS:
                    found[RAW] = Round(sync_round(getattr(raw, work), RAW_CALLS[work]), 0)
                found |= {name: asked(processes[name], work) for name in in_turn(processes, number)}
                for name, figure in found.items():
                    if number >= 0 and isinstance(figure, Round):
                        figures[work][name].append(figure)
                    elif number < 0 and isinstance(figure, str):
                        print(f"{name}: {work} {figure.strip()}", file=sys.stderr)
    print(file=sys.stderr)
    return figures


def in_turn(processes: Mapping[str, Process], number: int) -> list[str]:
    """Return the backends, beginning with another one in every round."""
    names = [*processes]
    first = number % len(names)
    return names[first:] + names[:first]


@contextmanager
def running(server: Server, name: str, python: str) -> Iterator[Process]:
    """Run the process of a backend; it ends when its input is closed."""
    entry = json.dumps(BACKENDS[name].entry(server.url(), name.replace(", ", "-")))
    command = [python, "-I", str(PROCESS), entry]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        yield process


def asked(process: Process, work: str) -> Round | str:
    """Return the figures of a work, or the line that tells why it failed."""
    assert process.stdin is not None
    process.stdin.write(f"{work}\n")
    process.stdin.flush()
    line = answer(process)
    return line if line.startswith("failed") else Round(*map(float, line.split()))


def answer(process: Process) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process has ended"
    return line


def weigh(server: Server, pythons: Mapping[str, str], rounds: int) -> Weights:
    """Return what an import and the first use of a cache cost, in new processes."""
    figures: Weights = {"import": defaultdict(list), "memory": defaultdict(list)}
    own = pythons[OURS[0]]
    for number in range(-1, rounds):
        found = {name: clocked_import(own, first, imported) for name, (first, imported) in FLOORS.items()}
        for name, python in pythons.items():
            path = BACKENDS[name].path
            first, imported = (DJANGO, path.rpartition(".")[0]) if path else ("", "dvcache.container")
            found[name] = clocked_import(python, first, imported)
        if number < 0:
            continue  # it compiles the modules
        for name, milliseconds in found.items():
            figures["import"][name].append(milliseconds)
        figures["memory"][LOCMEM].append(float(output(own, LOCMEM_USED)))
        for name, python in pythons.items():
            with running(server, name, python) as process:
                figures["memory"][name].append(float(answer(process)))
    return figures


DJANGO: Final = "from django.conf import settings; settings.configure(); "
"""Statement before the import of a backend, not measured."""

FLOORS: Final = {"`valkey` after `django.conf`": (DJANGO, "valkey"), "`valkey` alone": ("", "valkey")}
"""Imports that every backend on valkey-py needs: the statement before, and the module measured."""

LOCMEM: Final = "LocMemCache and `import valkey`"
LOCMEM_USED: Final = """
import json, sys, valkey
sys.argv = ["", json.dumps({"BACKEND": "django.core.cache.backends.locmem.LocMemCache"})]
sys.path.insert(0, %r)
import process
cache = process.opened(json.loads(sys.argv[1]))
cache.set_many(process.DATA, None)
cache.get(process.KEYS[0])
print(process.memory())
""" % str(PROCESS.parent)  # noqa: UP031  # braces


def clocked_import(python: str, first: str, imported: str) -> float:
    """Return the milliseconds of CPU time of an import, in a new process."""
    program = f"{first}import time; began = time.process_time(); import {imported}; print(time.process_time() - began)"
    return float(output(python, program)) * 1e3


def pin(server: Server, client: int, core: int) -> None:
    """Give the client's processes a core, and the server the same or another one."""
    os.sched_setaffinity(0, {client})
    os.sched_setaffinity(server.pid, {core})
