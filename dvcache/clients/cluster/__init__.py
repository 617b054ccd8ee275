"""Cluster: slots, the nodes that own them, and routing while slots move."""

from dvcache.clients.cluster.client import AsyncCluster, AsyncPrimaries, Cluster, Primaries
from dvcache.clients.cluster.discovery import Discovery

__all__ = ["AsyncCluster", "AsyncPrimaries", "Cluster", "Discovery", "Primaries"]
