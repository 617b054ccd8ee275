"""Stampedes, again and again: four processes of threads or tasks on one key, over each topology."""

import statistics
from collections.abc import Sequence
from contextlib import AbstractContextManager

from tests.clusters import Cluster
from tests.herd_rounds import KEYS, Ground, Place, Topology, one_computes, one_recomputes, place_of, plain_reads
from tests.herds import CALLERS, PROCESSES, Kind, herd_of
from tests.sentinels import SentinelFleet
from tests.servers import Server
from tests.shards import Shards
from tests.soak._run import Run


def of_hundreds_one_computes_every_time(run: Run) -> str:
    return _shown(run, "standalone")


def of_hundreds_over_replicas_that_lag_one_computes_every_time(run: Run) -> str:
    return _shown(run, "replicas that lag")


def of_hundreds_over_sentinel_one_computes_every_time(run: Run) -> str:
    return _shown(run, "sentinel")


def of_hundreds_over_sentinel_with_replicas_that_lag_one_computes_every_time(run: Run) -> str:
    return _shown(run, "sentinel, replicas that lag")


def of_hundreds_over_a_cluster_one_computes_every_time(run: Run) -> str:
    return _shown(run, "cluster")


def of_hundreds_over_a_cluster_whose_replicas_are_read_one_computes_every_time(run: Run) -> str:
    return _shown(run, "cluster, replicas read")


def of_hundreds_over_shards_one_computes_every_time(run: Run) -> str:
    return _shown(run, "shards")


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
