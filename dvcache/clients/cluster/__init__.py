"""A cluster: slots, the nodes that own them, and how batches find them while they move."""

from dvcache.clients.cluster.client import AsyncCluster, AsyncReplicaReads, Cluster, ReplicaReads
from dvcache.clients.cluster.nodes import Nodes

__all__ = ["AsyncCluster", "AsyncReplicaReads", "Cluster", "Nodes", "ReplicaReads"]
