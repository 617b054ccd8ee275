"""What a cluster's caches and clients have beside the others' methods, in both colours."""

from django_valkey.coroutines import Coroutines
from dvcache.cache import AsyncCache, Cache, aio, sync
from dvcache.operations import clusters


class ClusterCache(Cache):
    """The methods of `dvcache.Cache`, and those of clusters."""

    keyslot = sync(clusters.keyslot)
    flushall = sync(clusters.flushall)
    keys = sync(clusters.keys)
    mset = sync(clusters.mset)  # type: ignore[arg-type]  # a list with atomic=False, as django-valkey's
    msetnx = sync(clusters.msetnx)
    mset_nonatomic = sync(clusters.mset_nonatomic)
    mget_nonatomic = sync(clusters.mget_nonatomic)
    readonly = sync(clusters.readonly)
    readwrite = sync(clusters.readwrite)
    invalidate_key_from_cache = sync(clusters.invalidate_key_from_cache)


class AsyncClusterCache(AsyncCache):
    """The methods of `dvcache.AsyncCache`, and those of clusters."""

    keyslot = aio(clusters.keyslot)
    flushall = aio(clusters.flushall)
    keys = aio(clusters.keys)
    mset = aio(clusters.mset)  # type: ignore[arg-type]  # a list with atomic=False, as django-valkey's
    msetnx = aio(clusters.msetnx)
    mset_nonatomic = aio(clusters.mset_nonatomic)
    mget_nonatomic = aio(clusters.mget_nonatomic)
    readonly = aio(clusters.readonly)
    readwrite = aio(clusters.readwrite)
    invalidate_key_from_cache = aio(clusters.invalidate_key_from_cache)


class ClusterCoroutines(Coroutines):
    """The methods of `AsyncClusterCache` by the names that Django gives coroutines."""

    akeyslot = aio(clusters.keyslot)
    aflushall = aio(clusters.flushall)
    akeys = aio(clusters.keys)
    amset = aio(clusters.mset)  # type: ignore[arg-type]  # a list with atomic=False, as django-valkey's
    amsetnx = aio(clusters.msetnx)
    amset_nonatomic = aio(clusters.mset_nonatomic)
    amget_nonatomic = aio(clusters.mget_nonatomic)
    areadonly = aio(clusters.readonly)
    areadwrite = aio(clusters.readwrite)
    ainvalidate_key_from_cache = aio(clusters.invalidate_key_from_cache)
