"""Additional methods of caches and clients on a cluster, sync and async."""

from django_valkey._methods.coroutines import Coroutines
from django_valkey._methods.methods import AsyncMethods, Methods, taking_client
from dvcache.cache import aio, sync
from dvcache.operations import clusters


@taking_client
class ClusterCache(Methods):
    """The methods of every cache, and the cluster methods."""

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


@taking_client
class AsyncClusterCache(AsyncMethods):
    """The methods of every async cache, and the cluster methods."""

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


@taking_client
class ClusterCoroutines(Coroutines):
    """The methods of `AsyncClusterCache`, under Django's `a*` names."""

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
