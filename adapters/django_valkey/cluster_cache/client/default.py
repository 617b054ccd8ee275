"""`DefaultClusterClient`: the operations of an alias on a cluster, and its valkey-py client; sync and async."""

from django_valkey._methods.cluster import AsyncClusterCache, ClusterCache
from django_valkey.async_cache.client.default import AsyncDefaultClient
from django_valkey.client.default import DefaultClient


class DefaultClusterClient(ClusterCache, DefaultClient):  # type: ignore[misc]  # mset, as in ClusterCache
    """Client of a cluster. LOCATION lists some or all of its nodes. Arguments are those of `BaseClient`."""

    CONNECTION_FACTORY_PATH = "django_valkey.cluster_cache.pool.ClusterConnectionFactory"


class AsyncDefaultClusterClient(AsyncClusterCache, AsyncDefaultClient):  # type: ignore[misc]  # as above
    """Async client of a cluster."""

    CONNECTION_FACTORY_PATH = "django_valkey.cluster_cache.pool.AsyncClusterConnectionFactory"
