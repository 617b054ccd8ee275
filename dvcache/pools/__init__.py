"""Pools of connections to one server: blocking, multiplexed on an event loop, in memory, embedded.

valkey-py makes and secures the connections (`connections`); the pools here run the commands on them.
"""
