"""Test replay: it drives an operation by a script and shows the first difference."""

from typing import Any

import pytest

from dvcache.effects import Call, OnPrimary, Op, Sleep, Unchecked
from dvcache.errors import ConnectionLost, ServerError
from dvcache.testing.replays import replay

PING = (("PING",),)


def _ask() -> Op[Any]:
    return (yield PING)


def _survive() -> Op[str]:
    try:
        yield PING
    except (ConnectionLost, ServerError) as error:
        return type(error).__name__
    return "answered"


def test_replay_returns_the_result_of_the_operation() -> None:
    assert replay(_ask(), (PING, [b"PONG"])) == [b"PONG"]


def test_exception_in_the_script_is_raised_in_the_operation() -> None:
    assert replay(_survive(), (PING, ConnectionLost("gone"))) == "ConnectionLost"


def test_server_error_among_the_replies_is_raised_in_the_operation() -> None:
    assert replay(_survive(), (PING, [ServerError("ERR")])) == "ServerError"


def test_server_error_of_an_unchecked_batch_stays_a_value() -> None:
    def each() -> Op[Any]:
        return (yield Unchecked(PING))

    error = ServerError("ERR")
    assert replay(each(), (Unchecked(PING), [error])) == [error]


def test_call_is_answered_by_the_script_and_not_made() -> None:
    def call() -> Op[Any]:
        yield Sleep(1)
        return (yield Call(lambda: 1 / 0))

    assert replay(call(), (Sleep(1), None), (Call, 5)) == 5


def test_effect_other_than_the_scripts_is_shown_beside_it() -> None:
    with pytest.raises(AssertionError, match=r"effect 1: the operation yielded\n.*'PING'.*\nthe script has\n.*'PONG'"):
        replay(_ask(), ((("PONG",),), [1]))


def test_batch_is_not_accepted_as_unchecked() -> None:
    with pytest.raises(AssertionError, match="the script has"):
        replay(_ask(), (Unchecked(PING), [1]))


def test_operation_that_ends_early_is_an_error_with_the_rest_of_the_script() -> None:
    with pytest.raises(AssertionError, match=r"returned \[1\]; the script continues:\n.*'QUIT'"):
        replay(_ask(), (PING, [1]), ((("QUIT",),), [1]))


def test_operation_that_outlasts_the_script_is_an_error_with_its_effect() -> None:
    with pytest.raises(AssertionError, match=r"after 0 effects; the operation continued with\n.*'PING'"):
        replay(_ask())


def test_script_with_too_few_replies_is_an_error() -> None:
    with pytest.raises(AssertionError, match="must have 1 replies"):
        replay(_ask(), (PING, []))


def test_error_of_the_operation_is_raised() -> None:
    with pytest.raises(ConnectionLost):
        replay(_ask(), (PING, ConnectionLost("gone")))


def test_on_primary_batch_is_answered_like_a_batch_and_not_accepted_as_one() -> None:
    def fresh() -> Op[object]:
        return (yield OnPrimary(PING))

    assert replay(fresh(), (OnPrimary(PING), [1])) == [1]
    with pytest.raises(ServerError, match="refused"):
        replay(fresh(), (OnPrimary(PING), [ServerError("refused")]))
    with pytest.raises(AssertionError, match="must have 1 replies"):
        replay(fresh(), (OnPrimary(PING), []))
    with pytest.raises(AssertionError, match="the script has"):
        replay(fresh(), (PING, [1]))
