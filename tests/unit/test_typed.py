"""Test the typed serializer: its JSON, for readers with other tools, and that it runs no code."""

import datetime as dt
import json
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from dvcache.errors import ConfigurationError
from dvcache.serializers import TypedSerializer
from dvcache.serializers.typed import KINDS, Kind

BERLIN = ZoneInfo("Europe/Berlin")
EXAMPLES: list[tuple[object, object]] = [
    (None, None),
    ({"a": [1, 2.5, True, "b"]}, {"a": [1, 2.5, True, "b"]}),
    ((1, 2), {"$tuple": [1, 2]}),
    ({7}, {"$set": [7]}),
    (frozenset({7}), {"$frozenset": [7]}),
    (b"abc", {"$bytes": "YWJj"}),
    (dt.date(2026, 1, 2), {"$date": "2026-01-02"}),
    (dt.datetime(2026, 1, 2, 3, 4), {"$datetime": "2026-01-02T03:04:00"}),  # noqa: DTZ001  # one without a zone
    (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), {"$datetime": "2026-01-02T03:04:00+00:00"}),
    (
        dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
        {"$datetime": ["2026-10-25T02:30:00", "Europe/Berlin", 1]},
    ),
    (dt.time(3, 4, 5), {"$time": "03:04:05"}),
    (
        dt.time(3, 4, tzinfo=dt.timezone(dt.timedelta(microseconds=1))),
        {"$time": ["03:04:00", [0, 0, 1], 0]},
    ),
    (dt.timedelta(days=1, seconds=2), {"$timedelta": [1, 2, 0]}),
    (Decimal("1.50"), {"$decimal": "1.50"}),
    (UUID(int=1), {"$uuid": "00000000-0000-0000-0000-000000000001"}),
    (float("inf"), {"$float": "inf"}),
    ({1: "a", (2, 3): "b"}, {"$dict": [[1, "a"], [{"$tuple": [2, 3]}, "b"]]}),
    ({"$set": [1]}, {"$dict": [["$set", [1]]]}),
    ({"$set": [1], "b": 2}, {"$set": [1], "b": 2}),
]


@pytest.mark.parametrize(("value", "written"), EXAMPLES, ids=repr)
def test_value_is_written_as_json_that_names_its_type(value: object, written: object) -> None:
    data = TypedSerializer().dumps(value)
    assert json.loads(data) == written
    found = TypedSerializer().loads(data)
    assert found == value
    assert repr(found) == repr(value)


class Mode(IntEnum):
    RED = 1


class Zone(dt.tzinfo):
    """A time zone of the project."""


@pytest.mark.parametrize(
    "value",
    [
        Mode.RED,
        OrderedDict(a=1),
        type("Text", (str,), {})("a"),
        dt.datetime(2026, 1, 2, tzinfo=Zone()),
        object(),
        print,
        {"a": {("b", print)}},
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_that_does_not_round_trip_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        TypedSerializer().dumps(value)


def test_list_in_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(RecursionError):
        TypedSerializer().dumps(endless)


@pytest.mark.parametrize(
    "written",
    [
        b'{"$unknown": 1}',
        b'{"$decimal": [1]}',
        b'{"$bytes": "\xc3\xa4"}',
        b'{"$datetime": ["2026-01-02", "No/Where", 0]}',
        b'{"$datetime": ["2026-01-02", "/etc/passwd", 0]}',
        b'{"$set": [[1]]}',
        b'{"$int": 7}',
        pickle.dumps([print]),
        b"",
    ],
)
def test_foreign_bytes_are_refused(written: bytes) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  # each reader raises its own
        TypedSerializer().loads(written)


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str


def test_project_may_add_its_own_types() -> None:
    money = Kind("$money", Money, lambda each: [each.amount, each.currency], lambda parts: Money(*parts))
    serializer = TypedSerializer((money,))
    value = {"price": Money(Decimal("9.90"), "EUR")}
    assert json.loads(serializer.dumps(value)) == {"price": {"$money": [{"$decimal": "9.90"}, "EUR"]}}
    assert serializer.loads(serializer.dumps(value)) == value


def test_type_names_must_be_unique() -> None:
    assert len({kind.name for kind in KINDS}) == len({kind.type for kind in KINDS}) == len(KINDS)


def test_type_name_without_a_leading_dollar_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"must begin with a dollar: write '\$money'"):
        Kind("money", Decimal, str, Decimal)
