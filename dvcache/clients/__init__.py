"""Clients: each class runs batches on one topology.

build             the client of a topology, sync or async
standalone        one server
replicated        a primary and its replicas
sharded           independent servers, with the keys distributed by consistent hashing
cluster           a cluster
batch_deadline    the outermost client: the deadline of each batch
primary_moves     detects failover behind a DNS name
loop_warning      warns about blocking calls inside a running event loop
"""
