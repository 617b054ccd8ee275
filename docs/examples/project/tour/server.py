"""Ask the server for its version, its counts and its entries."""

from dataclasses import dataclass
from typing import Any

import django_valkey
from dvcache.drive import checked
from dvcache.types import Command


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of reads so far that found a key, and that found none."""

    hits: int
    misses: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored entry: its key, its size in bytes and its TTL in seconds."""

    key: str
    size: int
    ttl: float


def ask(*commands: Command) -> Any:
    """Return the server's replies, without the cache."""
    client = django_valkey.container("default").client()
    return checked(commands, client.execute(commands))


def info(section: str) -> dict[str, str]:
    """Return a section of INFO."""
    [text] = ask(("INFO", section))
    lines = text.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def version(facts: dict[str, str]) -> str:
    """Return the server's name and version from INFO."""
    if "valkey_version" in facts:
        return f"Valkey {facts['valkey_version']}"
    return f"Redis {facts['redis_version']}"


def counted() -> Counts:
    """Return the server's counts so far."""
    facts = info("stats")
    return Counts(int(facts["keyspace_hits"]), int(facts["keyspace_misses"]))


def entries() -> list[Entry]:
    """Return all stored entries."""
    cursor, keys = b"0", []
    while True:
        [[cursor, found]] = ask(("SCAN", cursor, "COUNT", 1000))
        keys += found
        if cursor == b"0":
            break
    return [_entry(key) for key in sorted(set(keys))]


def _entry(key: bytes) -> Entry:
    size, milliseconds = ask(("STRLEN", key), ("PTTL", key))
    return Entry(key.decode(), size, milliseconds / 1000)
