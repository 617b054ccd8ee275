"""`AsyncValkeyCache`: the older spelling, `await cache.get(key)`."""

import valkey.asyncio

from django_valkey.async_cache.client.default import AsyncDefaultClient
from django_valkey.base import AsyncBackendCommands, BaseValkeyCache


class DecoratedAsyncBackendCommands(AsyncBackendCommands):
    """The methods of `AsyncBackendCommands`, by the name of those that IGNORE_EXCEPTIONS covers: here it covers all."""


class AsyncValkeyCache(  # type: ignore[misc]  # as above
    BaseValkeyCache[AsyncDefaultClient, valkey.asyncio.Valkey], DecoratedAsyncBackendCommands
):
    """A cache whose every operation is a coroutine, by two names: `await cache.get(key)`, `await cache.aget(key)`.

    For code of the project's own: Django's sessions and middleware need `django_valkey.cache.ValkeyCache`, which has
    the `a*` names as well. Arguments and errors are those of `Backend`.
    """

    DEFAULT_CLIENT_CLASS = "django_valkey.async_cache.client.AsyncDefaultClient"
