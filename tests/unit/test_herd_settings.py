"""Test the options HERD, HERD_TIMEOUT and TIMEOUT_JITTER, and the errors of wrong values."""

from datetime import timedelta
from typing import Any

import pytest

from dvcache import ConfigurationError, Container, Settings
from dvcache.context import Herd
from dvcache.policies.herd import HERD
from dvcache.policies.plain import PLAIN

HERD_CLIENT = "django_valkey.client.HerdClient"


def herd(**options: object) -> Herd | None:
    return Settings.parse({"LOCATION": "memory://", "OPTIONS": options}).herd


@pytest.mark.parametrize("options", [{}, {"HERD": False}, {"HERD": None}, {"HERD_TIMEOUT": 5}])
def test_herd_policy_is_off_without_the_option(options: dict[str, object]) -> None:
    assert herd(**options) is None
    assert Container(Settings.parse({"LOCATION": "memory://", "OPTIONS": options})).context().policy is PLAIN


@pytest.mark.parametrize("options", [{"HERD": True}, {"HERD": {}}, {"CLIENT_CLASS": HERD_CLIENT}])
def test_herd_policy_is_selected_by_the_option_or_the_client(options: dict[str, object]) -> None:
    assert herd(**options) == Herd(timeout=60_000, lease=30_000, wait=10.0)
    assert Container(Settings.parse({"LOCATION": "memory://", "OPTIONS": options})).context().policy is HERD


def test_herd_defaults_follow_from_the_given_values() -> None:
    assert herd(HERD={"timeout": 5}) == Herd(timeout=5000, lease=5000, wait=5.0)
    assert herd(HERD={"timeout": 0.25}) == Herd(timeout=250, lease=1000, wait=1.0)
    assert herd(HERD={"lease": 2}) == Herd(timeout=60_000, lease=2000, wait=2.0)
    assert herd(HERD=True, HERD_TIMEOUT=20) == Herd(timeout=20_000, lease=20_000, wait=10.0)
    assert herd(HERD={"timeout": 90}, HERD_TIMEOUT=20) == Herd(timeout=90_000, lease=30_000, wait=10.0)
    assert herd(CLIENT_CLASS=HERD_CLIENT, HERD={"wait": 0, "background": True}) == Herd(
        timeout=60_000, lease=30_000, wait=0.0, background=True
    )
    assert herd(HERD={"timeout": timedelta(minutes=2), "lease": timedelta(seconds=1)}) == Herd(
        timeout=120_000, lease=1000, wait=1.0
    )


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({"HERD": 1}, "HERD", "True, False or a mapping, not int"),
        ({"HERD": "yes"}, "HERD", "True, False or a mapping, not str"),
        ({"HERD": {"timeuot": 5}}, "HERD", "'timeuot' is not known; did you mean timeout"),
        ({"HERD": {"ttl": 5}}, "HERD", "'ttl' is not known; known are background, lease, timeout, wait"),
        ({"HERD": {"timeout": 0}}, "HERD", "timeout must be a number of seconds, more than 0, or a timedelta, not 0"),
        ({"HERD": {"lease": True}}, "HERD", "lease must be a number of seconds, more than 0"),
        ({"HERD": {"lease": None}}, "HERD", "not NoneType"),
        ({"HERD": {"wait": -1}}, "HERD", "wait must be a number of seconds, 0 or more"),
        ({"HERD": {"wait": float("nan")}}, "HERD", "not nan"),
        ({"HERD": {"wait": float("inf")}}, "HERD", "not inf"),
        ({"HERD": {"background": 1}}, "HERD", "background must be True or False, not int"),
        ({"HERD": False, "CLIENT_CLASS": HERD_CLIENT}, "HERD", "contradicts CLIENT_CLASS"),
        ({"HERD_TIMEOUT": 0}, "HERD_TIMEOUT", "more than 0"),
        ({"HERD_TIMEOUT": "60"}, "HERD_TIMEOUT", "not str"),
        ({"TIMEOUT_JITTER": 1.5}, "TIMEOUT_JITTER", "a number from 0 to 1"),
        ({"TIMEOUT_JITTER": True}, "TIMEOUT_JITTER", "a number from 0 to 1"),
        ({"TIMEOUT_JITTER": float("nan")}, "TIMEOUT_JITTER", "a number from 0 to 1"),
        ({"HERDS": True}, "HERDS", "did you mean HERD"),
    ],
)
def test_wrong_herd_option_is_named_with_its_remedy(options: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        herd(**options)
    assert error.value.key == f"OPTIONS[{key!r}]"
    assert message in error.value.reason


def test_jitter_is_a_part_of_the_timeout() -> None:
    settings = Settings.parse({"LOCATION": "memory://jitter", "OPTIONS": {"TIMEOUT_JITTER": 0.5}})
    with Container(settings) as container:
        cache = container.cache()
        cache.set_many(dict.fromkeys(map(str, range(100)), 1), 1000)
        left = [cache.pttl(key) or 0 for key in map(str, range(100))]
    assert 490_000 < min(left) < 700_000
    assert 800_000 < max(left) <= 1_000_000
