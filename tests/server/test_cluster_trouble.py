"""Test slot migrations and failovers under load, in both modes, with the promised limits of time."""

import time
from collections.abc import Callable, Iterator
from typing import TypeAlias, get_args

import pytest

from dvcache import Container, Settings
from dvcache.errors import TransportError
from dvcache.routing.slots import slot
from tests.support.cluster_load import THIRDS, ClusterLoad
from tests.support.clusters import Cluster, ClusterNode
from tests.support.servers import wait_until
from tests.support.service_load import Mode
from tests.support.topologies import clients

pytestmark = pytest.mark.full("each test waits for a cluster to change")

Move: TypeAlias = Callable[[Cluster, int, ClusterNode], None]


def container_of(cluster: Cluster, **options: object) -> Container:
    return Container(Settings.parse({"LOCATION": cluster.urls(), "OPTIONS": {"CLUSTER": True, **options}}))


@pytest.fixture
def container(cluster: Cluster) -> Iterator[Container]:
    with container_of(cluster) as container:
        yield container


@pytest.fixture(params=get_args(Mode))
def load(request: pytest.FixtureRequest, container: Container) -> ClusterLoad:
    """Run callers of one mode."""
    return ClusterLoad(container, request.param)


def in_parts(cluster: Cluster, moving: int, target: ClusterNode) -> None:
    cluster.move(moving, target, between=lambda: time.sleep(0.002))


@pytest.mark.parametrize("move", [in_parts, Cluster.migrate], ids=["in parts", "at once"])
def test_slots_migrate_back_and_forth_without_errors(cluster: Cluster, load: ClusterLoad, move: Move) -> None:
    moving = slot(THIRDS[0])
    owner, away = cluster.owner(moving), cluster.owner(slot(THIRDS[1]))
    with load.running():
        wait_until(lambda: load.done)
        for _ in range(3):
            move(cluster, moving, away)
            time.sleep(0.1)
            move(cluster, moving, owner)
    load.check_unnoticed()


def test_failover_of_a_dead_primary_is_followed_by_all_callers(cluster: Cluster, load: ClusterLoad) -> None:
    dying = cluster.owner(slot(THIRDS[2]))
    successor = cluster.replica_of(dying)
    with load.running():
        wait_until(lambda: all(load.recovered(tag, 0) for tag in THIRDS))
        dying.kill()
        time.sleep(0.3)
        cluster.promote(successor, "TAKEOVER")
        promoted = time.monotonic()
        everybody = set(range(load.callers))
        wait_until(lambda: all(load.recovered(tag, promoted) == everybody for tag in THIRDS))
    assert time.monotonic() - promoted < 5
    assert load.wrong == []
    assert all(isinstance(error, TransportError) for error in load.failed)


def test_failover_by_hand_over_causes_no_error(cluster: Cluster, load: ClusterLoad) -> None:
    old = cluster.owner(slot(THIRDS[1]))
    with load.running():
        wait_until(lambda: load.done)
        cluster.promote(cluster.replica_of(old))
        promoted = time.monotonic()
        wait_until(lambda: load.recovered(THIRDS[1], promoted))
        cluster.promote(old)
    load.check_unnoticed()


def test_connections_are_as_many_as_nodes_times_loops_or_threads(cluster: Cluster, load: ClusterLoad) -> None:
    names = [{client["id"] for client in clients(node)} for node in cluster.nodes]
    with load.running():
        wait_until(lambda: len(load.done) > 4 * load.callers)
        for node, before in zip(cluster.nodes, names, strict=True):
            of_load = [client for client in clients(node) if client["id"] not in before]
            assert len(of_load) <= (1 if load.mode == "async" else load.callers)


def test_restart_of_every_node_needs_no_restart_of_the_client(cluster: Cluster, container: Container) -> None:
    cache = container.cache()
    cache.set("k", 1)
    with cluster.without(*cluster.nodes):
        started = time.monotonic()
        for _ in range(20):
            with pytest.raises(TransportError):
                cache.get("k")
        assert time.monotonic() - started < 10
    wait_until(lambda: all(node.info_of_cluster()["cluster_state"] == "ok" for node in cluster.nodes), 20)
    assert cache.set("k", 2)
    assert cache.get("k") == 2
