"""`ValkeyCache`: the backend for sync and async code alike."""

import valkey

from django_valkey.base import BackendCommands, BaseValkeyCache
from django_valkey.client.default import DefaultClient


class DecoratedBackendCommands(BackendCommands):
    """The methods of `BackendCommands`, by the name of those that IGNORE_EXCEPTIONS covers: here it covers all."""


class ValkeyCache(BaseValkeyCache[DefaultClient, valkey.Valkey], DecoratedBackendCommands):  # type: ignore[misc]  # as above
    """A cache whose `a*` methods are native coroutines, and whose others wait for the server.

    Both use the same entries. The methods beyond Django's (`ttl`, `expire`, `iter_keys`, `delete_pattern` …) have their
    `a*` twins too. Arguments and errors are those of `Backend`.
    """

    DEFAULT_CLIENT_CLASS = "django_valkey.client.DefaultClient"
