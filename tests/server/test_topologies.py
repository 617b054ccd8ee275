"""Test the replicas and sentinels that other tests use."""

from collections.abc import Callable

import pytest
import valkey

from tests.support.servers import PASSWORD, wait_until
from tests.support.topologies import (
    SERVICES,
    Node,
    Replication,
    SentinelFleet,
    calls,
    clients,
    refusals,
    reset_calls,
    role,
    run_id,
)

pytestmark = pytest.mark.full("tests the tests' own servers")

SERVICE, OTHER, *_ = SERVICES


def test_write_on_the_primary_reaches_every_replica(replication: Replication) -> None:
    replication.primary.raw("SET", "k", "v")
    replication.wait_in_sync()
    assert [node.raw("GET", "k") for node in replication.replicas] == [b"v", b"v"]
    assert [role(node) for node in replication.nodes] == ["master", "slave", "slave"]
    assert len({run_id(node) for node in replication.nodes}) == 3


def test_urls_are_the_primary_and_then_the_replicas(replication: Replication) -> None:
    for url, node in zip(replication.urls(3), replication.nodes, strict=True):
        with valkey.Valkey.from_url(url) as caller:
            assert caller.role()[0] == role(node).encode()
            assert [each["db"] for each in clients(node) if each["cmd"] == "role"] == ["3"]


def test_nodes_count_performed_and_refused_commands(replication: Replication) -> None:
    first, second = replication.replicas
    reset_calls(*replication.nodes)
    first.raw("GET", "k")
    replication.primary.raw("GET", "k")
    replication.primary.raw("GET", "k")
    with pytest.raises(valkey.ReadOnlyError):
        second.raw("SET", "k", "v")
    assert [calls(node, "get") for node in replication.nodes] == [2, 1, 0]
    assert [(calls(node, "set"), refusals(node, "set")) for node in replication.nodes] == [(0, 0), (0, 0), (0, 1)]


def test_lagging_replica_serves_its_old_data() -> None:
    with Replication(lagging=1) as replication:
        primary, prompt, lagging = replication.nodes
        assert replication.link is not None
        primary.raw("SET", "k", "old")
        replication.wait_in_sync()
        replication.link.delay = 3600
        primary.raw("SET", "k", "new")
        wait_until(lambda: prompt.raw("GET", "k") == b"new")
        assert lagging.raw("GET", "k") == b"old"
        replication.restore()
        assert lagging.raw("GET", "k") == b"new"


def test_disconnected_replica_serves_its_old_data(replication: Replication) -> None:
    first, second = replication.replicas
    replication.cut_link(second)
    replication.primary.raw("SET", "k", "v")
    wait_until(lambda: first.raw("GET", "k") == b"v")
    assert second.raw("GET", "k") is None
    replication.restore()
    assert second.raw("GET", "k") == b"v"


def test_nodes_that_hang_or_died_are_restored(replication: Replication) -> None:
    primary, first, second = replication.nodes
    addresses = [node.address for node in replication.nodes]
    primary.kill()
    first.pause()
    second.kill()
    replication.restore()
    assert (replication.primary, [node.address for node in replication.nodes]) == (primary, addresses)
    assert replication.in_sync()


def test_sentinels_name_the_primary_of_each_service(fleet: SentinelFleet) -> None:
    for service in (SERVICE, OTHER):
        primary = fleet.primary(service)
        assert primary is fleet.replication(service).primary
        assert {sentinel.primary_address(service) for sentinel in fleet.sentinels} == {primary.address}
        assert not set(fleet.replicas(service)) & {primary}
    assert fleet.primary(SERVICE) is not fleet.primary(OTHER)
    assert fleet.sentinels[0].raw("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "unknown") is None


def test_failovers_in_a_row_succeed_and_are_announced(fleet: SentinelFleet) -> None:
    others = fleet.primary(OTHER)
    for number in range(3):
        with fleet.announcements() as announcements:
            old = fleet.primary(SERVICE)
            old.raw("SET", "n", number)
            new = fleet.failover(SERVICE, demote=True)
            announced = announcements.first(SERVICE)
        assert (announced.old, announced.new) == (old.address, new.address)
        assert [role(node) for node in (old, new)] == ["slave", "master"]
        assert int(new.raw("GET", "n")) == number
    assert fleet.primary(OTHER) is others


def test_sentinels_demote_an_old_primary_by_themselves(fleet: SentinelFleet) -> None:
    old = fleet.primary(SERVICE)
    new = fleet.failover(SERVICE)
    assert [role(node) for node in (old, new)] == ["slave", "master"]


@pytest.mark.parametrize("fault", [Node.kill, Node.pause])
def test_primary_that_dies_or_hangs_is_replaced_and_becomes_a_replica(
    fleet: SentinelFleet, fault: Callable[[Node], None]
) -> None:
    old = fleet.primary(SERVICE)
    with fleet.announcements() as announcements:
        fault(old)
        announced = announcements.first(SERVICE)
        new = fleet.wait_for_new_primary(SERVICE, old)
    assert announced.new == new.address
    assert new.raw("SET", "k", "v")
    fleet.restore()
    assert fleet.is_whole(SERVICE)
    assert old in fleet.replicas(SERVICE)
    assert old.raw("GET", "k") == b"v"


def test_sentinels_and_nodes_that_hang_or_died_are_restored(fleet: SentinelFleet) -> None:
    addresses = fleet.addresses
    fleet.sentinels[0].kill()
    fleet.sentinels[1].pause()
    for node in fleet.replication(SERVICE).nodes:
        node.kill()
    fleet.restore()
    assert fleet.is_whole(SERVICE)
    assert fleet.addresses == addresses


def test_sentinels_and_nodes_may_require_passwords(own_fleet: SentinelFleet) -> None:
    primary = own_fleet.primary(SERVICE)
    for node in (primary, own_fleet.sentinels[0]):
        with valkey.Valkey(*node.address) as stranger, pytest.raises(valkey.AuthenticationError):
            stranger.ping()
    [url, *_] = own_fleet.replication(SERVICE).urls()
    with valkey.Valkey.from_url(url) as caller:
        assert caller.set("k", "v")
    with valkey.Valkey(*own_fleet.addresses[0], password=PASSWORD) as caller:
        assert caller.ping()
    assert own_fleet.failover(SERVICE, demote=True).raw("GET", "k") == b"v"
