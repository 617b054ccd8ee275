"""Connections to one server: lean and synchronous, multiplexed on an event loop, in memory, embedded.

valkey-py makes and secures the connections (`connections`); what runs the commands on them is here.
"""
