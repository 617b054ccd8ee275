"""Clients: run batches on a topology.

build             the client of a topology, sync or async
runner            the client, sync and async: performs what a routing says
exchange          runs batches on several clients at once
pool_adapter      adds to a pool what the runners need
standalone        routing to one server
replicated        routing to a primary and its replicas
sharded           routing to independent servers, with the keys distributed by consistent hashing
cluster           routing to the nodes of a cluster
loss_limit        limits the time lost to unresponsive servers
loop_warning      warns about blocking calls inside a running event loop
"""
