"""Check the types of settings and of caches by alias by `mypy tests/typing`; the module is never run."""

from datetime import timedelta
from typing import assert_type

import dvcache
from django_valkey import get_async_cache, get_cache
from django_valkey.async_cache.cache import AsyncValkeyCache
from django_valkey.cache import ValkeyCache
from dvcache import Settings
from dvcache.serializers.json import JSONSerializer
from dvcache.types import Key


def keywords() -> None:
    """A misspelt keyword and a value of the wrong type are errors."""
    made = Settings.of("valkey://h/0", prefix="shop", timeout=timedelta(hours=1), serializer=JSONSerializer())
    assert_type(made, Settings)
    Settings.of(["valkey://a/0", "valkey://b/0"], read_from="primary", socket_timeout=0.5, herd={"wait": 1})
    Settings.of("valkey://h/0", soket_timeout=1)  # type: ignore[call-arg]  # codespell:ignore soket
    Settings.of("valkey://h/0", socket_timeout="1")  # type: ignore[arg-type]
    Settings.of("valkey://h/0", read_from="anyone")  # type: ignore[arg-type]


def entries(given: dict[str, object]) -> None:
    """A literal, a declared entry and a mapping of unknown origin can be parsed; a declared one is checked."""
    Settings.parse({"LOCATION": "valkey://h/0", "OPTIONS": {"SOCKET_TIMEOUT": 1}})
    Settings.parse(given)
    entry: dvcache.CacheEntry = {"LOCATION": "valkey://h/0", "OPTIONS": {"SOCKET_TIMEOUT": 1}}
    Settings.parse(entry)
    wrong: dvcache.Options = {"SOKET_TIMEOUT": 1}  # type: ignore[typeddict-unknown-key]  # codespell:ignore soket
    Settings.parse({"OPTIONS": wrong})


async def by_alias() -> None:
    """A cache by its alias has the methods of its class."""
    assert_type(get_cache(), ValkeyCache)
    assert_type(get_cache("shop").get("key", 0, as_=int), int)
    assert_type(await get_cache().aget("key", as_=list[int]), list[int] | None)
    assert_type(get_async_cache(), AsyncValkeyCache)
    assert_type(await get_async_cache().get_many(["key"], as_=int), dict[Key, int])
