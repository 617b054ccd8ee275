"""The methods of caches and clients: the generated ones, and locks."""

from django_valkey._methods.generated.all_methods import AllAsyncMethods, AllPrefixedMethods, AllSyncMethods
from django_valkey._methods.locks import AsyncLocks, Locks, PrefixedLocks
from dvcache.cache import AsyncCache, Cache


class Methods(AllSyncMethods, Locks, Cache):  # pyright: ignore[reportIncompatibleMethodOverride]  # keywords by position too
    """The methods of `dvcache.Cache`, with django-valkey's arguments."""


class AsyncMethods(AllAsyncMethods, AsyncLocks, AsyncCache):  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
    """The methods of `dvcache.AsyncCache`, with django-valkey's arguments."""


class Coroutines(AllPrefixedMethods, PrefixedLocks):
    """The methods of `AsyncMethods`, under Django's `a*` names."""
