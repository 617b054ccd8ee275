"""Wirings with the herd policy, and many concurrent callers of several processes."""

import itertools
import json
import os
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, Literal, TypeAlias

import valkey

from dvcache.cache import Cache
from dvcache.testing.conformance import MakeCache
from tests.support.herd_callers import Lines
from tests.support.programs import ROOT, command, environment
from tests.support.servers import Server, wait_until

BRIEF: Final = 0.03
"""Seconds for which the suite's stale entries are kept: it waits until an entry is gone.

Less than the suite's tolerance of expiry times, since `pttl` subtracts it from the TTL of a lock too.
"""

PROCESSES: Final = 4

Kind: TypeAlias = Literal["threads", "tasks"]

CALLERS: Final[Mapping[Kind, int]] = {"threads": 25, "tasks": 200}
"""Callers of each process."""

_SIGNALS: Final = 9
"""Database of the callers' messages."""

_rounds: Final = itertools.count()


def with_herd_policy(make_cache: MakeCache) -> MakeCache:
    """Return a function that makes caches with the herd policy, from one that makes caches."""

    def make(**settings: object) -> Cache:
        options = settings.get("OPTIONS") or {}
        assert isinstance(options, dict)
        return make_cache(**{**settings, "OPTIONS": {"HERD": {"timeout": BRIEF}, **options}})

    return make


class CallerProcess:
    """A process of callers, with the protocol of `tests.support.herd_callers`."""

    def __init__(self, ours: socket.socket) -> None:
        self._talk = Lines(ours)
        self.pid = 0

    def wait_ready(self) -> None:
        word, _, pid = self._talk.receive().partition(" ")
        assert word == "ready"
        self.pid = int(pid)

    def send(self, order: Mapping[str, object]) -> None:
        self._talk.send(json.dumps(order))

    def wait_done(self) -> None:
        assert self._talk.receive() == "done"

    def kill(self) -> None:
        """End it by `kill -9`."""
        os.kill(self.pid, signal.SIGKILL)
        with suppress(OSError):
            while self._talk.receive():  # read to the end
                pass
            self._talk.close()


class Herd:
    """Processes with concurrent callers, and the database of their messages.

    Args:
        entry: the CACHES entry of their caches.
        kind: threads or tasks, the callers of a process.
        server: the server of that database; not necessarily the caches' own.
    """

    def __init__(self, entry: Mapping[str, object], kind: Kind, server: Server) -> None:
        self.kind: Kind = kind
        self.signals = valkey.Valkey.from_url(server.url(_SIGNALS))
        ours, theirs = zip(*(socket.socketpair() for _ in range(PROCESSES)), strict=True)
        self.processes = [CallerProcess(each) for each in ours]
        numbers = [each.fileno() for each in theirs]
        program = command(
            "-m", "tests.support.herd_callers", kind, json.dumps(entry), server.url(_SIGNALS), *map(str, numbers)
        )
        self._parent = subprocess.Popen(program, cwd=ROOT, env=environment(), pass_fds=numbers)
        for each in (*ours, *theirs):
            each.close()

    def wait_ready(self) -> None:
        for process in self.processes:
            process.wait_ready()

    def kill(self, process: CallerProcess) -> None:
        """End a process by `kill -9`."""
        self.processes.remove(process)
        process.kill()

    def end(self) -> None:
        for process in list(self.processes):
            self.kill(process)
        self._parent.wait()
        self.signals.close()

    def start(self, call: str, key: str, new: object, callers: int | None = None, **more: object) -> "Round":
        """Start a round in every process, with so many concurrent callers in each."""
        order = {"call": call, "key": key, "new": new, "callers": callers or CALLERS[self.kind], **more}
        begun = Round(self, f"round{next(_rounds)}", order["callers"] * len(self.processes))
        for process in self.processes:
            process.send({**order, "round": begun.name})
        return begun


class Round:
    """The events of one round."""

    def __init__(self, herd: Herd, name: str, callers: int) -> None:
        self.herd, self.name, self.callers = herd, name, callers
        self._raw = herd.signals

    def count(self, what: str) -> int:
        return int(self._raw.get(f"{self.name}:{what}") or 0)

    def served(self) -> Counter[Any]:
        """Number of calls so far that returned each value."""
        return Counter(value for value, _ in self._served())

    def seconds(self, value: object) -> list[float]:
        """Waiting times so far of the calls that returned the value."""
        return [seconds for returned, seconds in self._served() if returned == value]

    def _served(self) -> list[tuple[Any, float]]:
        return [json.loads(each) for each in self._raw.lrange(f"{self.name}:served", 0, -1)]

    def wait_served(self, callers: int, seconds: float = 20.0) -> None:
        wait_until(lambda: self._raw.llen(f"{self.name}:served") >= callers, seconds)

    def go(self) -> None:
        """Let the computations end."""
        self._raw.set(f"{self.name}:go", 1)

    def end(self) -> Counter[Any]:
        """Let all calls end; return how often each value was returned."""
        self.go()
        self.wait_served(self.callers)
        for process in self.herd.processes:
            process.wait_done()
        return self.served()


@contextmanager
def herd_of(entry: Mapping[str, object], kind: Kind, server: Server) -> Iterator[Herd]:
    """Run processes of callers within the block."""
    herd = Herd(entry, kind, server)
    try:
        herd.wait_ready()
        yield herd
    finally:
        herd.end()
