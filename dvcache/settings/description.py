"""Describe settings for reprs, without credentials: `standalone valkey://127.0.0.1:6379/1`."""

from collections.abc import Sequence
from typing import Any, Final

from dvcache.types import Endpoint

SHOWN: Final = 3
"""Maximum number of servers that are named."""


def described(settings: Any) -> str:
    """Return alias, servers, serializer and prefix of a `Settings`."""
    serializer = type(settings.serializer).__name__
    return f"{settings.alias!r}: {servers(settings)}, {serializer}, prefix {settings.key_prefix!r}"


def servers(settings: Any) -> str:
    """Return the topology of a `Settings` and the names of its servers."""
    return f"{_topology(settings)} {_named(settings.endpoints)}"


def _topology(settings: Any) -> str:
    if settings.cluster:
        return "cluster"
    if settings.shards:
        return "shards"
    if any(each.service for each in settings.endpoints):
        return "sentinel"
    return "replicated" if len(settings.endpoints) > 1 else "standalone"


def _named(endpoints: Sequence[Endpoint]) -> str:
    names = [each.name for each in endpoints]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
