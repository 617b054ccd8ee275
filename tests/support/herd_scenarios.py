"""Scenarios of a herd on any topology: one caller computes; the others get the stale value, or wait."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from dvcache import Container, Settings
from dvcache.routing.lease_keys import lease_of
from dvcache.routing.ring import Ring
from dvcache.routing.slots import slot
from tests.support.clusters import Cluster
from tests.support.herd_processes import Herd
from tests.support.replication import Node, wait_caught_up
from tests.support.sentinels import SERVICES, SentinelFleet
from tests.support.servers import DelayProxy, Server, wait_until
from tests.support.shards import Shards

KEYS: Final = ("page", "{user:7}:page")
"""Keys with hash tags, which place the key and its lease in a cluster and on shards."""

SERVICE: Final = SERVICES[0]

LAG: Final = 0.3
"""Minimal lag of replicas in seconds: under the limit of ejection, so that they are read all the time."""

Topology: TypeAlias = Literal[
    "standalone",
    "replicas that lag",
    "sentinel",
    "sentinel, replicas that lag",
    "cluster",
    "cluster, replicas read",
    "shards",
]

TOPOLOGIES: Final[tuple[Topology, ...]] = get_args(Topology)

Ground: TypeAlias = Server | SentinelFleet | Cluster | Shards


@dataclass(frozen=True, slots=True)
class Place:
    """The servers of a herd's entries."""

    entry: Mapping[str, Any]
    """An entry of CACHES."""
    holders: Callable[[bytes], tuple[Node | Server, ...]]
    """Return the primary of a stored key, and those of its replicas that are read."""
    link: DelayProxy | None = None
    """The proxy between the primary and its replicas."""

    def with_herd(self, **herd: object) -> dict[str, Any]:
        """Return the entry of CACHES with options of the herd policy."""
        return {**self.entry, "OPTIONS": {**self.entry["OPTIONS"], "HERD": herd}}

    def primary(self, key: str) -> Node | Server:
        return self.holders(stored(key))[0]

    def replicas(self, key: str) -> tuple[Node | Server, ...]:
        return self.holders(stored(key))[1:]

    def lease(self, key: str) -> bytes:
        return lease_of(stored(key), Settings.parse(self.entry).placement)

    def is_behind(self, key: str, value: str) -> bool:
        """Return True if there are replicas that may lag, and none of them has the value yet."""
        return self.link is not None and not any(
            value.encode() in node.raw("GET", stored(key)) for node in self.replicas(key)
        )

    def make_stale(self, key: str) -> None:
        """Store a stale entry on every server."""
        with Container(Settings.parse(self.entry)) as container:
            container.cache().set(key, "old", 0.001)
        wait_caught_up(self.primary(key), self.replicas(key))
        time.sleep(0.005)


def stored(key: str) -> bytes:
    return f":1:{key}".encode()


@contextmanager
def place_of(topology: Topology, ground: Ground) -> Iterator[Place]:
    """Yield the servers of a herd's entries, with lagging replicas if requested.

    Args:
        topology: name of the topology.
        ground: its servers; for sentinels, with a service whose replicas are linked through a proxy.
    """
    match ground:
        case SentinelFleet():
            with _replicated(topology, ground) as place:
                yield place
        case Cluster():
            yield _clustered(topology, ground)
        case Shards():
            yield _sharded(ground)
        case Server():
            yield Place({"LOCATION": ground.url(), "OPTIONS": {"HERD": True}}, lambda _: (ground,))


@contextmanager
def _replicated(topology: Topology, fleet: SentinelFleet) -> Iterator[Place]:
    replication = fleet.replication(SERVICE)
    assert replication.link is not None
    entry: dict[str, Any] = {"LOCATION": replication.urls(), "OPTIONS": {"HERD": True}}
    if "sentinel" in topology:
        client = "django_valkey.client.SentinelClient"
        options = {"CLIENT_CLASS": client, "SENTINELS": fleet.addresses, "HERD": True}
        entry = {"LOCATION": f"valkey://{SERVICE}/0", "OPTIONS": options}
    replication.link.delay = LAG if "lag" in topology else 0.0
    yield Place(entry, lambda _: (replication.primary, *replication.replicas), replication.link)
    replication.link.delay = 0.0
    replication.wait_caught_up()


def _clustered(topology: Topology, cluster: Cluster) -> Place:
    options = {"CLUSTER": True, "HERD": True}
    entry = {"LOCATION": cluster.urls(), "OPTIONS": options}
    if "replicas" not in topology:
        return Place(entry, lambda name: (cluster.owner(slot(name)),))
    cluster.wait_listed()

    def holders(name: bytes) -> tuple[Node, ...]:
        owner = cluster.owner(slot(name))
        return owner, cluster.replica_of(owner)

    return Place({**entry, "OPTIONS": {**options, "READ_FROM": "replica"}}, holders)


def _sharded(shards: Shards) -> Place:
    urls = [server.url() for server in shards.servers]
    of_url = dict(zip(urls, shards.servers, strict=True))
    entry = {"LOCATION": urls, "OPTIONS": {"SHARDED": True, "HERD": True}}
    return Place(entry, lambda name: (of_url[Ring(urls).owner(name)],))


@dataclass(frozen=True, slots=True)
class Served:
    """Results of the callers that got the old value."""

    seconds: list[float]
    """Seconds that each of them waited."""
    behind: bool
    """True if replicas still had the old value at the end."""


def one_recomputes(herd: Herd, place: Place, call: str, key: str, new: str) -> Served:
    """Let the herd ask for a stale entry; assert that one caller recomputes it and the others are served."""
    place.make_stale(key)
    begun = herd.start(call, key, new)
    begun.wait_served(begun.callers - 1)  # the computation lasts until `go`: nobody waits for it
    assert begun.served() == {"old": begun.callers - 1}
    assert begun.end() == {"old": begun.callers - 1, new: 1}
    assert begun.count("computed") == 1
    again = herd.start(call, key, "not computed")  # lagging replicas still have the stale value
    again.go()
    assert set(again.end()) <= {"old", new}
    assert again.count("computed") == 0
    return Served(begun.seconds("old"), place.is_behind(key, new))


def one_computes(herd: Herd, place: Place, key: str, new: object) -> None:
    """Let the herd ask for a missing entry; assert that one caller computes it and all others wait for its value."""
    place.primary(key).raw("FLUSHDB")
    begun = herd.start("get_or_set", key, new)
    wait_until(lambda: begun.count("began") == begun.callers)
    assert begun.served() == {}
    assert begun.end() == {new: begun.callers}
    assert begun.count("computed") == 1


def plain_reads(herd: Herd, key: str) -> list[float]:
    """Let the herd read an entry without the policy; return the seconds that each caller waited."""
    begun = herd.start("plain get", key, None)
    begun.end()
    return [seconds for value in begun.served() for seconds in begun.seconds(value)]
