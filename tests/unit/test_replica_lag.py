"""Test the offset that replicas must have reached, from samples of the primary's offset."""

import pytest

from dvcache.errors import PermissionDenied
from dvcache.routing.replica_lag import MAX_LAG, ROLE, SAMPLE_EVERY, ReplicationLag
from dvcache.testing import ManualClock
from dvcache.types import Batch

SET: Batch = (("SET", b"k", b"v"),)


def master(offset: int) -> list[object]:
    return [b"master", offset, []]


@pytest.fixture
def progress(clock: ManualClock) -> ReplicationLag:
    return ReplicationLag(clock)


def sample(progress: ReplicationLag, offset: int) -> None:
    assert progress.answer(SET, [b"OK", master(offset)]) == [b"OK"]


def test_replication_offset_is_asked_with_a_write_once_a_second(progress: ReplicationLag, clock: ManualClock) -> None:
    assert progress.request(SET) == SET + ROLE
    assert progress.request(SET) == SET
    clock.advance(SAMPLE_EVERY)
    assert progress.request(SET) == SET + ROLE


def test_batch_without_the_offset_request_keeps_its_replies(progress: ReplicationLag) -> None:
    replies = [b"OK"]
    assert progress.answer(SET, replies) is replies


def test_replicas_must_have_the_primarys_offset_of_some_time_ago(progress: ReplicationLag, clock: ManualClock) -> None:
    sample(progress, 100)
    assert progress.required() == 0
    clock.advance(MAX_LAG)
    assert progress.required() == 100
    sample(progress, 900)
    assert progress.required() == 100
    clock.advance(MAX_LAG)
    assert progress.required() == 900


def test_new_primary_with_a_lower_offset_starts_over(progress: ReplicationLag, clock: ManualClock) -> None:
    sample(progress, 900)
    clock.advance(MAX_LAG)
    sample(progress, 500)
    assert progress.required() == 0
    clock.advance(MAX_LAG)
    assert progress.required() == 500


def test_demoted_primary_gives_no_sample(progress: ReplicationLag, clock: ManualClock) -> None:
    progress.answer(SET, [b"OK", [b"slave", b"host", 1, b"connected", 700]])
    clock.advance(MAX_LAG)
    assert progress.required() == 0


def test_user_without_the_permission_is_not_asked_again(progress: ReplicationLag, clock: ManualClock) -> None:
    assert progress.answer(SET, [b"OK", PermissionDenied("NOPERM")]) == [b"OK"]
    clock.advance(1000)
    assert progress.request(SET) == SET
