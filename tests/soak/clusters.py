"""Load clusters for a long time: primaries die and are replaced, and slots migrate all the time."""

import random
import time
from typing import Final, get_args

from dvcache import Container, Settings
from dvcache.errors import TransportError
from dvcache.routing.slots import slot
from tests.soak._run import Run
from tests.support.cluster_load import THIRDS, ClusterLoad
from tests.support.clusters import Cluster, ClusterNode
from tests.support.servers import wait_until
from tests.support.service_load import Mode

NODE_TIMEOUT: Final = 1000
"""Milliseconds without an answer after which a node counts as down."""

RECOVERED: Final = 1.0
"""Seconds after a promotion within which every caller has completed, on every third of the slots."""


def failover_is_followed_by_every_caller_within_a_second(run: Run) -> str:
    longest = 0.0
    failed = 0
    with Cluster() as cluster:
        for node in cluster.nodes:
            _configure(node)
        for number in run.rounds(short=1, long=10):
            for mode in get_args(Mode):
                with _container(cluster) as container:
                    load = ClusterLoad(container, mode)
                    longest = max(longest, _killed(cluster, load, THIRDS[number % 3]))
                    assert load.wrong == []
                    assert all(isinstance(error, TransportError) for error in load.failed)
                    failed += len(load.failed)
    return f"longest {longest:.2f} s after a promotion; {failed} calls failed before"


def _killed(cluster: Cluster, load: ClusterLoad, tag: str) -> float:
    """Kill the owner of a tag under load; return the time from the promotion to the last caller's completion."""
    old = cluster.owner(slot(tag))
    new = cluster.replica_of(old)
    everybody = set(range(load.callers))
    with load.running():
        wait_until(lambda: all(load.recovered(each, 0) == everybody for each in THIRDS), 30)
        old.kill()
        wait_until(lambda: "master" in new.view()[new.id][1], 30)
        promoted = time.monotonic()
        wait_until(lambda: all(load.recovered(each, promoted) == everybody for each in THIRDS), 30)
    last = max(
        min(at for caller, of, at in load.done if (caller, of) == (each_caller, each) and at > promoted)
        for each_caller in everybody
        for each in THIRDS
    )
    assert last - promoted < RECOVERED, f"a caller came through {last - promoted:.2f} s after the promotion"
    old.restart()
    _configure(old)
    wait_until(cluster.is_whole, 60)
    return last - promoted


def _configure(node: ClusterNode) -> None:
    node.raw("CONFIG", "SET", "cluster-node-timeout", NODE_TIMEOUT)
    node.raw("CONFIG", "SET", "cluster-replica-no-failover", "no")


def slots_migrate_continuously_without_errors(run: Run) -> str:
    moves = 0
    turns = 0
    with Cluster() as cluster:
        for mode in get_args(Mode):
            with _container(cluster) as container:
                load = ClusterLoad(container, mode)
                cluster.flush()
                with load.running():
                    wait_until(lambda load=load: load.done)  # type: ignore[misc]  # a default binds the loop's
                    for _ in run.rounds(short=5, long=200):
                        _moved(cluster, slot(random.choice(THIRDS)))
                        moves += 1
                load.check_unnoticed()
                turns += len(load.done)
    return f"{moves} moves under {turns} turns of callers"


def _moved(cluster: Cluster, moving: int) -> None:
    owner = cluster.owner(moving)
    target: ClusterNode = random.choice([node for node in cluster.primaries if node is not owner])
    if random.random() < 0.5:
        cluster.migrate(moving, target)
    else:
        cluster.move(moving, target)


def _container(cluster: Cluster) -> Container:
    return Container(Settings.parse({"LOCATION": cluster.urls(), "OPTIONS": {"CLUSTER": True}}))
