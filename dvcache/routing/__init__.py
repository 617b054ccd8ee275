"""Routing: divide batches among servers and merge their replies. Nothing here does I/O.

commands          positions of keys, read-only commands, merging of replies
plan              divides a batch and merges its replies
flow              the steps of a batch: attempts, exchanges, questions, pauses
replica_balancer  round robin over replicas
replica_lag       replication offsets and allowed lag
slots             hash slots
ring              consistent hashing
lease_keys        names of leases
"""
