"""Test the round trips of a computation under the herd policy: claim, wait, publish."""

import pytest

from dvcache.context import Herd
from dvcache.effects import Call, OnPrimary, Sleep, Unchecked
from dvcache.errors import (
    ConnectionLost,
)
from dvcache.operations import values
from dvcache.policies.herd import HERD
from dvcache.policies.ignore_errors import forgiving
from dvcache.scripts.locks import RELEASE
from dvcache.testing import ManualClock
from dvcache.testing.replays import replay
from dvcache.types import Batch
from tests.support.herd_contexts import LEASE, TOKEN, H, K, L, herd, publishing

READ: Batch = (("GET", K), ("PTTL", K))
CLAIM: Batch = (("SET", LEASE, TOKEN, "NX", "PX", L), ("GET", K), ("PTTL", K))
RELEASED = Unchecked((("EVAL", RELEASE.text, 1, LEASE, TOKEN),))


def test_stale_entry_is_claimed_computed_and_published() -> None:
    script = (
        (OnPrimary(READ), [b"7", 5]),
        (CLAIM, [b"OK", b"7", 5]),
        (Call, 8),
        (publishing(b"8", "PX", 1000 + H, known=(1, b"7")), [[1, b"own", None]]),
    )
    assert replay(values.get_or_set(herd(), "k", lambda: 8, 1), *script) == 8


def test_missing_entry_is_claimed_computed_and_published() -> None:
    script = (
        (OnPrimary(READ), [None, -2]),
        (CLAIM, [b"OK", None, -2]),
        (publishing(b"8"), [[1, b"own", None]]),
    )
    assert replay(values.get_or_set(herd(), "k", 8, None), *script) == 8


def test_value_written_during_a_computation_is_returned_instead() -> None:
    script = (
        (OnPrimary(READ), [None, -2]),
        (CLAIM, [b"OK", None, -2]),
        (publishing(b"8"), [[0, b"none", b"9"]]),
    )
    assert replay(values.get_or_set(herd(), "k", 8, None), *script) == 9


def test_publish_after_the_lease_expired_compares_the_claimed_value() -> None:
    clock = ManualClock()

    cx = herd(clock=clock)
    op = values.get_or_set(cx, "k", lambda: 8, None)
    assert op.send(None) == OnPrimary(READ)
    assert op.send([b"7", 5]) == CLAIM
    assert isinstance(op.send([b"OK", b"7", 5]), Call)
    clock.advance(L / 1000 + 0.001)
    assert op.send(8) == publishing(b"8", within=0, known=(1, b"7"))
    with pytest.raises(StopIteration):
        op.send([[1, b"own", None]])


def test_loser_of_a_missing_entrys_lease_polls_and_then_computes() -> None:
    cx = herd(herd=Herd(timeout=H, lease=L, wait=0.02))
    again = (("SET", LEASE, b"token1", "NX", "PX", L), *READ)
    last = (("SET", LEASE, b"token2", "NX", "PX", L), *READ)
    script = (
        (OnPrimary(READ), [None, -2]),
        (CLAIM, [None, None, -2]),
        (Sleep(0.01), None),
        (again, [None, None, -2]),
        (Sleep(0.01), None),
        (last, [None, None, -2]),
        (Call, 8),
        (publishing(b"8", within=0, token=b"-"), [[1, b"other", None]]),
    )
    assert replay(values.get_or_set(cx, "k", lambda: 8, None), *script) == 8


def test_waiter_takes_over_as_soon_as_the_lease_is_free() -> None:
    taken = (("SET", LEASE, b"token1", "NX", "PX", L), *READ)
    script = (
        (OnPrimary(READ), [None, -2]),
        (CLAIM, [None, None, -2]),
        (Sleep(0.01), None),
        (taken, [b"OK", None, -2]),
        (publishing(b"8", token=b"token1"), [[1, b"own", None]]),
    )
    assert replay(values.get_or_set(herd(), "k", 8, None), *script) == 8


@pytest.mark.parametrize("error", [LookupError(), KeyboardInterrupt(), ConnectionLost("the function's own")])
def test_computation_that_ends_in_any_way_drops_the_lease(error: BaseException) -> None:
    cx = herd()
    script = ((OnPrimary(READ), [b"7", 5]), (CLAIM, [b"OK", b"7", 5]), (Call, error), (RELEASED, [1]))
    with pytest.raises(type(error)):
        replay(values.get_or_set(cx, "k", lambda: 8), *script)
    assert not cx.single_flight.is_held(K, cx.clock())
    assert cx.single_flight.enter(K)[1]


def test_lease_that_cannot_be_dropped_hides_no_error() -> None:
    script = ((OnPrimary(READ), [None, -2]), (CLAIM, [b"OK", None, -2]), (Call, LookupError()))
    with pytest.raises(LookupError):
        replay(values.get_or_set(herd(), "k", lambda: 8), *script, (RELEASED, ConnectionLost("gone")))


def test_value_is_computed_once_without_an_answer_with_ignored_errors() -> None:
    cx = herd(policy=forgiving(HERD))
    assert replay(values.get_or_set(cx, "k", lambda: 8, None), (OnPrimary(READ), ConnectionLost("gone")), (Call, 8),
        (publishing(b"8", within=0, token=b"-"), ConnectionLost("gone"))) == 8  # fmt: skip
    with pytest.raises(ConnectionLost, match="own"):
        replay(
            values.get_or_set(cx, "k", lambda: 8),
            (OnPrimary(READ), ConnectionLost("gone")),
            (Call, ConnectionLost("own")),
        )
