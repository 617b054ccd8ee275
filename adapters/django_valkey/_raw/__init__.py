"""Raw clients: valkey-py clients for an alias, and their pools.

pools                 shared pools
freeze                hashable settings, the keys of the pools
connection_arguments  arguments of their connections
sharding              the base of the shard clients
replaced_pools        rejects raw clients while a test replaces the pools
"""
