"""Test `as_` with Django's caches: sync, async, on a caller's client, and with overrides written without it."""

from typing import Any

import pytest

from django_valkey.async_cache.client import AsyncDefaultClient
from django_valkey.cache import ValkeyCache
from django_valkey.client import DefaultClient
from tests.support.custom_caches import ASYNC, SYNC, alias, of


class Shouting:
    """A cache or a client with a `get` of Django's signature."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        value = super().get(key, default, version)  # type: ignore[misc]  # of the class beside it
        return value.upper() if isinstance(value, str) else value


class ShoutingClient(Shouting, DefaultClient):
    """A client with the override."""


class ShoutingCache(Shouting, ValkeyCache):
    """A cache with the override."""


class AsyncShoutingClient(AsyncDefaultClient):
    """A client for async code with the override."""

    async def get(self, key: Any, default: Any = None, version: Any = None) -> Any:  # type: ignore[override]
        value = await super().get(key, default, version)
        return value.upper() if isinstance(value, str) else value


@pytest.mark.parametrize(("backend", "prefix"), [(SYNC, ""), (SYNC, "a"), (ASYNC, ""), (ASYNC, "a")])
@pytest.mark.parametrize("options", [{}, {"IGNORE_EXCEPTIONS": True}, {"HERD": True}])
def test_value_of_another_type_is_a_miss_in_both_modes(backend: str, prefix: str, options: dict[str, Any]) -> None:
    with alias(backend=backend, options=options) as cache:
        of(cache, f"{prefix}set_many")({"a": 1, "b": "text"})
        assert of(cache, f"{prefix}get")("a", as_=int) == 1
        assert of(cache, f"{prefix}get")("b", 7, as_=int) == 7
        assert of(cache, f"{prefix}get_many")(["a", "b", "c"], as_=int) == {"a": 1}
        with pytest.raises(TypeError, match="as_ cannot be"):
            of(cache, f"{prefix}get")("a", as_="int")


@pytest.mark.parametrize(("client", "prefix"), [(ShoutingClient, ""), (ShoutingClient, "a"), (AsyncShoutingClient, "")])
def test_override_of_a_client_need_not_take_the_type(client: type, prefix: str) -> None:
    with alias(client) as cache:
        of(cache, f"{prefix}set_many")({"a": 1, "b": "text"})
        assert of(cache, f"{prefix}get")("b", as_=str) == "TEXT"
        assert of(cache, f"{prefix}get")("b", 7, as_=int) == 7
        assert of(cache, f"{prefix}get")("b", as_=int) is None
        assert of(cache, f"{prefix}get_many")(["a", "b", "c"], as_=str) == {"b": "TEXT"}
        assert cache._wired.context.codec.undecodable == 3


def test_override_of_a_cache_need_not_take_the_type_of_many() -> None:
    with alias(backend=ShoutingCache) as cache:
        cache.set_many({"a": 1, "b": "text"})
        assert cache.get_many(["a", "b", "c"], as_=str) == {"b": "TEXT"}
        assert cache._wired.context.codec.undecodable == 1
