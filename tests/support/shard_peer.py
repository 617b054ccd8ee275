"""Run django-valkey on shards: `python -m tests.support.shard_peer URL URL …`, on a Python that has it.

It stores the entries of `theirs`, and prints as JSON the entries of `ours` that it does not find.
"""

import json
import sys
from typing import Final

import django
from django.conf import settings

KEYS: Final = [
    *map(str, range(300)),
    *(f"{{user:{n}}}:name" for n in range(20)),
    "a b",
    "ключ",
    "{",
    "}{",
    "{a}{b}",
    "{}",
]
"""Names of entries; their values are their indices."""


def main() -> None:
    options = {"CLIENT_CLASS": "django_valkey.client.ShardClient"}
    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": sys.argv[1:], "OPTIONS": options}
    settings.configure(CACHES={"default": entry})
    django.setup()
    from django.core.cache import cache  # noqa: PLC0415  # of the settings that were just made

    for value, key in enumerate(KEYS):
        cache.set(f"theirs {key}", value)
    missed = [key for value, key in enumerate(KEYS) if cache.get(f"ours {key}") != value]
    sys.stdout.write(json.dumps(missed))


if __name__ == "__main__":
    main()
