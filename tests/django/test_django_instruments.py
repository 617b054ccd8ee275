"""Test instruments that replace methods of a cache object: they see the calls that `docs/django.md` lists."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.test.utils import override_settings

from tests.support.servers import Server

REPLACED = ("get", "set", "add", "get_many", "set_many", "delete", "has_key", "incr")


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def cache(server: Server, seen: list[str]) -> Any:
    """Make a cache whose methods are replaced on the object by functions that call the original, as tools do."""

    def watched(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            seen.append(name)
            return method(*args, **kwargs)

        return call

    entry = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": server.url(1)}
    with override_settings(CACHES={"default": entry}):
        made = caches["default"]
        for name in REPLACED:
            setattr(made, name, watched(name, getattr(made, name)))
        yield made


def test_replaced_method_receives_calls_of_its_own_name(cache: Any, seen: list[str]) -> None:
    cache.set("a", 1)
    assert cache.get("a") == 1
    assert cache.get_many(["a"]) == {"a": 1}
    assert seen == ["set", "get", "get_many"]


def test_replaced_get_receives_no_other_method(cache: Any, seen: list[str]) -> None:
    assert cache.get_or_set("a", 1) == 1
    assert cache.get_or_set("a", 2) == 1
    assert cache.incr_version("a") == 2
    assert seen == []


def test_replaced_method_receives_no_async_call(cache: Any, seen: list[str]) -> None:
    async def calls() -> None:
        await cache.aset("a", 1)
        assert await cache.aget("a") == 1
        assert await cache.aget_many(["a"]) == {"a": 1}
        assert await cache.aget_or_set("b", 2) == 2
        assert await cache.ahas_key("b")

    asyncio.run(calls())
    assert seen == []
