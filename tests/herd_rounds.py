"""What is shown of a herd, over any topology: one computes; the others are served meanwhile, or wait for its value."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from dvcache import Container, Settings
from tests.herds import Herd
from tests.replication import Node, Replication
from tests.sentinels import SERVICES, SentinelFleet
from tests.servers import Server, wait_until

KEY: Final = "page"
SERVICE: Final = SERVICES[0]

LAG: Final = 0.3
"""Seconds, at least, by which replicas are behind: less than what is noticed, so that they are read all the time."""

Topology: TypeAlias = Literal["standalone", "replicas that lag", "sentinel", "sentinel, replicas that lag"]

TOPOLOGIES: Final[tuple[Topology, ...]] = (
    "standalone",
    "replicas that lag",
    "sentinel",
    "sentinel, replicas that lag",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a herd's entry lies."""

    entry: Mapping[str, Any]
    """Of CACHES."""
    primary: Server
    replication: Replication | None = None

    @property
    def replicas(self) -> tuple[Node, ...]:
        return self.replication.replicas if self.replication else ()

    def is_behind(self, value: str) -> bool:
        """Say whether there are replicas, and none of them has the value yet."""
        name = f":1:{KEY}"
        return bool(self.replicas) and not any(value.encode() in node.raw("GET", name) for node in self.replicas)

    def make_stale(self) -> None:
        """Have an old entry that is stale, on every server."""
        with Container(Settings.parse(self.entry)) as container:
            container.cache().set(KEY, "old", 0.001)
        if self.replication is not None:
            self.replication.wait_caught_up()
        time.sleep(0.005)


@contextmanager
def place_of(topology: Topology, server: Server, fleet: SentinelFleet) -> Iterator[Place]:
    """Return where a herd's entry lies; the replicas lag within the block, if they are to.

    Args:
        topology: which.
        server: a standalone one.
        fleet: sentinels of a service whose replicas are linked through a proxy.
    """
    if topology == "standalone":
        yield Place({"LOCATION": server.url(), "OPTIONS": {"HERD": True}}, server)
        return
    replication = fleet.replication(SERVICE)
    assert replication.link is not None
    entry: dict[str, Any] = {"LOCATION": replication.urls(), "OPTIONS": {"HERD": True}}
    if "sentinel" in topology:
        client = "django_valkey.client.SentinelClient"
        options = {"CLIENT_CLASS": client, "SENTINELS": fleet.addresses, "HERD": True}
        entry = {"LOCATION": f"valkey://{SERVICE}/0", "OPTIONS": options}
    replication.link.delay = LAG if "lag" in topology else 0.0
    yield Place(entry, replication.primary, replication)
    replication.link.delay = 0.0
    replication.wait_caught_up()


@dataclass(frozen=True, slots=True)
class Served:
    """How those fared who were served an old value."""

    seconds: list[float]
    """That each of them waited."""
    behind: bool
    """Whether replicas had it still when all was over."""


def one_recomputes(herd: Herd, place: Place, call: str, new: str) -> Served:
    """Have the herd ask for a stale entry; assert that one recomputes it, the others having the old one first."""
    place.make_stale()
    begun = herd.start(call, KEY, new)
    begun.wait_served(begun.callers - 1)  # it is computed until there is `go`: nobody waits for that
    assert begun.served() == {"old": begun.callers - 1}
    assert begun.end() == {"old": begun.callers - 1, new: 1}
    assert begun.count("computed") == 1
    again = herd.start(call, KEY, "not computed")  # where replicas lag they still have what is stale
    again.go()
    assert set(again.end()) <= {"old", new}
    assert again.count("computed") == 0
    return Served(begun.seconds("old"), place.is_behind(new))


def one_computes(herd: Herd, place: Place, new: object) -> None:
    """Have the herd ask for a missing entry; assert that one computes it, and that all others wait for its value."""
    place.primary.raw("FLUSHDB")
    begun = herd.start("get_or_set", KEY, new)
    wait_until(lambda: begun.count("began") == begun.callers)
    assert begun.served() == {}
    assert begun.end() == {new: begun.callers}
    assert begun.count("computed") == 1


def plain_reads(herd: Herd) -> list[float]:
    """Have the herd read an entry all at once without the policy; return the seconds that each of them waited."""
    begun = herd.start("plain get", KEY, None)
    begun.end()
    return [seconds for value in begun.served() for seconds in begun.seconds(value)]
