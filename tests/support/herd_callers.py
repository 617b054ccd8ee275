"""Run processes of callers, one for each socket.

Usage: `python -m tests.support.herd_callers threads|tasks SETTINGS SIGNALS SOCKET...`

A process reads commands as lines of JSON from its socket, whose file descriptor it inherits. All are forked from one
process, since imports take most of the time.

SETTINGS is a CACHES entry as JSON, SIGNALS the URL of a database to which a round writes its events: how many callers
`began`, how many `computed`, which values they were `served` and after what time. A computation lasts until the key
`go` exists.
"""

import asyncio
import json
import os
import socket
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self

import valkey

from dvcache import AsyncCache, Cache, Container, Settings

PAUSE: Final = 0.005
"""Seconds between two messages, and between two checks whether to go on."""


class Lines:
    """Exchange of lines with a process, on a socket."""

    def __init__(self, ours: socket.socket) -> None:
        # one file for both directions would discard read-ahead data on a write
        self._from, self._to = ours.makefile("r"), ours.makefile("w")

    def receive(self) -> str:
        """Return the next line; an empty one if the other process has ended."""
        return self._from.readline().strip()

    def send(self, line: str) -> None:
        self._to.write(f"{line}\n")
        self._to.flush()

    def close(self) -> None:
        self._from.close()
        self._to.close()


class Signals:
    """Messages of a round, sent now and then by a separate thread, since the callers' time is measured."""

    def __init__(self, url: str) -> None:
        self._raw = valkey.Valkey.from_url(url)
        self._unsent: deque[tuple[str, ...]] = deque()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._raw.close()

    def send(self, *command: str) -> None:
        self._unsent.append(command)

    def receive(self, name: str) -> bool:
        return bool(self._raw.exists(name))

    def _send(self) -> None:
        while not self._ending.wait(PAUSE):
            if self._unsent:
                with self._raw.pipeline(transaction=False) as pipeline:
                    for _ in range(len(self._unsent)):
                        pipeline.execute_command(*self._unsent.popleft())
                    pipeline.execute()


class Round:
    """The callers of one round, and their messages."""

    def __init__(self, order: dict[str, Any], signals: Signals) -> None:
        self.call, self.key, self.callers = order["call"], order["key"], order["callers"]
        self.new, self.fails, self.timeout = order["new"], order.get("fails", False), order.get("timeout", 60)
        self._name, self._signals = order["round"], signals
        self._all = threading.Barrier(self.callers)

    def send(self, event: str) -> None:
        self._signals.send("INCR", f"{self._name}:{event}")

    def served(self, value: object, began: float) -> None:
        self._signals.send("RPUSH", f"{self._name}:served", json.dumps([value, time.perf_counter() - began]))

    def may_go_on(self) -> bool:
        return self._signals.receive(f"{self._name}:go")

    def computed(self) -> Any:
        if self.fails:
            raise LookupError("the test's own")
        return self.new

    def compute(self) -> Any:
        self.send("computed")
        while not self.may_go_on():
            time.sleep(PAUSE)
        return self.computed()

    async def acompute(self) -> Any:
        self.send("computed")
        while not self.may_go_on():  # noqa: ASYNC110  # another process says it
            await asyncio.sleep(PAUSE)
        return self.computed()

    def perform(self, cache: Cache, plain: Cache) -> None:
        self._all.wait()
        self.send("began")
        began = time.perf_counter()
        try:
            if self.call == "plain get":
                value = plain.get(self.key)
            elif self.call == "get_or_set":
                value = cache.get_or_set(self.key, self.compute, self.timeout)
            elif (value := cache.get(self.key)) is None:
                value = self.compute()
                cache.set(self.key, value, self.timeout)
        except LookupError:
            value = "failed"
        self.served(value, began)

    async def aperform(self, cache: AsyncCache, plain: AsyncCache) -> None:
        self.send("began")
        began = time.perf_counter()
        try:
            if self.call == "plain get":
                value = await plain.get(self.key)
            elif self.call == "get_or_set":
                value = await cache.get_or_set(self.key, self.acompute, self.timeout)
            elif (value := await cache.get(self.key)) is None:
                value = await self.acompute()
                await cache.set(self.key, value, self.timeout)
        except LookupError:
            value = "failed"
        self.served(value, began)


def in_threads(herd: Container, other: Container, signals: Signals, talk: Lines) -> None:
    with herd, other, ThreadPoolExecutor(200) as threads:
        cache, plain = herd.cache(), other.cache()
        cache.get("warm"), plain.get("warm")
        talk.send(f"ready {os.getpid()}")
        while line := talk.receive():
            begun = Round(json.loads(line), signals)
            for done in [threads.submit(begun.perform, cache, plain) for _ in range(begun.callers)]:
                done.result()
            talk.send("done")


async def in_tasks(herd: Container, other: Container, signals: Signals, talk: Lines) -> None:
    async with herd, other:
        cache, plain = herd.async_cache(), other.async_cache()
        await cache.get("warm"), await plain.get("warm")
        talk.send(f"ready {os.getpid()}")
        while line := await asyncio.to_thread(talk.receive):
            begun = Round(json.loads(line), signals)
            await asyncio.gather(*(begun.aperform(cache, plain) for _ in range(begun.callers)))
            talk.send("done")


def container(entry: dict[str, Any], **options: object) -> Container:
    return Container(Settings.parse({**entry, "OPTIONS": {**entry.get("OPTIONS", {}), **options}}))


def work(kind: str, entry: dict[str, Any], url: str, talk: Lines) -> None:
    caches = container(entry), container(entry, HERD=False)
    with Signals(url) as signals:
        if kind == "threads":
            in_threads(*caches, signals, talk)
        else:
            asyncio.run(in_tasks(*caches, signals, talk))


def main(kind: str, text: str, url: str, *descriptors: str) -> None:
    sockets = [socket.socket(fileno=int(each)) for each in descriptors]
    for number in range(len(sockets)):
        if os.fork() == 0:
            mine = sockets.pop(number)
            for each in sockets:
                each.close()
            talk = Lines(mine)
            mine.close()
            work(kind, json.loads(text), url, talk)
            talk.close()
            return
    for each in sockets:
        each.close()
    for _ in sockets:
        os.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
