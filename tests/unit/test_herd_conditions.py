"""Test the round trips of conditional writes and of publishing under the herd policy, with and without scripts."""

from typing import Any

import pytest

from dvcache.effects import OnPrimary, Transaction, Unchecked
from dvcache.errors import (
    NotSupportedError,
    PermissionDenied,
    ServerError,
    TryAgainError,
)
from dvcache.operations import counters, expiry, values
from dvcache.scripts.counting import COUNT
from dvcache.scripts.herd import CHANGE
from dvcache.scripts.locks import RELEASE
from dvcache.testing.replays import replay
from dvcache.types import Batch
from tests.support.herd_contexts import LEASE, TOKEN, H, K, L, herd, publishing
from tests.support.operation_contexts import context

DENIED = PermissionDenied("NOPERM this user has no permissions to run the 'eval' command")
HALFWAY = TryAgainError("TRYAGAIN Multiple keys request during rehashing of slot")
READ: Batch = (("GET", K), ("PTTL", K))
CLAIM: Batch = (("SET", LEASE, TOKEN, "NX", "PX", L), ("GET", K), ("PTTL", K))
RELEASED = Unchecked((("EVAL", RELEASE.text, 1, LEASE, TOKEN),))
DROP = ("UNLINK", LEASE)


def changing(condition: str, *command: Any, same: bytes = b"", get: str = "") -> Batch:
    return (("EVALSHA", CHANGE.sha, 2, K, LEASE, H, condition, same, get, *command),)


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
