"""Measure one process of the bulk figures, run by path with either library: many entries at once, and a raw get.

Both libraries read the same settings of a Django project. Prints seconds and microseconds as JSON.
"""

import asyncio
import json
import pickle
import socket
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django
import libvalkey
from django.conf import settings

VALUE = {"zone": "Europe/Berlin", "offset": 3600, "dst": True}
DATA = {f"key:{number}": VALUE for number in range(100)}
STORED = 200_000
SYNC, ASYNC = "django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"


class Raw:
    """A socket and libvalkey, without a library."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.reader = libvalkey.Reader()

    def get(self) -> Any:
        self.socket.sendall(libvalkey.pack_command(("GET", ":1:key:0")))
        while (reply := self.reader.gets()) is False:
            self.reader.feed(self.socket.recv(65536))
        return pickle.loads(reply)


def timed(call: Callable[[], Any], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls * 1e6


async def atimed(call: Callable[[], Any], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        await call()
    return (time.perf_counter() - began) / calls * 1e6


def main(host: str, port: str, rounds: str) -> None:
    location = f"valkey://{host}:{port}"
    default = {"BACKEND": SYNC, "LOCATION": f"{location}/0"}
    # in its own database: django-valkey has one pool for a URL, of either mode
    settings.configure(CACHES={"default": default, "async": {"BACKEND": ASYNC, "LOCATION": f"{location}/1"}})
    django.setup()
    from django.core.cache import caches  # noqa: PLC0415  # needs the settings

    cache: Any
    cache, raw = caches["default"], Raw(host, int(port))
    cache.set_many(DATA, None)
    figures: dict[str, list[float]] = {
        name: [] for name in ("raw get", "get_many", "set_many", "await get_many", "await set_many")
    }
    with asyncio.Runner() as runner:
        acache = runner.run(in_loop(caches))
        runner.run(atimed(lambda: acache.set_many(DATA, None), 1))
        for _ in range(int(rounds)):
            figures["raw get"].append(timed(raw.get, 2000))
            figures["get_many"].append(timed(lambda: cache.get_many(DATA), 100))
            figures["set_many"].append(timed(lambda: cache.set_many(DATA, 60), 100))
            figures["await get_many"].append(runner.run(atimed(lambda: acache.get_many(DATA), 100)))
            figures["await set_many"].append(runner.run(atimed(lambda: acache.set_many(DATA, 60), 100)))
    medians = {name: statistics.median(each) for name, each in figures.items()}
    for start in range(0, STORED, 10_000):
        names = (f"{'odd' if number % 2 else 'even'}:{number}" for number in range(start, start + 10_000))
        cache.set_many(dict.fromkeys(names, "x" * 50), None)
    sys.stdout.write("filled\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began = time.perf_counter()
    assert cache.delete_pattern("odd:*") == STORED // 2
    medians["delete_pattern"] = time.perf_counter() - began
    sys.stdout.write(json.dumps(medians))


async def in_loop(caches: Any) -> Any:
    return caches["async"]


if __name__ == "__main__":
    main(*sys.argv[1:])
