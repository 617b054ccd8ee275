"""Measure django-valkey, on an interpreter that has it: `theirs.py ENTRY ROUNDS`, an entry of CACHES as JSON; print
JSON.
"""

import gc
import json
import sys
import time

import django
from django.conf import settings
from django.core.cache import caches

entry, rounds = json.loads(sys.argv[1]), int(sys.argv[2])
settings.configure(CACHES={"default": entry})
django.setup()
cache = caches["default"]
value = {"zone": "Europe/Berlin", "offset": 3600, "dst": True}
keys = [f"key:{number}" for number in range(100)]
for key in keys:
    cache.set(key, value, None)
works = {
    "get": (lambda: cache.get("key:0"), 2000),
    "set": (lambda: cache.set("key:0", value, 60), 2000),
    "get_many(100)": (lambda: cache.get_many(keys), 200),
}
figures = {}
for name, (work, calls) in works.items():
    figures[name] = []
    for number in range(-2, rounds):
        gc.collect()
        started = time.perf_counter()
        for _ in range(calls):
            work()
        if number >= 0:
            figures[name].append((time.perf_counter() - started) / calls * 1e6)
print(json.dumps(figures))
