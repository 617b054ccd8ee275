"""Test counters: one round trip if the server can add, compare-and-set if not, an error if neither is permitted."""

import math
from typing import Any

import pytest

from dvcache.effects import OnPrimary, Transaction
from dvcache.errors import CacheError, NoScriptError, NotSupportedError, PermissionDenied, ServerError
from dvcache.operations import counters
from dvcache.scripts.counting import INCREMENT, SWAP
from dvcache.testing.replays import replay
from tests.support.operation_contexts import CX

K = b"p:1:k"
DENIED = PermissionDenied("NOPERM this user has no permissions to run the 'evalsha' command")
UNKNOWN = ServerError("ERR unknown command 'EVALSHA'")


def _add(*arguments: Any) -> Any:
    return (("EVALSHA", INCREMENT.sha, 1, K, *arguments),)


def _swap(*arguments: Any) -> Any:
    return (("EVALSHA", SWAP.sha, 1, K, *arguments),)


GET = OnPrimary((("GET", K),))


def test_incr_adds_in_one_round_trip() -> None:
    assert replay(counters.incr(CX, "k"), (_add(1), [b"43"])) == 43


def test_incr_returns_integers_of_64_bits_exactly() -> None:
    assert replay(counters.incr(CX, "k", 2), (_add(2), [b"9223372036854775807"])) == 2**63 - 1


def test_decr_adds_the_negative() -> None:
    assert replay(counters.decr(CX, "k", 3, 2), ((("EVALSHA", INCREMENT.sha, 1, b"p:2:k", -3),), [b"-1"])) == -1


def test_script_unknown_to_the_server_is_sent_in_full() -> None:
    whole = (("EVAL", INCREMENT.text, 1, K, 1),)
    assert replay(counters.incr(CX, "k"), (_add(1), [NoScriptError("NOSCRIPT")]), (whole, [b"2"])) == 2


def test_missing_key_is_a_value_error_with_djangos_text() -> None:
    with pytest.raises(ValueError, match=r"^Key 'k' not found$"):
        replay(counters.incr(CX, "k"), (_add(1), [None]))


def test_default_creates_the_entry_with_the_timeout_in_one_round_trip() -> None:
    assert replay(counters.incr(CX, "k", 2, default=10, timeout=5), (_add(2, b"12", "PX", 5000), [None])) == 12
    assert replay(counters.decr(CX, "k", 2, default=10, timeout=None), (_add(-2, b"8"), [None])) == 8


def test_default_with_a_timeout_of_zero_creates_no_entry() -> None:
    assert replay(counters.incr(CX, "k", 1, default=1, timeout=0), (_add(1), [None])) == 2


def test_number_over_64_bits_is_added_to_here_and_swapped() -> None:
    huge = str(2**70).encode()
    script = ((_add(1), [[huge]]), (_swap(huge, str(2**70 + 1).encode(), "KEEPTTL"), [1]))
    assert replay(counters.incr(CX, "k"), *script) == 2**70 + 1


def test_entry_changed_concurrently_is_read_again() -> None:
    script = (
        (_add(1), [[b"1.5"]]),
        (_swap(b"1.5", b"2.5", "KEEPTTL"), [0]),
        (GET, [b"7.5"]),
        (_swap(b"7.5", b"8.5", "KEEPTTL"), [1]),
    )
    assert replay(counters.incr(CX, "k"), *script) == 8.5


def test_float_is_added_by_compare_and_set() -> None:
    assert replay(counters.incr(CX, "k", 0.5), (GET, [b"1"]), (_swap(b"1", b"1.5", "KEEPTTL"), [1])) == 1.5


def test_float_counter_that_is_missing_is_created_only_if_still_missing() -> None:
    made = (("SET", K, b"1.5", "PX", 300_000, "NX"),)
    script = ((GET, [None]), (made, [None]), (GET, [b"2"]), (_swap(b"2", b"2.5", "KEEPTTL"), [1]))
    assert replay(counters.incr(CX, "k", 0.5, default=1.0), *script) == 2.5
    assert replay(counters.incr(CX, "k", 0.5, default=1.0), (GET, [None]), (made, [b"OK"])) == 1.5


@pytest.mark.parametrize("value", [True, "7", [1], None, b"1"])
def test_entry_that_is_no_number_is_refused_before_any_write(value: object) -> None:
    with pytest.raises(TypeError, match="the entry must be an int or a float"):
        replay(counters.incr(CX, "k"), (_add(1), [[CX.codec.dumps(value)]]))


def test_undecodable_entry_counts_as_missing() -> None:
    junk = b"\x80\xff"
    with pytest.raises(ValueError, match="not found"):
        replay(counters.incr(CX, "k"), (_add(1), [[junk]]))
    script = (_add(1, b"5", "PX", 1000), [[junk]]), (_swap(junk, b"5", "PX", 1000), [1])
    assert replay(counters.incr(CX, "k", default=4, timeout=1), *script) == 5


@pytest.mark.parametrize("delta", [True, "1", None, 1j])
def test_delta_that_is_no_number_is_refused(delta: Any) -> None:
    with pytest.raises(TypeError, match="delta must be an int or a float"):
        replay(counters.incr(CX, "k", delta))
    with pytest.raises(TypeError, match="delta must be an int or a float"):
        replay(counters.decr(CX, "k", delta))


def test_infinities_are_numbers() -> None:
    assert replay(counters.incr(CX, "k", math.inf), (GET, [b"1"]), (_swap(b"1", b"inf", "KEEPTTL"), [1])) == math.inf


@pytest.mark.parametrize("refusal", [DENIED, UNKNOWN])
def test_swap_without_scripts_is_a_conditional_set(refusal: ServerError) -> None:
    swapped = (("SET", K, b"6", "IFEQ", b"5", "KEEPTTL"),)
    assert replay(counters.incr(CX, "k"), (_add(1), [refusal]), (GET, [b"5"]), (swapped, [b"OK"])) == 6


def test_swap_without_eval_permission_is_a_conditional_set() -> None:
    swapped = (("SET", K, b"6", "IFEQ", b"5", "KEEPTTL"),)
    whole = (("EVAL", INCREMENT.text, 1, K, 1),)
    script = ((_add(1), [NoScriptError("NOSCRIPT")]), (whole, [DENIED]), (GET, [b"5"]), (swapped, [b"OK"]))
    assert replay(counters.incr(CX, "k"), *script) == 6


def test_swap_without_scripts_is_repeated_after_a_conflict() -> None:
    lost, won = (("SET", K, b"6", "IFEQ", b"5", "KEEPTTL"),), (("SET", K, b"8", "IFEQ", b"7", "KEEPTTL"),)
    script = ((_add(1), [DENIED]), (GET, [b"5"]), (lost, [None]), (GET, [b"7"]), (won, [b"OK"]))
    assert replay(counters.incr(CX, "k"), *script) == 8


def test_swap_without_scripts_and_conditional_set_names_the_remedy() -> None:
    swapped = (("SET", K, b"6", "IFEQ", b"5", "KEEPTTL"),)
    script = ((_add(1), [DENIED]), (GET, [b"5"]), (swapped, [ServerError("ERR syntax error")]))
    transaction = Transaction(K, lambda _: ())
    for replies in ([b"OK", b"5"], [DENIED, None]):
        with pytest.raises(NotSupportedError, match=r"\+eval \+evalsha"):
            replay(counters.incr(CX, "k"), *script, (transaction, replies))
    assert replay(counters.incr(CX, "k"), *script, (transaction, [True, [b"OK"]])) == 6


def test_other_server_errors_are_raised() -> None:
    with pytest.raises(ServerError, match="OOM"):
        replay(counters.incr(CX, "k"), (_add(1), [ServerError("OOM command not allowed")]))


def test_entry_that_keeps_changing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "ATTEMPTS", 2)
    lost = (_swap(b"1.5", b"2.5", "KEEPTTL"), [0])
    with pytest.raises(CacheError, match="changed 2 times"):
        replay(counters.incr(CX, "k"), (_add(1), [[b"1.5"]]), lost, (GET, [b"1.5"]), lost)
