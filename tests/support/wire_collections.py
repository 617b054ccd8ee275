"""Collections that libraries store for each other, as `wire_peer` writes and reads them. Imports no library."""

from typing import Any, Final

from tests.support.value_shapes import shape
from tests.support.wire_table import LIBRARIES

MEMBERS: Final[dict[str, Any]] = {
    "text": "a",
    "number like text": "7",
    "int": 5,
    "int negative": -5,
    "none": None,
    "true": True,
    "bytes": b"\x00",
    "tuple": (1, "a"),
}
"""Members of a set, and values of a hash. Without floats, which django-redis stores differently."""

SCORES: Final[dict[Any, float]] = {"ada": 2.5, "bob": 1.0, ("c", 1): 3.0}
"""Scores of a sorted set, which django-valkey does not have."""

CLIENTS: Final = {"default": "client.DefaultClient", "hash": "client.default.HashClient"}
"""Clients with their own names for hashes."""

_HAVE: Final = {"dvcache": ["default", "hash"], "django-valkey": ["default", "hash"], "django-redis": ["default"]}


def clients(library: str) -> list[str]:
    """Return the clients that a library has."""
    return _HAVE.get(library, [])


def aliases(library: str, port: str) -> dict[str, Any]:
    """Return an entry of CACHES for each client of a library."""
    package, backend, *_ = LIBRARIES[library]
    return {
        f"collections/{client}": {
            "BACKEND": f"{package}.{backend}",
            "LOCATION": f"redis://127.0.0.1:{port}/1",
            "KEY_PREFIX": "collections",
            "OPTIONS": {"CLIENT_CLASS": f"{package}.{CLIENTS[client]}"},
        }
        for client in clients(library)
    }


def write(library: str, caches: Any) -> None:
    """Store a set; hashes, which django-redis names in a third way; a sorted set if the library has them."""
    for client in clients(library):
        cache = caches[f"collections/{client}"]
        hashes = cache if library == "dvcache" else cache.client  # django-valkey's HashClient has more than its cache
        cache.sadd(f"set of {library}", *MEMBERS.values())
        if library != "django-redis":
            for field, value in MEMBERS.items():
                hashes.hset(f"hash of {library}, {client}", field, value)
        if library != "django-valkey":
            cache.zadd(f"scores of {library}", SCORES)
            cache.zadd(f"numbers of {library}", {5: 1.0})


def read(library: str, caches: Any) -> dict[str, Any]:
    """Return the collections of the others as a library reads them, by writer and client."""
    return {
        f"{writer}, {client}": _read(library, writer, client, caches[f"collections/{client}"])
        for writer in LIBRARIES
        if writer != library
        for client in sorted({*clients(writer)} & {*clients(library)})
    }


def _read(library: str, writer: str, client: str, cache: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "smembers": sorted(map(shape, cache.smembers(f"set of {writer}"))),
        "sismember": [bool(cache.sismember(f"set of {writer}", value)) for value in MEMBERS.values()],
    }
    if "django-valkey" not in {library, writer}:
        scores = cache.zrange(f"scores of {writer}", 0, -1, withscores=True)
        found["zrange"] = [[shape(member), score] for member, score in scores]
        numbers = f"numbers of {writer}"
        found["numbers"] = [[shape(each) for each in cache.zrange(numbers, 0, -1)], cache.zscore(numbers, 5)]
    if "django-redis" in {library, writer}:
        return found
    name = f"hash of {writer}, {client}"
    hashes = cache if library == "dvcache" else cache.client
    if library == "dvcache":
        found["hgetall"] = {field: shape(value) for field, value in hashes.hgetall(name).items()}
    return found | {
        "hkeys": sorted(hashes.hkeys(name)),
        "hexists": [bool(hashes.hexists(name, field)) for field in MEMBERS],
        "hlen": hashes.hlen(name),
    }
