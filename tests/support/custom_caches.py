"""An alias with a project's classes, and the counts of their overrides."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.core.cache import caches
from django.test.utils import override_settings

from django_valkey._config import registry
from django_valkey.async_cache.client import AsyncSentinelClient
from django_valkey.client import SentinelClient
from dvcache.testing import MemoryPoolFactory

SYNC: Final = "django_valkey.cache.ValkeyCache"
ASYNC: Final = "django_valkey.async_cache.cache.AsyncValkeyCache"

calls: Final[Counter[str]] = Counter()
"""Number of calls of each override."""


def path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


@contextmanager
def alias(
    client: type | None = None,
    backend: type | str | None = None,
    options: Mapping[str, Any] | None = None,
    **entry: Any,
) -> Iterator[Any]:
    """Use this client and this backend, by their dotted paths, for the default alias on an in-memory server."""
    own = dict(options or {})
    service = client is not None and issubclass(client, SentinelClient | AsyncSentinelClient)
    if client is not None:
        own["CLIENT_CLASS"] = path(client)
    if service:
        own["SENTINELS"] = [("127.0.0.1", 26379)]
    if backend is None:
        backend = ASYNC if getattr(client, "mode", "sync") == "async" else SYNC
    made = {
        "BACKEND": path(backend) if isinstance(backend, type) else backend,
        "LOCATION": "valkey://shop/0" if service else "valkey://cache.example.com/0",
        "OPTIONS": own,
        **entry,
    }
    with override_settings(CACHES={"default": made}), registry.use(pool_factory=MemoryPoolFactory()):
        calls.clear()
        yield caches["default"]


def of(cache: Any, name: str) -> Callable[..., Any]:
    """Return a method of the cache; a coroutine is awaited."""

    def call(*args: Any, **kwargs: Any) -> Any:
        found = getattr(cache, name)(*args, **kwargs)
        return asyncio.run(found) if asyncio.iscoroutine(found) else found

    return call
