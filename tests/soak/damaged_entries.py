"""Read entries damaged in transit: bytes changed, cut off or added, in every format, through a cache."""

import random
import resource
from collections.abc import Iterator
from typing import Final

from dvcache import Cache, Container, Settings
from tests.soak._run import Run
from tests.support.decompression_bombs import BOMBS
from tests.support.servers import Server

_SEED: Final = 20261121
_BOUND: Final = 2_000_000
"""Bytes; MAX_DECOMPRESSED_SIZE."""
_SERIALIZERS: Final = (
    *("SignedSerializer", "TypedSerializer", "JSONSerializer"),
    *("msgpack.MSGPackSerializer", "msgspec.MsgSpecJsonSerializer", "msgspec.MsgSpecMsgPackSerializer"),
)
"""Serializers that run no code for a damaged byte; pickle promises nothing."""


def damaged_entries_are_values_or_misses_and_cost_no_memory(run: Run) -> str:
    chance, read, misses = random.Random(_SEED), 0, 0
    with Server() as server:
        before = _used()
        for _ in run.rounds(short=2, long=200):
            for container in _wirings(server):
                with container:
                    cache = container.cache()
                    for entry in _damaged(container, chance, 40):
                        container.client().execute((("SET", ":1:k", entry),))
                        assert cache.get_many(["k"]).keys() <= {"k"}
                        read += 1
                    misses += container.context().codec.undecodable
        grown = _used() - before
    assert misses > read / 4
    assert grown < 200, f"{grown} MiB more than before"
    return f"{read:,} damaged entries, {misses:,} misses, no error; {grown} MiB more than before"


def _wirings(server: Server) -> Iterator[Container]:
    for serializer in _SERIALIZERS:
        for compressor in BOMBS:
            options = {
                "SERIALIZER": f"dvcache.serializers.{serializer}",
                "COMPRESSOR": f"dvcache.compressors.{compressor}",
                "MAX_DECOMPRESSED_SIZE": _BOUND,
                "SIGNING_KEYS": ["a secret"],
            }
            yield Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options}))


def _damaged(container: Container, chance: random.Random, count: int) -> Iterator[bytes]:
    for number in range(count):
        entry = bytearray(_entry(container, container.cache(), [f"apple {number}"] * chance.randint(1, 300)))
        for _ in range(chance.randint(1, 4)):
            match chance.randrange(5):
                case 0:
                    del entry[chance.randrange(len(entry)) :]
                case 1:
                    entry += chance.randbytes(chance.randint(1, 9))
                case _:
                    entry[chance.randrange(len(entry))] = chance.randrange(256)
            entry = entry or bytearray(b"x")
        yield bytes(entry)


def _entry(container: Container, cache: Cache, value: object) -> bytes:
    cache.set("k", value)
    [stored] = container.client().execute((("GET", ":1:k"),))
    return bytes(stored)


def _used() -> int:
    """Return the peak memory of this process in mebibytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
