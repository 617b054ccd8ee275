"""Acquire a lock repeatedly in a process, run by path with any library that has `cache.lock`.

It prints the times of each request, acquisition and release: seconds of the system's monotonic clock, which all
processes share. Without rounds it acquires the lock, prints that, and holds it until it is killed.
"""

import json
import os
import random
import sys
import time

import django
from django.conf import settings

HELD = 0.01
"""Seconds that a lock is held, and the pause before the next acquire: half to one and a half times as much."""


def main(location: str, rounds: str, timeout: str) -> None:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    settings.configure(CACHES={"default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": location}})
    django.setup()
    from django.core.cache import cache  # noqa: PLC0415  # needs the settings

    if not int(rounds):
        cache.lock("l", timeout=float(timeout)).acquire()
        sys.stdout.write("held\n")
        sys.stdout.flush()
        time.sleep(60)
    turns = []
    for _ in range(int(rounds)):
        asked = time.monotonic()
        with cache.lock("l", timeout=float(timeout)):
            had = time.monotonic()
            time.sleep(HELD * (0.5 + random.random()))
            given_back = time.monotonic()
        turns.append((asked, had, given_back))
        time.sleep(HELD * (0.5 + random.random()))
    sys.stdout.write(json.dumps(turns))


if __name__ == "__main__":
    main(*sys.argv[1:])
