"""Arrange the servers of a CACHES entry: the role of each, in the order of their use.

LOCATION is `[primary, replica, …]`; `is_master` in a URL's query sets the role of that URL.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dvcache.settings.connections import Location
from dvcache.settings.faults import Faults
from dvcache.settings.location import KEY
from dvcache.settings.topology import ChosenTopology
from dvcache.types import Role

PlacedServer: TypeAlias = tuple[Location, Role]


@dataclass(slots=True)
class Arrangement:
    """The servers with their roles, further fields of `Settings`, and what is wrong."""

    servers: list[PlacedServer] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    warned: list[str] = field(default_factory=list)

    def refuse(self, message: str, key: str = KEY) -> None:
        """Add a fault."""
        self.faults.add(message, key)


def arranged(
    location: object, read: Sequence[Location], options: Mapping[str, Any], wanted: ChosenTopology
) -> Arrangement:
    """Return the servers of a LOCATION, whose URLs are read, in this topology."""
    if wanted.kind == "cluster":
        return _seeds(read, options)
    if wanted.kind == "sharded":
        return _shards(read, options)
    found = Arrangement()
    if isinstance(location, AbstractSet) and len(read) > 1:
        found.refuse("a set has no order; write a list: [primary, replica, …]")
    single = isinstance(location, str) and len(read) == 1
    if single and wanted.reads_replicas and (wanted.ignores_role or read[0].is_master is None):
        if read[0].is_master is not None:
            ignored = "is_master was ignored; a single URL means the primary and the replicas of the service"
            found.warned.append(f"LOCATION: {ignored}")
        found.servers = [(read[0], "primary"), (read[0], "replica")]
    elif wanted.kind == "sentinel":
        found.servers = [(each, _role(each)) for each in read]
    else:
        found.servers = _in_roles(read, found)
    read_only = bool(found.servers) and all(role == "replica" for _, role in found.servers)
    # The first primary leads; without one the first server stands for it, and the alias is read-only.
    leading: list[PlacedServer] = [each for each in found.servers if each[1] == "primary"][:1]
    if read_only:
        leading = [(found.servers[0][0], "primary")]
    found.servers = [*leading, *[each for each in found.servers if each not in leading]]
    _route(found, options, read_only=read_only)
    return found


def _role(read: Location) -> Role:
    return "replica" if read.is_master is False else "primary"


def _in_roles(read: Sequence[Location], found: Arrangement) -> list[PlacedServer]:
    """Return the servers with their roles: without an `is_master=1`, the first without a role is the primary."""
    alone = next((each.scheme for each in read if each.scheme in {"memory", "embedded"}), None)
    if alone and len(read) > 1:
        found.refuse(f"{alone}:// has no replicas; write it as the only URL")
    said = [each.is_master for each in read]
    if True not in said and None not in said:
        found.refuse("names only replicas; list the primary too: [primary, replica, …]")
        return [(each, "primary") for each in read]
    if True not in said:
        said[said.index(None)] = True
    return [(each, "primary" if is_master else "replica") for each, is_master in zip(read, said, strict=True)]


def _route(found: Arrangement, options: Mapping[str, Any], *, read_only: bool) -> None:
    read_from, write_anywhere = options.get("READ_FROM", "replica"), not options.get("REPLICA_READ_ONLY", True)
    found.fields = {"read_from": read_from, "write_anywhere": write_anywhere, "read_only": read_only}
    if options.get("READ_FROM") == "replica" and len({(each.url, role) for each, role in found.servers}) == 1:
        found.warned.append("OPTIONS['READ_FROM'] has no effect; LOCATION names no replica")
    contradicting = {"REPLICA_READ_ONLY": write_anywhere, "READ_FROM": read_from == "primary"}
    for name in (name for name, is_so in contradicting.items() if read_only and is_so):
        message = "contradicts LOCATION, which names only replicas and makes the alias read-only; leave it out"
        found.refuse(message, f"OPTIONS[{name!r}]")


def _seeds(read: Sequence[Location], options: Mapping[str, Any]) -> Arrangement:
    """Return the seed nodes of a cluster: LOCATION lists some of its nodes, in any order and of any role."""
    found = Arrangement([(each, "primary") for each in read])
    for each in read:
        if each.scheme in {"unix", "embedded"}:
            found.refuse(
                f"{each.scheme}:// cannot reach a cluster; write URLs of its nodes, as in 'valkey://10.0.0.1:6379'"
            )
        if each.is_master is not None:
            found.refuse(
                "is_master has no effect in a cluster; leave it out, and see OPTIONS['READ_FROM'] for replicas"
            )
    # The cluster announces only addresses, so discovered nodes get all other arguments from the seed nodes.
    of_nodes = [(each.scheme, {"db": 0, **each.arguments, "host": "", "port": 0}) for each in read]
    if any(each != of_nodes[0] for each in of_nodes):
        found.refuse(
            "the URLs of a cluster's nodes differ; write the same scheme, database and credentials in each URL"
        )
    if not options.get("REPLICA_READ_ONLY", True):
        found.warned.append("OPTIONS['REPLICA_READ_ONLY'] has no effect; replicas of a cluster accept no writes")
    read_from = "replica" if options.get("BASE_CLIENT_KWARGS", {}).get("read_from_replicas") else "primary"
    found.fields = {"cluster": True, "read_from": options.get("READ_FROM", read_from)}
    return found


def _shards(read: Sequence[Location], options: Mapping[str, Any]) -> Arrangement:
    """Return the shards; each URL in LOCATION is the shard's name on the hash ring."""
    # The ring does not depend on the order of shards, but the cursor of a SCAN over all shards holds a shard's index,
    # and LOCATION may be a set, whose order differs between processes.
    shards = dict(sorted((each.url, each) for each in read))
    found = Arrangement([(each, "primary") for each in shards.values()], {"shards": tuple(shards)})
    if any(each.is_master is not None for each in read):
        found.refuse("is_master has no effect on shards, which have no replicas; leave it out")
    # A database listed twice would hold two shares of the keys and be scanned twice.
    databases = [_database(each) for each in read]
    for n, database in enumerate(databases):
        if database in databases[:n]:
            found.refuse(
                f"the URLs {databases.index(database) + 1} and {n + 1} name the same database; write each shard once"
            )
    found.warned = [
        f"OPTIONS[{name!r}] has no effect; shards have no replicas"
        for name in ("READ_FROM", "REPLICA_READ_ONLY")
        if name in options
    ]
    return found


def _database(location: Location) -> tuple[object, ...]:
    given = {"host": "localhost", "port": 6379, "path": "", "db": 0, **location.arguments}
    return (location.scheme, *(given[name] for name in ("host", "port", "path", "db")))
