"""`ClusterValkeyCache`: the backend on a cluster, for sync and async code alike."""

from django_valkey.cache import ValkeyCache
from django_valkey.cluster_cache.operations import ClusterCache, ClusterCoroutines


class ClusterValkeyCache(ClusterCache, ClusterCoroutines, ValkeyCache):  # type: ignore[misc]  # as ValkeyCache
    """A `ValkeyCache` whose LOCATION names nodes of a cluster, with the methods of clusters and their `a*` twins."""

    DEFAULT_CLIENT_CLASS = "django_valkey.cluster_cache.client.DefaultClusterClient"
