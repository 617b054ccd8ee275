"""`ValkeyCache`: the backend for both sync and async code."""

import valkey

from django_valkey.base import BackendCommands, BaseValkeyCache
from django_valkey.client.default import DefaultClient


class DecoratedBackendCommands(BackendCommands):
    """Alias of `BackendCommands`, for code written against django-valkey. IGNORE_EXCEPTIONS covers all methods."""


class ValkeyCache(BaseValkeyCache[DefaultClient, valkey.Valkey], DecoratedBackendCommands):  # type: ignore[misc]  # as above
    """A cache with sync methods and native coroutines (`a*`) over the same entries.

    Methods beyond Django's (`ttl`, `expire`, `iter_keys`, `delete_pattern` …) have `a*` counterparts too. Arguments and
    errors are those of `Backend`.
    """

    DEFAULT_CLIENT_CLASS = "django_valkey.client.DefaultClient"
