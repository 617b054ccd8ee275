"""Slots move and nodes die under load, in both colours; the limits of time are those of what is promised."""

import time
from collections.abc import Iterator

import pytest

from dvcache import Container, Settings
from dvcache.errors import TransportError
from dvcache.slots import slot
from tests.cluster_load import THIRDS, ClusterLoad
from tests.clusters import Cluster
from tests.load import Colour
from tests.servers import wait_until
from tests.topologies import clients

COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


def container_of(cluster: Cluster, **options: object) -> Container:
    return Container(Settings.parse({"LOCATION": cluster.urls(), "OPTIONS": {"CLUSTER": True, **options}}))


@pytest.fixture
def container(cluster: Cluster) -> Iterator[Container]:
    with container_of(cluster) as container:
        yield container


@COLOURS
def test_slots_move_back_and_forth_and_nobody_notices(cluster: Cluster, container: Container, colour: Colour) -> None:
    load = ClusterLoad(container, colour)
    moving = slot(THIRDS[0])
    home, away = cluster.owner(moving), cluster.owner(slot(THIRDS[1]))
    with load.going_on():
        wait_until(lambda: load.done)
        for _ in range(3):
            cluster.move(moving, away, between=lambda: time.sleep(0.002))
            time.sleep(0.1)
            cluster.move(moving, home, between=lambda: time.sleep(0.002))
    assert (load.failed, load.wrong) == ([], [])
    load.check_counts()


@COLOURS
def test_slots_migrate_at_once_and_nobody_notices(cluster: Cluster, container: Container, colour: Colour) -> None:
    load = ClusterLoad(container, colour)
    moving = slot(THIRDS[0])
    home, away = cluster.owner(moving), cluster.owner(slot(THIRDS[1]))
    with load.going_on():
        wait_until(lambda: load.done)
        for _ in range(2):
            cluster.migrate(moving, away)
            time.sleep(0.1)
            cluster.migrate(moving, home)
    assert (load.failed, load.wrong) == ([], [])
    load.check_counts()


@COLOURS
def test_a_primary_dies_and_everybody_goes_on_with_its_successor(
    cluster: Cluster, container: Container, colour: Colour
) -> None:
    load = ClusterLoad(container, colour)
    dying = cluster.owner(slot(THIRDS[2]))
    successor = cluster.replica_of(dying)
    with load.going_on():
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


@COLOURS
def test_a_primary_hands_over_and_nobody_notices(cluster: Cluster, container: Container, colour: Colour) -> None:
    load = ClusterLoad(container, colour)
    old = cluster.owner(slot(THIRDS[1]))
    with load.going_on():
        wait_until(lambda: load.done)
        cluster.promote(cluster.replica_of(old))
        promoted = time.monotonic()
        wait_until(lambda: load.recovered(THIRDS[1], promoted))
        cluster.promote(old)
    assert (load.failed, load.wrong) == ([], [])
    load.check_counts()


@COLOURS
def test_connections_stay_as_many_as_nodes_and_loops_or_threads(
    cluster: Cluster, container: Container, colour: Colour
) -> None:
    load = ClusterLoad(container, colour)
    names = [{client["id"] for client in clients(node)} for node in cluster.nodes]
    with load.going_on():
        wait_until(lambda: len(load.done) > 4 * load.callers)
        for node, before in zip(cluster.nodes, names, strict=True):
            of_load = [client for client in clients(node) if client["id"] not in before]
            assert len(of_load) <= (1 if colour == "async" else load.callers)


def test_every_node_down_and_up_again_needs_no_restart(cluster: Cluster, container: Container) -> None:
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
