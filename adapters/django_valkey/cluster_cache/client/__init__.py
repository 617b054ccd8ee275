"""Client classes for clusters, sync and async, for CLIENT_CLASS."""

from django_valkey.cluster_cache.client.default import AsyncDefaultClusterClient, DefaultClusterClient

__all__ = ["AsyncDefaultClusterClient", "DefaultClusterClient"]
