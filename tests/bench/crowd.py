"""Run one process of the crowd, by path with either library: threads that ask for one entry for some seconds.

Its settings are those of a project that has the herd client configured; both libraries read them.
"""

import json
import os
import sys
import threading
import time

import django
from django.conf import settings

THREADS = 25
SECONDS = 8.0
TIMEOUT = 1
HERD = 4
TAKES = 0.1
"""Seconds of the computation."""
PAUSE = 0.005
"""Seconds between two calls of a thread."""


def main(location: str, call: str) -> None:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    settings.configure(
        CACHES={
            "default": {
                "BACKEND": "django_valkey.cache.ValkeyCache",
                "LOCATION": location,
                "OPTIONS": {"CLIENT_CLASS": "django_valkey.client.HerdClient"},
            }
        },
        CACHE_HERD_TIMEOUT=HERD,
    )
    django.setup()
    from django.core.cache import cache  # noqa: PLC0415  # needs the settings

    made: list[float] = []
    times: list[float] = []
    seen: set[object] = set()

    def make() -> float:
        time.sleep(TAKES)
        made.append(time.time())
        return made[-1]

    def ask() -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            began = time.perf_counter()
            if call == "get_or_set":
                value = cache.get_or_set("page", make, TIMEOUT)
            elif (value := cache.get("page")) is None:
                value = make()
                cache.set("page", value, TIMEOUT)
            times.append((time.perf_counter() - began) * 1000)
            seen.add(value)
            time.sleep(PAUSE)

    cache.add("page", time.time(), TIMEOUT)
    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps({"made": len(made), "lives": len(seen), "times": times}))


if __name__ == "__main__":
    main(*sys.argv[1:])
