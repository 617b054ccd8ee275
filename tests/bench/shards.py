"""Measure three shards beside one server: `python -m tests.bench shards`.

With `--django-valkey PYTHON` its shard client, which is synchronous only, does the same in a process of its own.
"""

from tests.bench.several import on_core, show_several
from tests.support.servers import Server
from tests.support.shards import Shards


def show_shards(server: Server, rounds: int, core: int, theirs: str | None) -> None:
    """Measure and print.

    Args:
        server: the single server.
        rounds: number of rounds of each peer.
        core: the processor core of every shard.
        theirs: a Python with django-valkey.
    """
    with Shards() as shards:
        on_core(shards.servers, core)
        options = {"CLIENT_CLASS": "django_valkey.client.ShardClient"}
        their_entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": shards.urls, "OPTIONS": options}
        entry = {"LOCATION": shards.urls, "OPTIONS": {"SHARDED": True}}
        show_several("shards", entry, server, rounds, theirs=(theirs, their_entry))
