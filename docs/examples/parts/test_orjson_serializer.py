"""Test what comes back from orjson's JSON, and what is refused."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from orjson_serializer import SETTINGS

from dvcache import Cache, Container, SerializationError
from dvcache.testing import MemoryPoolFactory


@pytest.fixture
def cache() -> Iterator[Cache]:
    """Return a cache in memory, empty for each test."""
    with Container(SETTINGS, pool_factory=MemoryPoolFactory()) as container:
        yield container.cache()


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"a": [1, 2.5, None, True]}, {"a": [1, 2.5, None, True]}),
        ({2, 1}, [1, 2]),
        ([Decimal("1.50")], ["1.50"]),
        (date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_values_come_back_as_json_has_them(cache: Cache, value: object, read: object) -> None:
    """Store values of JSON's types and of others."""
    cache.set("stored", value)
    assert cache.get("stored") == read


def test_value_of_an_unknown_type_is_refused(cache: Cache) -> None:
    """Store an object that has no form in JSON."""
    with pytest.raises(SerializationError, match="OrjsonSerializer cannot serialize a object"):
        cache.set("stored", object())
