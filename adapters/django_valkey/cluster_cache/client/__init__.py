"""The clients of clusters that CLIENT_CLASS may name."""

from django_valkey.cluster_cache.client.default import AsyncDefaultClusterClient, DefaultClusterClient

__all__ = ["AsyncDefaultClusterClient", "DefaultClusterClient"]
