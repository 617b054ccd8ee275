"""A process of callers: `python -m tests.herd_caller threads|tasks SETTINGS SIGNALS`, told by lines of JSON what to do.

SETTINGS is a CACHES entry as JSON, SIGNALS the URL of a database on which a round says what has happened: how many
`began`, how many `computed`, what the callers were `served`. What computes goes on until there is `go`.
"""

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import valkey

from dvcache import Container, Settings


class Round:
    """What the callers of one round do, and what is said of it."""

    def __init__(self, told: dict[str, Any], signals: "valkey.Valkey") -> None:
        self.call, self.key, self.callers = told["call"], told["key"], told["callers"]
        self.new, self.fails, self.timeout = told["new"], told.get("fails", False), told.get("timeout", 60)
        self._name, self._signals = told["round"], signals

    def say(self, what: str) -> None:
        self._signals.incr(f"{self._name}:{what}")

    def served(self, value: object) -> None:
        self._signals.rpush(f"{self._name}:served", json.dumps(value))

    def may_go_on(self) -> bool:
        return bool(self._signals.exists(f"{self._name}:go"))

    def computed(self) -> Any:
        if self.fails:
            raise LookupError("the test's own")
        return self.new

    def compute(self) -> Any:
        self.say("computed")
        while not self.may_go_on():
            time.sleep(0.005)
        return self.computed()

    async def acompute(self) -> Any:
        self.say("computed")
        while not self.may_go_on():  # noqa: ASYNC110  # another process says it
            await asyncio.sleep(0.005)
        return self.computed()

    def perform(self, cache: Any) -> None:
        self.say("began")
        try:
            if self.call == "get_or_set":
                value = cache.get_or_set(self.key, self.compute, self.timeout)
            elif (value := cache.get(self.key)) is None:
                value = self.compute()
                cache.set(self.key, value, self.timeout)
        except LookupError:
            value = "failed"
        self.served(value)

    async def aperform(self, cache: Any) -> None:
        self.say("began")
        try:
            if self.call == "get_or_set":
                value = await cache.get_or_set(self.key, self.acompute, self.timeout)
            elif (value := await cache.get(self.key)) is None:
                value = await self.acompute()
                await cache.set(self.key, value, self.timeout)
        except LookupError:
            value = "failed"
        self.served(value)


def in_threads(settings: Settings, signals: "valkey.Valkey") -> None:
    with Container(settings) as container, ThreadPoolExecutor(200) as threads:
        cache = container.cache()
        cache.get("warm")
        print("ready", flush=True)  # noqa: T201  # the protocol
        for line in sys.stdin:
            told = Round(json.loads(line), signals)
            for done in [threads.submit(told.perform, cache) for _ in range(told.callers)]:
                done.result()
            print("done", flush=True)  # noqa: T201  # as above


async def in_tasks(settings: Settings, signals: "valkey.Valkey") -> None:
    async with Container(settings) as container:
        cache = container.async_cache()
        await cache.get("warm")
        print("ready", flush=True)  # noqa: T201  # as above
        while line := await asyncio.to_thread(sys.stdin.readline):
            told = Round(json.loads(line), signals)
            await asyncio.gather(*(told.aperform(cache) for _ in range(told.callers)))
            print("done", flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    kind, entry, url = sys.argv[1:]
    wired = Settings.parse(json.loads(entry))
    with valkey.Valkey.from_url(url) as told_to:
        if kind == "threads":
            in_threads(wired, told_to)
        else:
            asyncio.run(in_tasks(wired, told_to))
