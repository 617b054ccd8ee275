"""Test a slot migration during a computation: the lease moves with the entry, and nothing is computed twice."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.routing.slots import slot
from tests.support.clusters import Cluster, ClusterNode
from tests.support.herd_processes import CALLERS, PROCESSES, Herd, Kind, Round, herd_of
from tests.support.herd_scenarios import KEYS, Place, place_of, stored
from tests.support.servers import Server, wait_until

pytestmark = pytest.mark.full("starts processes of callers")

KEY = KEYS[0]
ENTRY = stored(KEY)
SLOT = slot(ENTRY)


@pytest.fixture(scope="module")
def herd(kind: Kind, shared_cluster: Cluster, shared_server: Server) -> Iterator[Herd]:
    shared_cluster.restore()
    with place_of("cluster", shared_cluster) as place, herd_of(place.entry, kind, shared_server) as herd:
        yield herd


@pytest.fixture
def place(cluster: Cluster) -> Iterator[Place]:
    with place_of("cluster", cluster) as place:
        yield place


@pytest.fixture
def away(cluster: Cluster) -> Iterator[ClusterNode]:
    """Return another primary than the slot's owner, which owns the slot again after the test."""
    owner = cluster.owner(SLOT)
    yield next(node for node in cluster.primaries if node is not owner)
    cluster.move(SLOT, owner)
    wait_until(cluster.is_whole, 20)


class RunningComputation:
    """A running computation, and crowds that ask for the same entry."""

    def __init__(self, herd: Herd, place: Place) -> None:
        place.make_stale(KEY)
        self.herd, self.first = herd, herd.start("get_or_set", KEY, "new", callers=1)
        wait_until(lambda: self.first.count("computed") == 1)
        self.first.wait_served(PROCESSES - 1)
        self.crowds: list[Round] = []

    def ask_from_other_processes(self) -> None:
        """Ask from all processes but the computing one; they are served in the meantime."""
        self.crowds.append(self.herd.start("get_or_set", KEY, "again"))
        self.crowds[-1].wait_served((PROCESSES - 1) * CALLERS[self.herd.kind])
        assert set(self.crowds[-1].served()) == {"old"}

    def computed(self) -> int:
        return sum(each.count("computed") for each in (self.first, *self.crowds))

    def end(self) -> Counter[Any]:
        """End the computation and all crowds; return how often each value was returned."""
        served = self.first.end()
        for each in self.crowds:
            served += each.end()
        return served


@pytest.mark.parametrize("first", ["the entry first", "the lease first"])
def test_slot_moved_key_by_key_has_its_entry_computed_once(
    herd: Herd, place: Place, cluster: Cluster, away: ClusterNode, first: str
) -> None:
    asked = RunningComputation(herd, place)
    names = [ENTRY, place.lease(KEY)] if first == "the entry first" else [place.lease(KEY), ENTRY]
    with cluster.moving(SLOT, away) as moved:
        asked.ask_from_other_processes()
        for name in names:
            moved(name)
            asked.ask_from_other_processes()
    asked.ask_from_other_processes()
    assert set(asked.end()) == {"old", "new"}
    assert asked.computed() == 1
    assert away.raw("KEYS", "*") == [ENTRY]
    assert b"new" in away.raw("GET", ENTRY)


def test_slot_migrated_at_once_has_its_entry_computed_once(
    herd: Herd, place: Place, cluster: Cluster, away: ClusterNode
) -> None:
    asked = RunningComputation(herd, place)
    meanwhile = herd.start("get_or_set", KEY, "again")
    cluster.migrate(SLOT, away)
    meanwhile.wait_served((PROCESSES - 1) * CALLERS[herd.kind])
    asked.crowds.append(meanwhile)
    asked.ask_from_other_processes()
    assert set(asked.end()) == {"old", "new"}
    assert asked.computed() == 1
    assert away.raw("KEYS", "*") == [ENTRY]
    assert b"new" in away.raw("GET", ENTRY)


@pytest.mark.parametrize("how", ["key by key", "at once"])
def test_slot_migration_keeps_waiters_for_a_missing_entry_waiting(
    herd: Herd, cluster: Cluster, away: ClusterNode, how: str
) -> None:
    begun = herd.start("get_or_set", KEY, "new")
    wait_until(lambda: begun.count("began") == begun.callers)
    wait_until(lambda: begun.count("computed"))
    (cluster.move if how == "key by key" else cluster.migrate)(SLOT, away)
    assert begun.end() == {"new": begun.callers}
    assert begun.count("computed") == 1
    assert away.raw("KEYS", "*") == [ENTRY]


@pytest.mark.parametrize("first", ["the entry first", "the lease first"])
def test_slot_between_two_primaries_stores_the_computed_entry_and_no_older(
    herd: Herd, place: Place, cluster: Cluster, away: ClusterNode, first: str
) -> None:
    asked = RunningComputation(herd, place)
    with cluster.moving(SLOT, away) as moved:
        moved(ENTRY if first == "the entry first" else place.lease(KEY))
        asked.first.go()
        for _ in range(3):
            asked.crowds.append(herd.start("get_or_set", KEY, "again"))
            asked.crowds[-1].go()
            asked.crowds[-1].wait_served((PROCESSES - 1) * CALLERS[herd.kind])
    assert set(asked.end()) <= {"old", "new", "again"}
    assert asked.computed() <= 2
    last = herd.start("get_or_set", KEY, "not computed")
    assert set(last.end()) <= {"new", "again"}
    assert last.count("computed") == 0


def test_failover_hand_over_has_its_entry_computed_once(herd: Herd, place: Place, cluster: Cluster) -> None:
    old = cluster.owner(SLOT)
    asked = RunningComputation(herd, place)
    cluster.promote(cluster.replica_of(old))
    asked.ask_from_other_processes()
    assert set(asked.end()) == {"old", "new"}
    assert asked.computed() == 1
    assert cluster.owner(SLOT) is not old
    assert b"new" in place.primary(KEY).raw("GET", ENTRY)
    cluster.promote(old)
    wait_until(cluster.is_whole, 20)
