"""Methods of caches and clients on a cluster."""

from django_valkey._methods.generated.clusters import AsyncClusters, Clusters, ClustersCoroutines
from django_valkey._methods.methods import AsyncMethods, Coroutines, Methods


class ClusterCache(Clusters, Methods):  # type: ignore[misc]  # mset: a list with atomic=False, as django-valkey's
    """The methods of every cache, and the cluster methods."""


class AsyncClusterCache(AsyncClusters, AsyncMethods):  # type: ignore[misc]  # mset: a list with atomic=False, as django-valkey's
    """The methods of every async cache, and the cluster methods."""


class ClusterCoroutines(ClustersCoroutines, Coroutines):  # type: ignore[misc]  # mset: a list with atomic=False, as django-valkey's
    """The methods of `AsyncClusterCache`, under Django's `a*` names."""
