"""`AsyncValkeyCache`: the backend for `await cache.get(key)`."""

import valkey.asyncio

from django_valkey.async_cache.client.default import AsyncDefaultClient
from django_valkey.base import AsyncBackendCommands, BaseValkeyCache


class DecoratedAsyncBackendCommands(AsyncBackendCommands):
    """Alias of `AsyncBackendCommands`, for code written against django-valkey. IGNORE_EXCEPTIONS covers all methods."""


class AsyncValkeyCache(  # type: ignore[misc]  # as above
    BaseValkeyCache[AsyncDefaultClient, valkey.asyncio.Valkey], DecoratedAsyncBackendCommands
):
    """A cache with coroutines only, each under two names: `await cache.get(key)`, `await cache.aget(key)`.

    Django's sessions and cache middleware cannot use it; they need `django_valkey.cache.ValkeyCache`, which has the
    `a*` methods, too. Arguments and errors are those of `Backend`.
    """

    DEFAULT_CLIENT_CLASS = "django_valkey.async_cache.client.AsyncDefaultClient"
