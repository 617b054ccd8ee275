"""`DefaultClusterClient`: the operations of an alias on a cluster, and valkey-py's client of it, in both colours."""

from django_valkey.async_cache.client.default import AsyncDefaultClient
from django_valkey.client.default import DefaultClient
from django_valkey.cluster_cache.operations import AsyncClusterCache, ClusterCache


class DefaultClusterClient(ClusterCache, DefaultClient):
    """The client of a cluster, some or all of whose nodes LOCATION names. Arguments are those of `BaseClient`."""

    CONNECTION_FACTORY_PATH = "django_valkey.cluster_cache.pool.ClusterConnectionFactory"


class AsyncDefaultClusterClient(AsyncClusterCache, AsyncDefaultClient):
    """The asynchronous client of a cluster."""

    CONNECTION_FACTORY_PATH = "django_valkey.cluster_cache.pool.AsyncClusterConnectionFactory"
