"""Test OPTIONS["DEADLINE"]: its default, its values, and contradictions with the timeouts."""

import math
from datetime import timedelta

import pytest

from tests.support.settings_entries import URL, of_options, parsed, refused, refused_option


def test_deadline_is_twice_the_default_timeout() -> None:
    assert parsed().deadline == 10
    assert parsed("memory://").deadline == 10


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"SOCKET_TIMEOUT": 1}, 2),
        ({"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 3}, 6),
        ({"SOCKET_TIMEOUT": 3, "SOCKET_CONNECT_TIMEOUT": 1}, 6),
        ({"CONNECTION_POOL_KWARGS": {"socket_timeout": 0.25}}, 0.5),
        ({"CONNECTION_POOL_KWARGS": {"socket_timeout": None}}, None),
        ({"CONNECTION_POOL_KWARGS": {"socket_connect_timeout": None}}, None),
        ({"CONNECTION_POOL_KWARGS": {"socket_timeout": None}, "DEADLINE": 0.1}, 0.1),
        ({"DEADLINE": 7}, 7),
        ({"DEADLINE": timedelta(seconds=7)}, 7),
        ({"DEADLINE": 5}, 5),
    ],
)
def test_deadline_follows_the_timeouts_if_it_is_not_given(options: dict[str, object], seconds: float | None) -> None:
    assert of_options(**options).deadline == seconds


def test_deadline_is_twice_the_longest_timeout_of_all_servers() -> None:
    assert parsed([URL, f"{URL}&socket_timeout=9".replace("&", "?")]).deadline == 18


def test_deadline_below_socket_timeout_is_refused() -> None:
    assert "OPTIONS['DEADLINE']" in str(refused_option(DEADLINE=4.9))
    assert "SOCKET_TIMEOUT" in str(refused_option(DEADLINE=4.9))
    of_one = refused({"LOCATION": [URL, f"{URL}?socket_timeout=9"], "OPTIONS": {"DEADLINE": 8}})
    assert "OPTIONS['DEADLINE']: 8 s is shorter than SOCKET_TIMEOUT, 9 s" in str(of_one)


@pytest.mark.parametrize("value", [0, -1, "10", True, math.nan, math.inf, timedelta(0)])
def test_deadline_that_is_no_duration_is_refused(value: object) -> None:
    assert "OPTIONS['DEADLINE']: must be a number of seconds" in str(refused_option(DEADLINE=value))
