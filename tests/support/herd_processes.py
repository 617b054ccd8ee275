"""The herd policy for tests: wirings, and what many callers of several processes do at once."""

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
from tests.support.herd_callers import Talk
from tests.support.programs import ROOT, command, environment
from tests.support.servers import Server, wait_until

BRIEF: Final = 0.03
"""Seconds that the suite's entries are kept when stale: it waits until an entry is gone.

Less than the suite's slack about lifetimes, since `pttl` takes as much from the life of a lock, which is no entry.
"""

PROCESSES: Final = 4

Kind: TypeAlias = Literal["threads", "tasks"]

CALLERS: Final[Mapping[Kind, int]] = {"threads": 25, "tasks": 200}
"""Of each process."""

_SIGNALS: Final = 9
"""The database on which the callers say what happens."""

_rounds: Final = itertools.count()


def of_a_herd(make_cache: MakeCache) -> MakeCache:
    """Make caches with the herd policy of what makes caches."""

    def make(**settings: object) -> Cache:
        options = settings.get("OPTIONS") or {}
        assert isinstance(options, dict)
        return make_cache(**{**settings, "OPTIONS": {"HERD": {"timeout": BRIEF}, **options}})

    return make


class CallerProcess:
    """A process of callers, as `tests.support.herd_callers` is told and answers."""

    def __init__(self, ours: socket.socket) -> None:
        self._talk = Talk(ours)
        self.pid = 0

    def wait_ready(self) -> None:
        word, _, pid = self._talk.hear().partition(" ")
        assert word == "ready"
        self.pid = int(pid)

    def tell(self, told: Mapping[str, object]) -> None:
        self._talk.say(json.dumps(told))

    def wait_done(self) -> None:
        assert self._talk.hear() == "done"

    def kill(self) -> None:
        """End it as nothing can prevent it: `kill -9`."""
        os.kill(self.pid, signal.SIGKILL)
        with suppress(OSError):
            while self._talk.hear():  # to its end
                pass
            self._talk.close()


class Herd:
    """Processes with callers, who do the same at once, and the database on which they say what happens.

    Args:
        entry: the CACHES entry of their caches.
        kind: whether the callers of a process are threads or tasks.
        server: where the database is; not necessarily the caches' own.
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
        """End a process as nothing can prevent it."""
        self.processes.remove(process)
        process.kill()

    def end(self) -> None:
        for process in list(self.processes):
            self.kill(process)
        self._parent.wait()
        self.signals.close()

    def start(self, call: str, key: str, new: object, callers: int | None = None, **more: object) -> "Round":
        """Have every process begin a round: so many callers each, all of them at once."""
        told = {"call": call, "key": key, "new": new, "callers": callers or CALLERS[self.kind], **more}
        begun = Round(self, f"round{next(_rounds)}", told["callers"] * len(self.processes))
        for process in self.processes:
            process.tell({**told, "round": begun.name})
        return begun


class Round:
    """What happens in one round."""

    def __init__(self, herd: Herd, name: str, callers: int) -> None:
        self.herd, self.name, self.callers = herd, name, callers
        self._raw = herd.signals

    def count(self, what: str) -> int:
        return int(self._raw.get(f"{self.name}:{what}") or 0)

    def served(self) -> Counter[Any]:
        """How often each value was returned so far."""
        return Counter(value for value, _ in self._served())

    def seconds(self, value: object) -> list[float]:
        """How long each of those waited so far to whom the value was returned."""
        return [seconds for returned, seconds in self._served() if returned == value]

    def _served(self) -> list[tuple[Any, float]]:
        return [json.loads(each) for each in self._raw.lrange(f"{self.name}:served", 0, -1)]

    def wait_served(self, callers: int, seconds: float = 20.0) -> None:
        wait_until(lambda: self._raw.llen(f"{self.name}:served") >= callers, seconds)

    def go(self) -> None:
        """Let those who compute come to their end."""
        self._raw.set(f"{self.name}:go", 1)

    def end(self) -> Counter[Any]:
        """Let all come to their end; return how often each value was returned."""
        self.go()
        self.wait_served(self.callers)
        for process in self.herd.processes:
            process.wait_done()
        return self.served()


@contextmanager
def herd_of(entry: Mapping[str, object], kind: Kind, server: Server) -> Iterator[Herd]:
    """Processes of callers, which end with the block."""
    herd = Herd(entry, kind, server)
    try:
        herd.wait_ready()
        yield herd
    finally:
        herd.end()
