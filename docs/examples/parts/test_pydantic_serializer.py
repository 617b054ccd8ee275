"""Test that models are stored and read, and nothing else is."""

from collections.abc import Iterator

import pytest
from pydantic_serializer import SETTINGS, Customer, Order

from dvcache import Cache, Container, SerializationError
from dvcache.testing import MemoryPoolFactory


@pytest.fixture
def cache() -> Iterator[Cache]:
    """Return a cache in memory, empty for each test."""
    with Container(SETTINGS, pool_factory=MemoryPoolFactory()) as container:
        yield container.cache()


@pytest.mark.parametrize("value", [Order(number=7), [Customer(name="Ada"), Order(number=8)], "text", True, None])
def test_models_come_back_as_they_were(cache: Cache, value: object) -> None:
    """Store values of every type that is allowed."""
    cache.set("stored", value)
    assert cache.get("stored", "a miss") == value


@pytest.mark.parametrize("value", [{"kind": "order", "number": 7}, [1], object(), b"bytes"])
def test_value_of_another_type_is_refused(cache: Cache, value: object) -> None:
    """Store what is no model: a dict with the fields of one is none."""
    with pytest.raises(SerializationError, match="PydanticSerializer cannot serialize"):
        cache.set("stored", value)


def test_entry_of_an_older_model_is_a_miss() -> None:
    """Read an entry whose field had another type."""
    with Container(SETTINGS, pool_factory=MemoryPoolFactory()) as container:
        container.client().execute((("SET", ":1:order", b'{"kind":"order","number":"seven"}'),))
        assert container.cache().get("order", "a miss") == "a miss"
