"""Test the round trips of the herd policy, rule by rule."""

import itertools
from typing import Any

import pytest

from dvcache.context import Context, Herd
from dvcache.effects import Call, OnPrimary, Sleep, Transaction, Unchecked
from dvcache.errors import (
    ConnectionLost,
    NotSupportedError,
    PermissionDenied,
    ReadOnlyError,
    ServerError,
    TryAgainError,
)
from dvcache.operations import counters, expiry, many, values, versions
from dvcache.policies.herd import HERD
from dvcache.policies.ignore_errors import forgiving
from dvcache.process.single_flight import SingleFlight
from dvcache.scripts.counting import COUNT
from dvcache.scripts.herd import CHANGE, PUBLISH
from dvcache.scripts.locks import RELEASE
from dvcache.testing import ManualClock
from dvcache.testing.replays import replay
from dvcache.types import Batch
from tests.support.operation_contexts import context

K, LEASE, TOKEN = b"p:1:k", b"p:1:k:lease", b"token0"
H, L = 60_000, 30_000
DENIED = PermissionDenied("NOPERM this user has no permissions to run the 'eval' command")
HALFWAY = TryAgainError("TRYAGAIN Multiple keys request during rehashing of slot")

READ: Batch = (("GET", K), ("PTTL", K))
CLAIM: Batch = (("SET", LEASE, TOKEN, "NX", "PX", L), ("GET", K), ("PTTL", K))
RELEASED = Unchecked((("EVAL", RELEASE.text, 1, LEASE, TOKEN),))
DROP = ("UNLINK", LEASE)


def herd(**changes: Any) -> Context:
    """Return a context with the herd policy, whose tokens are token0, token1 and so on."""
    numbers = itertools.count()
    fixed = {
        "policy": HERD,
        "herd": Herd(timeout=H, lease=L, wait=1.0),
        "clock": ManualClock(),
        "single_flight": SingleFlight(),
        "random": lambda: 0.5,
        "tokens": lambda: b"token%d" % next(numbers),
    }
    return context(**{**fixed, **changes})


def publishing(*arguments: Any, within: int = 1, known: tuple[int, bytes] = (0, b""), token: bytes = TOKEN) -> Batch:
    return (("EVALSHA", PUBLISH.sha, 2, K, LEASE, H, token, within, *known, *arguments),)


def changing(condition: str, *command: Any, same: bytes = b"", get: str = "") -> Batch:
    return (("EVALSHA", CHANGE.sha, 2, K, LEASE, H, condition, same, get, *command),)


# 1 and 2: reading


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


# 3: writing


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


# 4 and 5: computing


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


# 6: logical expiry


def test_conditional_write_is_one_script() -> None:
    cx = herd()
    stored = ("SET", b"1", "PX", 1000 + H)
    assert replay(values.add(cx, "k", 1, 1), (changing("missing", *stored), [[1, b"OK", None]])) is True
    assert replay(values.set(cx, "k", 1, 1, xx=True), (changing("present", *stored), [[0, 0, None]])) is False
    assert replay(values.set(cx, "k", 1, 1, get=True), (changing("any", *stored, get="get"), [[1, b"OK", b"7"]])) == 7
    assert replay(values.touch(cx, "k", 1), (changing("present", "PEXPIRE", 1000 + H), [[1, 1, None]])) is True
    assert replay(values.touch(cx, "k", None), (changing("present", "PERSIST"), [[1, 0, None]])) is True
    assert replay(expiry.persist(cx, "k"), (changing("present", "PERSIST"), [[1, 0, None]])) is False
    moment = round(cx.clock() * 1000) + 5000
    asked = changing("present", "PEXPIREAT", moment + H)
    assert replay(expiry.pexpire_at(cx, "k", moment), (asked, [[1, 1, None]])) is True
    assert replay(expiry.pexpire_at(cx, "k", 1), ((DROP, ("UNLINK", K)), [0, 1])) is True


def test_counters_are_one_script() -> None:
    asked = (("EVALSHA", COUNT.sha, 2, K, LEASE, H, 2, b"3", "PX", 1000 + H),)
    assert replay(counters.incr(herd(), "k", 2, default=1, timeout=1), (asked, [b"9"])) == 9


def test_float_is_swapped_if_the_entry_is_the_same_and_fresh() -> None:
    swap = changing("same", "SET", b"1.5", "KEEPTTL", same=b"1")
    assert replay(counters.incr(herd(), "k", 0.5), (OnPrimary(READ), [b"1", -1]), (swap, [[1, b"OK", None]])) == 1.5
    with pytest.raises(ValueError, match="not found"):
        replay(counters.incr(herd(), "k", 0.5), (OnPrimary(READ), [b"1", H]))


def test_ttl_is_reduced_by_the_herd_timeout() -> None:
    asked = (("PTTL", K),)
    left = [replay(expiry.pttl(herd(), "k"), (asked, [found])) for found in (H + 5, H, 5, -1, -2)]
    assert left == [5, 0, 0, None, 0]


# without scripts


@pytest.mark.parametrize("refusal", [DENIED, HALFWAY])
def test_conditional_write_without_scripts_is_compare_and_set(refusal: ServerError) -> None:
    asked = changing("missing", "SET", b"1", "PX", 1000 + H)
    swap = (("SET", K, b"1", "IFEQ", b"7", "PX", 1000 + H), DROP)
    made = (("SET", K, b"1", "PX", 1000 + H, "NX"), DROP)
    script = (
        (asked, [refusal]),
        (OnPrimary(READ), [b"7", 5]),
        (swap, [None, 0]),
        (OnPrimary(READ), [None, -2]),
        (made, [b"OK", 0]),
    )
    assert replay(values.add(herd(), "k", 1, 1), *script) is True
    assert replay(values.add(herd(), "k", 1, 1), (asked, [refusal]), (OnPrimary(READ), [b"7", -1])) is False


def test_new_timeout_without_scripts_is_set_with_the_same_bytes() -> None:
    asked = changing("present", "PEXPIRE", 1000 + H)
    swap = (("SET", K, b"7", "IFEQ", b"7", "PX", 1000 + H), DROP)
    assert (
        replay(values.touch(herd(), "k", 1), (asked, [DENIED]), (OnPrimary(READ), [b"7", -1]), (swap, [b"OK", 0]))
        is True
    )


def test_atomic_change_without_scripts_before_valkey_81_is_a_transaction() -> None:
    asked = changing("missing", "SET", b"1")
    swap = (("SET", K, b"1", "IFEQ", b"7"), DROP)
    old = ServerError("ERR syntax error")
    begun = ((asked, [DENIED]), (OnPrimary(READ), [b"7", 5]), (swap, [old, 0]))
    with pytest.raises(NotSupportedError, match=r"Valkey 8\.1"):
        replay(values.add(herd(), "k", 1, None), *begun, (Transaction(K, lambda _: ()), [b"OK", b"7"]))
    assert replay(values.add(herd(), "k", 1, None), *begun, (Transaction(K, lambda _: ()), [True, [b"OK", 1]])) is True


def test_migrating_slot_refusal_is_raised_before_valkey_81() -> None:
    asked = changing("missing", "SET", b"1")
    swap = (("SET", K, b"1", "IFEQ", b"7"), DROP)
    old = ServerError("ERR syntax error")
    begun = ((asked, [HALFWAY]), (OnPrimary(READ), [b"7", 5]), (swap, [old, 0]))
    with pytest.raises(TryAgainError):
        replay(values.add(herd(), "k", 1, None), *begun, (Transaction(K, lambda _: ()), [b"OK", b"7"]))


@pytest.mark.parametrize("refusal", [DENIED, HALFWAY])
def test_result_without_scripts_is_published_by_comparing(refusal: ServerError) -> None:
    look = OnPrimary((("GET", LEASE), *READ))
    stored = (("SET", K, b"8", "IFEQ", b"7"), ("SET", LEASE, b"", "PXAT", 1, "IFEQ", TOKEN))
    begun = ((OnPrimary(READ), [b"7", 5]), (CLAIM, [b"OK", b"7", 5]), (publishing(b"8", known=(1, b"7")), [refusal]))
    published = replay(
        values.get_or_set(herd(), "k", 8, None), *begun, (look, [TOKEN, b"7", 5]), (stored, [b"OK", b"OK"])
    )
    assert published == 8
    discarded = replay(values.get_or_set(herd(), "k", 8, None), *begun, (look, [None, b"9", -1]))
    assert discarded == 9


def test_lease_without_scripts_is_dropped_by_expiring_it() -> None:
    ended = Unchecked((("SET", LEASE, b"", "PXAT", 1, "IFEQ", TOKEN),))
    script = ((READ, [b"7", 5]), (CLAIM, [b"OK", b"8", -1]), (RELEASED, [DENIED]), (ended, [b"OK"]))
    assert replay(values.get(herd(), "k"), *script) == 8
    script = ((READ, [b"7", 5]), (CLAIM, [b"OK", b"8", -1]), (RELEASED, [DENIED]), (ended, [ServerError("ERR syntax")]))
    assert replay(values.get(herd(), "k"), *script) == 8


# jitter


@pytest.mark.parametrize(("number", "milliseconds"), [(0.0, 100_000), (0.5, 90_000), (1.0, 80_000)])
def test_jitter_shortens_a_timeout_and_never_lengthens_it(number: float, milliseconds: int) -> None:
    cx = context(jitter=0.2, random=lambda: number)
    assert replay(values.set(cx, "k", 1, 100), ((("SET", K, b"1", "PX", milliseconds),), [b"OK"])) is True
    assert replay(values.touch(cx, "k", 100), ((("PEXPIRE", K, milliseconds),), [1])) is True
    asked = (DROP, ("SET", K, b"1", "PX", milliseconds + H), DROP)
    assert replay(values.set(herd(jitter=0.2, random=lambda: number), "k", 1, 100), (asked, [0, b"OK", 0])) is True


def test_jitter_leaves_unlimited_and_zero_timeouts_unchanged() -> None:
    cx = context(jitter=1.0, random=lambda: 1.0)
    assert [cx.lifetime(timeout) for timeout in (None, 0, -1, 0.001, 5)] == [None, 0, 0, 1, 1]
