"""One recomputation, whoever asks: threads and tasks of several processes, on one stale or missing key, anywhere."""

from collections.abc import Iterator

import pytest

from tests.herd_rounds import TOPOLOGIES, Place, one_computes, one_recomputes, place_of, plain_reads
from tests.herds import Herd, herd_of
from tests.servers import Server
from tests.topologies import SentinelFleet, calls, reset_calls

ROUNDS = 2


@pytest.fixture(scope="module")
def lagging_fleet() -> Iterator[SentinelFleet]:
    with SentinelFleet(lagging=2) as fleet:
        yield fleet


@pytest.fixture(scope="module", params=TOPOLOGIES)
def place(request: pytest.FixtureRequest, shared_server: Server, lagging_fleet: SentinelFleet) -> Iterator[Place]:
    with place_of(request.param, shared_server, lagging_fleet) as place:
        yield place


@pytest.fixture(scope="module", params=["threads", "tasks"])
def herd(request: pytest.FixtureRequest, place: Place, shared_server: Server) -> Iterator[Herd]:
    with herd_of(place.entry, request.param, shared_server) as herd:
        yield herd


@pytest.mark.parametrize("call", ["get", "get_or_set"])
def test_of_many_on_a_stale_entry_one_recomputes_and_the_others_are_served_at_once(
    herd: Herd, place: Place, call: str
) -> None:
    for number in range(ROUNDS):
        one_recomputes(herd, place, call, f"new{number}")


def test_of_many_on_a_missing_entry_one_computes_and_the_others_wait_for_its_value(herd: Herd, place: Place) -> None:
    for number in range(ROUNDS):
        one_computes(herd, place, number)


def test_where_there_are_replicas_they_are_read_and_follow_through_the_proxy(herd: Herd, place: Place) -> None:
    reset_calls(*place.replicas)
    plain_reads(herd)
    assert any(calls(replica, "get") for replica in place.replicas) == bool(place.replicas)
    for replica in place.replicas:
        assert place.replication is not None
        assert place.replication.link is not None
        assert replica.info("replication")["master_port"] == str(place.replication.link.port)
