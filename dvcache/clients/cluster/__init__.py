"""Cluster: run batches on the owners of their slots, also while slots move.

router      routing: divides a batch among the owners of its keys
pending     the commands of a batch, routed one by one
redirects   MOVED, ASK, TRYAGAIN, CLUSTERDOWN and lost connections
slot_table  the owner of each slot
node_pools  the pools of the nodes, by address
discovery   refreshes of the slot table
"""

from dvcache.clients.cluster.discovery import Discovery
from dvcache.clients.cluster.router import Router

__all__ = ["Discovery", "Router"]
