"""Repeat stampedes: four processes of threads or tasks on one key, on each topology."""

import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from dvcache import Container, Settings
from dvcache.routing.slots import placed_in_slot, slot
from tests.soak._run import Run
from tests.support.clusters import Cluster, ClusterNode
from tests.support.herd_processes import CALLERS, PROCESSES, Kind, herd_of
from tests.support.herd_scenarios import (
    KEYS,
    Ground,
    Place,
    Topology,
    one_computes,
    one_recomputes,
    place_of,
    plain_reads,
    stored,
)
from tests.support.sentinels import SentinelFleet
from tests.support.servers import Server
from tests.support.shards import Shards


def herd_computes_once(run: Run) -> str:
    return _shown(run, "standalone")


def herd_computes_once_with_lagging_replicas(run: Run) -> str:
    return _shown(run, "replicas that lag")


def herd_computes_once_on_sentinel(run: Run) -> str:
    return _shown(run, "sentinel")


def herd_computes_once_on_sentinel_with_lagging_replicas(run: Run) -> str:
    return _shown(run, "sentinel, replicas that lag")


def herd_computes_once_on_a_cluster(run: Run) -> str:
    return _shown(run, "cluster")


def herd_computes_once_on_a_cluster_with_replica_reads(run: Run) -> str:
    return _shown(run, "cluster, replicas read")


def herd_computes_once_on_shards(run: Run) -> str:
    return _shown(run, "shards")


def herd_computes_once_while_its_slot_migrates(run: Run) -> str:
    with Server() as signals, Cluster() as cluster, place_of("cluster", cluster) as place:
        return "; ".join(_while_its_slot_migrates(run, kind, place, cluster, signals) for kind in CALLERS)


def _while_its_slot_migrates(run: Run, kind: Kind, place: Place, cluster: Cluster, signals: Server) -> str:
    key, computed = KEYS[0], []
    with (
        Container(Settings.parse(place.entry)) as container,
        herd_of(place.entry, kind, signals) as herd,
        _migrating(cluster, slot(stored(key))) as moved,
    ):
        cache = container.cache()
        for number in run.rounds(short=5, long=200):
            if number % 2:
                place.make_stale(key)
            else:
                cache.delete(key)
            begun = herd.start("get_or_set", key, f"new{number}")
            begun.go()
            assert set(begun.end()) <= {"old", f"new{number}"}
            assert cache.get(key) == f"new{number}"
            computed.append(begun.count("computed"))
            assert computed[-1] in {1, 2}
    return (
        f"{PROCESSES} x {CALLERS[kind]} {kind}: {len(computed)} rounds during {len(moved)} moves, {sum(computed)}"
        " computations"
    )


@contextmanager
def _migrating(cluster: Cluster, moving: int) -> Iterator[list[ClusterNode]]:
    """Move a slot from primary to primary within the block, in parts or at once; yield its owners."""
    for number in range(50):  # so that entry and lease move in different parts
        cluster.owner(moving).raw("SET", placed_in_slot(b"filler%d" % number, moving), "")
    came_to: list[ClusterNode] = []
    stop = threading.Event()

    def move() -> None:
        while not stop.wait(0.01):
            owner = cluster.owner(moving)
            target = random.choice([node for node in cluster.primaries if node is not owner])
            if random.random() < 0.2:
                cluster.migrate(moving, target)
            else:
                cluster.move(moving, target, between=lambda: time.sleep(0.01))
            came_to.append(target)

    with ThreadPoolExecutor(1) as thread:
        moved = thread.submit(move)
        try:
            yield came_to
        finally:
            stop.set()
        moved.result()


def _shown(run: Run, topology: Topology) -> str:
    with Server() as signals, _ground_of(topology) as ground, place_of(topology, ground) as place:
        return "; ".join(_of_kind(run, kind, place, signals) for kind in CALLERS)


def _ground_of(topology: Topology) -> AbstractContextManager[Ground]:
    if "cluster" in topology:
        return Cluster()
    if topology == "shards":
        return Shards()
    return Server() if topology == "standalone" else SentinelFleet(lagging=2)


def _of_kind(run: Run, kind: Kind, place: Place, signals: Server) -> str:
    served: list[float] = []
    read: list[float] = []
    rounds = behind = 0
    with herd_of(place.entry, kind, signals) as herd:
        for number in run.rounds(short=1, long=20):
            for call, key in zip(("get", "get_or_set"), KEYS if number % 2 else KEYS[::-1], strict=True):
                shown = one_recomputes(herd, place, call, key, f"new{number}")
                served += shown.seconds
                behind += shown.behind
                read += plain_reads(herd, key)
            one_computes(herd, place, KEYS[number % 2], number)
            rounds += 1
    lag = f", replicas still without the new value after {behind} of {2 * rounds}" if behind else ""
    return (
        f"{PROCESSES} x {CALLERS[kind]} {kind}: {2 * rounds} stale rounds{lag} and {rounds} cold ones, one computation"
        f" in each; ms, served old {_percentiles(served)}, a plain read {_percentiles(read)}"
    )


def _percentiles(seconds: Sequence[float]) -> str:
    p99 = sorted(seconds)[len(seconds) * 99 // 100]
    return f"p50 {statistics.median(seconds) * 1000:.1f} p99 {p99 * 1000:.1f}"
