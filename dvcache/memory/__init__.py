"""An in-memory server that replies as Valkey does.

pools         the connection pools that run batches on a store
store         one server: its databases, its clock, its table of commands
database      one numbered database: entries and their expiry
cluster       in-memory cluster nodes, and the clusters of one pool factory
arguments     parsing of arguments, with the server's errors
script_table  the Python versions of the library's Lua scripts
scripting     EVAL, EVALSHA, SCRIPT
strings, counters, keys, expiry, scan, server, sets, hashes, fields, lists, sorted_sets: the other commands
"""

from dvcache.memory.pools import AsyncMemoryPool, MemoryPool, memory_store
from dvcache.memory.store import MemoryStore

__all__ = ["AsyncMemoryPool", "MemoryPool", "MemoryStore", "memory_store"]
