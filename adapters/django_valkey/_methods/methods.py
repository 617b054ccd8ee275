"""The methods of caches and clients: the generated ones, and locks."""

from django_valkey._methods import locks
from django_valkey._methods.generated.all_methods import AllAsyncMethods, AllPrefixedMethods, AllSyncMethods
from dvcache.cache import AsyncCache, Cache


class Methods(AllSyncMethods, Cache):
    """The methods of `dvcache.Cache`, with django-valkey's arguments."""

    get_lock = lock = locks.get_lock


class AsyncMethods(AllAsyncMethods, AsyncCache):
    """The methods of `dvcache.AsyncCache`, with django-valkey's arguments."""

    get_lock = lock = locks.aget_lock


class Coroutines(AllPrefixedMethods):
    """The methods of `AsyncMethods`, under Django's `a*` names."""

    aget_lock = alock = locks.aget_lock
