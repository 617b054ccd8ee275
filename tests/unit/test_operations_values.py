"""Test operations on single entries: commands, by replay, and returned values."""

import math
from datetime import timedelta
from typing import Any

import pytest

from dvcache.context import MAX_MS
from dvcache.effects import Call, OnPrimary
from dvcache.errors import SerializationError, WrongTypeError
from dvcache.operations import values
from dvcache.testing.replays import replay
from dvcache.types import DEFAULT
from tests.support.operation_contexts import CX, context

K = b"p:1:k"


FRESH = OnPrimary((("GET", K),))


def test_get_asks_for_one_key_and_decodes_it() -> None:
    assert replay(values.get(CX, "k"), ((("GET", K),), [b"12"])) == 12


def test_get_returns_the_default_for_a_miss() -> None:
    assert replay(values.get(CX, "k", "d"), ((("GET", K),), [None])) == "d"


def test_get_returns_the_default_for_an_undecodable_entry() -> None:
    assert replay(values.get(CX, "k", "d"), ((("GET", K),), [b"\x80\xff"])) == "d"


def test_get_uses_the_given_version_including_zero() -> None:
    assert replay(values.get(CX, "k", version=0), ((("GET", b"p:0:k"),), [b"1"])) == 1


def test_get_raises_the_servers_error() -> None:
    with pytest.raises(WrongTypeError):
        replay(values.get(CX, "k"), ((("GET", K),), [WrongTypeError("WRONGTYPE")]))


@pytest.mark.parametrize(
    ("timeout", "sent"),
    [
        (DEFAULT, ("PX", 300_000)),
        (None, ()),
        (1, ("PX", 1000)),
        (0.5, ("PX", 500)),
        (1.001, ("PX", 1001)),
        (0.0000001, ("PX", 1)),
        (timedelta(minutes=1, milliseconds=7), ("PX", 60_007)),
        (math.inf, ("PX", MAX_MS)),
        (10**400, ("PX", MAX_MS)),
    ],
)
def test_set_sends_a_timeout_in_milliseconds(timeout: Any, sent: tuple[Any, ...]) -> None:
    assert replay(values.set(CX, "k", 1, timeout), ((("SET", K, b"1", *sent),), [b"OK"])) is True


def test_set_without_a_timeout_uses_the_alias_default() -> None:
    marker = object()
    cx = context(timeout=None, default_marker=marker)
    assert replay(values.set(cx, "k", 1), ((("SET", K, b"1"),), [b"OK"])) is True
    assert replay(values.set(cx, "k", 1, marker), ((("SET", K, b"1"),), [b"OK"])) is True  # type: ignore[arg-type]  # a host's own


@pytest.mark.parametrize("timeout", [0, -1, -0.5, timedelta(0), timedelta(days=-1), -math.inf, -(10**400)])
def test_set_with_a_timeout_of_zero_or_less_deletes(timeout: Any) -> None:
    assert replay(values.set(CX, "k", 1, timeout), ((("UNLINK", K),), [1])) is True


@pytest.mark.parametrize(("timeout", "error"), [(math.nan, ValueError), ("60", TypeError), ([], TypeError)])
def test_timeout_that_is_no_number_is_refused_before_sending(timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        replay(values.set(CX, "k", 1, timeout))


@pytest.mark.parametrize(("option", "word"), [("nx", "NX"), ("xx", "XX")])
def test_set_passes_its_condition_and_returns_whether_it_stored(option: str, word: str) -> None:
    asked = (("SET", K, b"1", "PX", 300_000, word),)
    assert replay(values.set(CX, "k", 1, **{option: True}), (asked, [None])) is False  # type: ignore[arg-type]  # by name
    assert replay(values.set(CX, "k", 1, **{option: True}), (asked, [b"OK"])) is True  # type: ignore[arg-type]  # by name


def test_set_refuses_both_conditions() -> None:
    with pytest.raises(ValueError, match="nx and xx"):
        replay(values.set(CX, "k", 1, nx=True, xx=True))


def test_set_with_get_returns_the_previous_value_or_none() -> None:
    asked = (("SET", K, b"2", "PX", 300_000, "GET"),)
    assert replay(values.set(CX, "k", 2, get=True), (asked, [b"1"])) == 1
    assert replay(values.set(CX, "k", 2, get=True), (asked, [None])) is None


def test_set_with_get_and_nx_sends_the_condition_first() -> None:
    asked = (("SET", K, b"2", "PX", 300_000, "NX", "GET"),)
    assert replay(values.set(CX, "k", 2, nx=True, get=True), (asked, [b"1"])) == 1


def test_set_with_get_and_a_timeout_of_zero_removes_the_entry() -> None:
    assert replay(values.set(CX, "k", 2, 0, get=True), ((("GETDEL", K),), [b"1"])) == 1
    assert replay(values.set(CX, "k", 2, 0, nx=True, get=True), ((("GET", K),), [b"1"])) == 1


def test_unstorable_value_is_refused_before_sending() -> None:
    with pytest.raises(SerializationError):
        replay(values.set(CX, "k", lambda: None))


def test_add_stores_a_missing_entry() -> None:
    asked = (("SET", K, b"1", "PX", 300_000, "NX"),)
    assert replay(values.add(CX, "k", 1), (asked, [b"OK"])) is True
    assert replay(values.add(CX, "k", 1), (asked, [None])) is False


def test_add_with_a_timeout_of_zero_returns_whether_the_entry_was_missing() -> None:
    assert replay(values.add(CX, "k", 1, 0), ((("EXISTS", K),), [0])) is True
    assert replay(values.add(CX, "k", 1, 0), ((("EXISTS", K),), [1])) is False


def test_delete_unlinks_with_the_given_version_and_prefix() -> None:
    assert replay(values.delete(CX, "k"), ((("UNLINK", K),), [1])) is True
    assert replay(values.delete(CX, "k", 2, ""), ((("UNLINK", b":2:k"),), [0])) is False


def test_touch_sets_persists_or_deletes() -> None:
    assert replay(values.touch(CX, "k", 2), ((("PEXPIRE", K, 2000),), [1])) is True
    assert replay(values.touch(CX, "k", None), ((("PERSIST", K), ("EXISTS", K)), [0, 1])) is True
    assert replay(values.touch(CX, "k", 0), ((("UNLINK", K),), [0])) is False


def test_has_key_asks_whether_the_entry_exists() -> None:
    assert replay(values.has_key(CX, "k"), ((("EXISTS", K),), [1])) is True


def test_get_or_set_returns_an_existing_entry_in_one_round_trip() -> None:
    assert replay(values.get_or_set(CX, "k", 5), (FRESH, [b"1"])) == 1


def test_get_or_set_treats_a_stored_none_as_a_hit() -> None:
    none = CX.codec.dumps(None)
    assert replay(values.get_or_set(CX, "k", 5), (FRESH, [none])) is None


def test_get_or_set_calls_the_function_once_and_adds_its_result() -> None:
    script = ((FRESH, [None]), (Call, 5), ((("SET", K, b"5", "PX", 1000, "NX"),), [b"OK"]))
    assert replay(values.get_or_set(CX, "k", lambda: 5, 1), *script) == 5


def test_get_or_set_returns_the_value_of_a_faster_caller() -> None:
    script = ((FRESH, [None]), ((("SET", K, b"5", "PX", 1000, "NX"),), [None]), (FRESH, [b"4"]))
    assert replay(values.get_or_set(CX, "k", 5, 1), *script) == 4


def test_get_or_set_replaces_an_undecodable_entry() -> None:
    junk = b"\x80\xff"
    script = (
        (FRESH, [junk]),
        ((("SET", K, b"5", "PX", 1000, "NX"),), [None]),
        (FRESH, [junk]),
        ((("SET", K, b"5", "PX", 1000),), [b"OK"]),
    )
    assert replay(values.get_or_set(CX, "k", 5, 1), *script) == 5


def test_get_or_set_raises_the_functions_error_and_stores_nothing() -> None:
    with pytest.raises(LookupError):
        replay(values.get_or_set(CX, "k", lambda: 5), (FRESH, [None]), (Call, LookupError()))
