"""`ClusterValkeyCache`: the backend for a cluster, for both sync and async code."""

from django_valkey._methods.cluster import ClusterCache, ClusterCoroutines
from django_valkey.cache import ValkeyCache


class ClusterValkeyCache(ClusterCache, ClusterCoroutines, ValkeyCache):  # type: ignore[misc]  # as ValkeyCache
    """A `ValkeyCache` on a cluster, with the cluster methods and their `a*` counterparts. LOCATION lists some nodes."""

    DEFAULT_CLIENT_CLASS = "django_valkey.cluster_cache.client.DefaultClusterClient"
