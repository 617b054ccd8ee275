"""Instruments that replace methods of a cache object see what docs/django.md says, and change nothing."""

import asyncio
from collections import Counter
from typing import Any, Final

from django.core.cache import caches

from tests.servers import Server

PATCHED: Final = ("get", "get_many", "set", "set_many", "has_key", "get_or_set", "delete")


def instrumented(cache: Any) -> Counter[str]:
    """Replace methods of a cache object by ones that count, as Sentry and the debug toolbar do."""
    seen: Counter[str] = Counter()
    for name in PATCHED:
        original = getattr(cache, name)

        def replaced(*args: Any, _name: str = name, _original: Any = original, **kwargs: Any) -> Any:
            seen[_name] += 1
            return _original(*args, **kwargs)

        setattr(cache, name, replaced)
    return seen


def test_instruments_see_the_methods_that_they_replaced_and_no_others(on_server: Server) -> None:
    assert on_server.port
    cache: Any = caches["default"]
    seen = instrumented(cache)
    cache.set("k", 1)
    assert cache.get("k") == cache.get_or_set("k", 2) == 1
    assert cache.get_many(["k"]) == {"k": 1}
    assert cache.has_key("k")
    assert asyncio.run(cache.aget("k")) == 1
    assert asyncio.run(cache.aget_or_set("k", 2)) == 1
    assert cache.incr("k") == 2
    assert seen == {"set": 1, "get": 1, "get_or_set": 1, "get_many": 1, "has_key": 1}
    assert cache.delete("k")
