"""Test expiry and versions: units, limits, and one round trip each."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from dvcache.context import MAX_MS
from dvcache.errors import ServerError
from dvcache.operations import expiry, versions
from dvcache.testing.replays import replay
from dvcache.types import DEFAULT, StoredKey
from tests.support.operation_contexts import CX

K = b"p:1:k"


@pytest.mark.parametrize(
    ("left", "pttl", "ttl"), [(-2, 0, 0), (-1, None, None), (1, 1, 1), (1000, 1000, 1), (1001, 1001, 2)]
)
def test_ttl_takes_one_round_trip(left: int, pttl: int | None, ttl: int | None) -> None:
    assert replay(expiry.pttl(CX, "k"), ((("PTTL", K),), [left])) == pttl
    assert replay(expiry.ttl(CX, "k"), ((("PTTL", K),), [left])) == ttl


def test_persist_returns_whether_an_expiry_was_removed() -> None:
    assert replay(expiry.persist(CX, "k"), ((("PERSIST", K),), [1])) is True
    assert replay(expiry.persist(CX, "k"), ((("PERSIST", K),), [0])) is False


@pytest.mark.parametrize(
    ("timeout", "sent"), [(2, 2000), (0.25, 250), (timedelta(seconds=3), 3000), (DEFAULT, 300_000), (math.inf, MAX_MS)]
)
def test_expire_takes_seconds(timeout: Any, sent: int) -> None:
    assert replay(expiry.expire(CX, "k", timeout), ((("PEXPIRE", K, sent),), [1])) is True


@pytest.mark.parametrize(
    ("timeout", "sent"),
    [
        (2, 2),
        (0.25, 1),
        (1001, 1001),
        (timedelta(seconds=3), 3000),
        (DEFAULT, 300_000),
        (math.inf, MAX_MS),
        (10**400, MAX_MS),
        (2**50 + 1, 2**50 + 1),
    ],
)
def test_pexpire_takes_milliseconds_but_the_default_is_in_seconds(timeout: Any, sent: int) -> None:
    assert replay(expiry.pexpire(CX, "k", timeout), ((("PEXPIRE", K, sent),), [1])) is True


@pytest.mark.parametrize("timeout", [0, -1, -(10**400), timedelta(seconds=-1), -math.inf])
def test_timeout_of_zero_or_less_deletes(timeout: Any) -> None:
    assert replay(expiry.expire(CX, "k", timeout), ((("UNLINK", K),), [1])) is True
    assert replay(expiry.pexpire(CX, "k", timeout), ((("UNLINK", K),), [0])) is False


def test_timeout_of_none_persists() -> None:
    for op in (expiry.expire(CX, "k", None), expiry.pexpire(CX, "k", None)):
        assert replay(op, ((("PERSIST", K), ("EXISTS", K)), [1, 1])) is True


@pytest.mark.parametrize(
    ("when", "sent"),
    [
        (1_700_000_000, 1_700_000_000_000),
        (1_700_000_000.123, 1_700_000_000_123),
        (datetime(2024, 1, 1, tzinfo=UTC), 1_704_067_200_000),
        (datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 1_704_067_200_000),
        (datetime(2024, 1, 1).astimezone().replace(tzinfo=None), int(datetime(2024, 1, 1).timestamp() * 1000)),  # noqa: DTZ001  # local time is the point
        (datetime(1960, 1, 1, tzinfo=UTC), 0),
        (-5, 0),
        (math.inf, MAX_MS),
        (10**400, MAX_MS),
    ],
)
def test_expire_at_takes_a_unix_time_in_seconds_or_a_datetime(when: Any, sent: int) -> None:
    assert replay(expiry.expire_at(CX, "k", when), ((("PEXPIREAT", K, sent),), [1])) is True


def test_last_calendar_day_is_a_valid_time() -> None:
    op = expiry.expire_at(CX, "k", datetime.max)  # noqa: DTZ901  # local time is the point
    [(name, key, sent)] = op.send(None)  # type: ignore[misc]  # the batch of one
    assert (name, key) == ("PEXPIREAT", K)
    assert abs(sent - 253_402_300_800_000) < 86_400_000
    op.close()


def test_pexpire_at_takes_milliseconds() -> None:
    assert replay(expiry.pexpire_at(CX, "k", 1_700_000_000_123), ((("PEXPIREAT", K, 1_700_000_000_123),), [0])) is False


@pytest.mark.parametrize("op", [expiry.expire, expiry.pexpire, expiry.expire_at, expiry.pexpire_at])
def test_times_that_are_no_numbers_are_refused(op: Any) -> None:
    with pytest.raises(ValueError, match="NaN"):
        replay(op(CX, "k", math.nan))
    with pytest.raises(TypeError, match="str"):
        replay(op(CX, "k", "60"))


def test_version_change_is_one_rename() -> None:
    assert replay(versions.incr_version(CX, "k"), ((("RENAME", K, b"p:2:k"),), [b"OK"])) == 2
    assert replay(versions.incr_version(CX, StoredKey("p:1:k")), ((("RENAME", K, b"p:2:k"),), [b"OK"])) == 2
    assert replay(versions.decr_version(CX, "k", 2, 5), ((("RENAME", b"p:5:k", b"p:3:k"),), [b"OK"])) == 3


def test_version_change_of_a_missing_entry_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^Key 'k' not found$"):
        replay(versions.incr_version(CX, "k"), ((("RENAME", K, b"p:2:k"),), [ServerError("ERR no such key")]))


def test_version_change_by_zero_checks_that_the_entry_exists() -> None:
    assert replay(versions.incr_version(CX, "k", 0), ((("EXISTS", K),), [1])) == 1
    with pytest.raises(ValueError, match="not found"):
        replay(versions.incr_version(CX, "k", 0), ((("EXISTS", K),), [0]))


def test_other_server_errors_are_raised() -> None:
    with pytest.raises(ServerError, match="READONLY"):
        replay(versions.incr_version(CX, "k"), ((("RENAME", K, b"p:2:k"),), [ServerError("READONLY")]))


@pytest.mark.parametrize("op", [versions.incr_version, versions.decr_version])
def test_version_change_takes_an_int(op: Any) -> None:
    with pytest.raises(TypeError, match="float"):
        replay(op(CX, "k", 1.5))
