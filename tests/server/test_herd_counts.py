"""Test that threads and tasks of several processes recompute one stale or missing entry once, on any topology."""

import pytest

from tests.support.herd_processes import Herd
from tests.support.herd_scenarios import KEYS, TOPOLOGIES, Place, one_computes, one_recomputes, plain_reads
from tests.support.topologies import calls, reset_calls

pytestmark = [
    pytest.mark.full("starts processes of callers"),
    pytest.mark.parametrize("place", TOPOLOGIES, indirect=True, scope="module"),
]


def test_stale_entry_is_recomputed_by_one_caller_and_served_to_the_others(herd: Herd, place: Place) -> None:
    for key, call in zip(KEYS, ("get", "get_or_set"), strict=True):
        one_recomputes(herd, place, call, key, f"new by {call}")


def test_missing_entry_is_computed_by_one_caller_and_the_others_wait(herd: Herd, place: Place) -> None:
    for number, key in enumerate(KEYS):
        one_computes(herd, place, key, number)


def test_replicas_are_read_and_follow_the_primary_through_the_proxy(herd: Herd, place: Place) -> None:
    for key in KEYS:
        replicas = place.replicas(key)
        reset_calls(*replicas)
        plain_reads(herd, key)
        assert any(calls(replica, "get") for replica in replicas) == bool(replicas)
        if place.link is not None:
            assert {replica.info("replication")["master_port"] for replica in replicas} == {str(place.link.port)}
