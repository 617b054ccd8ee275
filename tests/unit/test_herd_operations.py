"""Test the round trips of the herd policy, rule by rule."""

from typing import Any

import pytest

from dvcache.effects import OnPrimary, Unchecked
from dvcache.errors import (
    ConnectionLost,
    NotSupportedError,
    PermissionDenied,
    ReadOnlyError,
    ServerError,
)
from dvcache.operations import many, values, versions
from dvcache.scripts.locks import RELEASE
from dvcache.testing.replays import replay
from dvcache.types import Batch
from tests.support.herd_contexts import LEASE, TOKEN, H, K, L, herd

DENIED = PermissionDenied("NOPERM this user has no permissions to run the 'eval' command")
READ: Batch = (("GET", K), ("PTTL", K))
CLAIM: Batch = (("SET", LEASE, TOKEN, "NX", "PX", L), ("GET", K), ("PTTL", K))
RELEASED = Unchecked((("EVAL", RELEASE.text, 1, LEASE, TOKEN),))
DROP = ("UNLINK", LEASE)


@pytest.mark.parametrize("left", [H + 1, -1])
def test_fresh_entry_is_served_in_one_round_trip(left: int) -> None:
    assert replay(values.get(herd(), "k"), (READ, [b"7", left])) == 7


@pytest.mark.parametrize("replies", [[None, -2], [b"7", -2], [None, H + 1]])
def test_missing_entry_is_a_miss_without_a_claim_at_either_command(replies: Any) -> None:
    assert replay(values.get(herd(), "k", "d"), (READ, replies)) == "d"


@pytest.mark.parametrize("left", [0, 1, H])
def test_winner_of_a_stale_entrys_lease_misses(left: int) -> None:
    assert replay(values.get(herd(), "k", "d"), (READ, [b"7", left]), (CLAIM, [b"OK", b"7", left])) == "d"


def test_loser_of_a_lease_is_served_the_primarys_value() -> None:
    assert replay(values.get(herd(), "k"), (READ, [b"7", 5]), (CLAIM, [None, b"8", 5])) == 8
    assert replay(values.get(herd(), "k", "d"), (READ, [b"7", 5]), (CLAIM, [None, None, -2])) == "d"


def test_winner_of_a_by_now_fresh_entry_drops_the_lease_and_serves_it() -> None:
    script = ((READ, [b"7", 5]), (CLAIM, [b"OK", b"8", H + 9]), (RELEASED, [1]))
    assert replay(values.get(herd(), "k"), *script) == 8


def test_winner_of_a_by_now_missing_entry_drops_the_lease_and_misses() -> None:
    script = ((READ, [b"7", 5]), (CLAIM, [b"OK", None, -2]), (RELEASED, [1]))
    assert replay(values.get(herd(), "k", "d"), *script) == "d"


@pytest.mark.parametrize(
    "error",
    [ConnectionLost("gone"), NotSupportedError("reads only"), ReadOnlyError("READONLY"), ServerError("OOM no memory")],
)
def test_stale_value_is_served_if_no_lease_can_be_claimed(error: Exception) -> None:
    assert replay(values.get(herd(), "k"), (READ, [b"7", 5]), (CLAIM, error)) == 7
    assert replay(values.get_or_set(herd(), "k", 1), (OnPrimary(READ), [b"7", 5]), (CLAIM, error)) == 7


def test_local_claim_serves_other_callers_of_the_process_without_asking() -> None:
    cx = herd()
    first = values.get(cx, "k", "d")
    assert first.send(None) == READ
    assert first.send([b"7", 5]) == CLAIM
    assert replay(values.get(cx, "k", "d"), (READ, [b"7", 5])) == 7
    with pytest.raises(StopIteration) as end:
        first.send([b"OK", b"7", 5])
    assert end.value.value == "d"


def test_cancelled_claim_drops_the_lease_it_may_have_won() -> None:
    cx = herd()
    with pytest.raises(KeyboardInterrupt):
        replay(values.get(cx, "k"), (READ, [b"7", 5]), (CLAIM, KeyboardInterrupt()), (RELEASED, [1]))
    assert not cx.single_flight.is_held(K, cx.clock())


def test_get_many_reads_in_one_round_trip_and_claims_in_another() -> None:
    a, b, c, d = (b"p:1:" + name for name in (b"a", b"b", b"c", b"d"))
    read = Unchecked((("MGET", a, b, c, d), ("PTTL", a), ("PTTL", b), ("PTTL", c), ("PTTL", d)))
    claims = Unchecked(
        (
            *(("SET", b + b":lease", b"token0", "NX", "PX", L), ("GET", b), ("PTTL", b)),
            *(("SET", c + b":lease", b"token1", "NX", "PX", L), ("GET", c), ("PTTL", c)),
        )
    )
    asked = (read, [[b"1", b"2", b"3", None], H + 1, 5, 5, -2])
    assert replay(many.get_many(herd(), "abcd"), asked, (claims, [b"OK", b"2", 5, None, b"3", 5])) == {"a": 1, "c": 3}
    lost = ConnectionLost("its server is gone")
    assert replay(many.get_many(herd(), "abcd"), asked, (claims, [b"OK", b"2", 5, *[lost] * 3])) == {"a": 1, "c": 3}
    assert replay(many.get_many(herd(), "abcd"), asked, (claims, [*[lost] * 3, b"OK", b"3", 5])) == {"a": 1, "b": 2}


def test_get_many_without_a_stale_entry_takes_one_round_trip() -> None:
    read = Unchecked((("MGET", K), ("PTTL", K)))
    assert replay(many.get_many(herd(), ["k"]), (read, [[b"1"], -1])) == {"k": 1}
    assert replay(many.get_many(herd(), [])) == {}


def test_set_drops_the_lease_before_and_after() -> None:
    asked = (DROP, ("SET", K, b"1", "PX", 100_000 + H), DROP)
    assert replay(values.set(herd(), "k", 1, 100), (asked, [0, b"OK", 0])) is True
    asked = (DROP, ("SET", K, b"1"), DROP)
    assert replay(values.set(herd(), "k", 1, None), (asked, [0, b"OK", 0])) is True


@pytest.mark.parametrize(("kept", "lifetime"), [(True, 1000 + H), (False, 1000)])
def test_set_many_keeps_entries_stale_unless_configured(*, kept: bool, lifetime: int) -> None:
    asked = Unchecked((DROP, ("SET", K, b"1", "PX", lifetime), DROP))
    assert replay(many.set_many(herd(), {"k": 1}, 1, herd=kept), (asked, [1, b"OK", 0])) == []


def test_set_many_drops_the_leases_of_a_chunk_at_once() -> None:
    asked = Unchecked((DROP, ("SET", K, b"1", "PX", 1000 + H), DROP))
    assert replay(many.set_many(herd(), {"k": 1}, 1), (asked, [1, b"OK", 0])) == []
    with pytest.raises(ServerError, match="full"):
        replay(many.set_many(herd(), {"k": 1}, 1), (asked, [1, ServerError("full"), 0]))
    with pytest.raises(PermissionDenied):
        replay(many.set_many(herd(), {"k": 1}, 1), (asked, [DENIED, b"OK", DENIED]))


def test_delete_drops_the_lease_first() -> None:
    assert replay(values.delete(herd(), "k"), ((DROP, ("UNLINK", K)), [1, 0])) is False
    assert replay(many.delete_many(herd(), ["k"]), ((DROP, ("UNLINK", K)), [1, 1])) == 1


def test_rename_drops_the_leases_of_both_keys() -> None:
    drop = ("UNLINK", LEASE, b"p:2:k:lease")
    asked = (drop, ("RENAME", K, b"p:2:k"), drop)
    assert replay(versions.incr_version(herd(), "k"), (asked, [0, b"OK", 0])) == 2
    with pytest.raises(ValueError, match="not found"):
        replay(versions.incr_version(herd(), "k"), (asked, [0, ServerError("ERR no such key"), 0]))
