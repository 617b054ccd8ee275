"""How far replicas must have come, of samples of the primary's offset."""

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


def test_the_question_travels_with_a_write_once_a_second(progress: ReplicationLag, clock: ManualClock) -> None:
    assert progress.request(SET) == SET + ROLE
    assert progress.request(SET) == SET
    clock.advance(SAMPLE_EVERY)
    assert progress.request(SET) == SET + ROLE


def test_a_batch_without_the_question_keeps_its_replies(progress: ReplicationLag) -> None:
    replies = [b"OK"]
    assert progress.answer(SET, replies) is replies


def test_what_the_primary_had_some_time_ago_is_required_of_replicas(
    progress: ReplicationLag, clock: ManualClock
) -> None:
    sample(progress, 100)
    assert progress.required() == 0
    clock.advance(MAX_LAG)
    assert progress.required() == 100
    sample(progress, 900)
    assert progress.required() == 100
    clock.advance(MAX_LAG)
    assert progress.required() == 900


def test_a_new_primary_that_had_not_come_as_far_starts_anew(progress: ReplicationLag, clock: ManualClock) -> None:
    sample(progress, 900)
    clock.advance(MAX_LAG)
    sample(progress, 500)
    assert progress.required() == 0
    clock.advance(MAX_LAG)
    assert progress.required() == 500


def test_a_demoted_primary_gives_no_sample(progress: ReplicationLag, clock: ManualClock) -> None:
    progress.answer(SET, [b"OK", [b"slave", b"host", 1, b"connected", 700]])
    clock.advance(MAX_LAG)
    assert progress.required() == 0


def test_who_may_not_ask_is_not_asked_again(progress: ReplicationLag, clock: ManualClock) -> None:
    assert progress.answer(SET, [b"OK", PermissionDenied("NOPERM")]) == [b"OK"]
    clock.advance(1000)
    assert progress.request(SET) == SET
