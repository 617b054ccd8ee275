"""Cluster client: run batches on the owners of their slots, also while slots move.

client      the client, sync and async
router      divides a batch among the owners of its keys
pending     the commands of a batch, routed one by one
redirects   MOVED, ASK, TRYAGAIN, CLUSTERDOWN and lost connections
slot_table  the owner of each slot
discovery   the nodes, and refreshes of the slot table
"""

from dvcache.clients.cluster.client import AsyncCluster, AsyncPrimaries, Cluster, Primaries
from dvcache.clients.cluster.discovery import Discovery

__all__ = ["AsyncCluster", "AsyncPrimaries", "Cluster", "Discovery", "Primaries"]
