"""An in-memory server that replies as Valkey does.

pools         the connection pools that run batches on a store
store         one server: its databases and its clock
database      one numbered database: entries and their expiry; the table of commands
cluster       in-memory cluster nodes, and the clusters of one pool factory
arguments     parsing of arguments, with the server's errors
scripting     EVAL, EVALSHA
strings, keys, scan, sets, hashes, lists, sorted_sets: the other commands
"""

from dvcache.memory.pools import AsyncMemoryPool, MemoryPool, memory_store
from dvcache.memory.store import MemoryStore

__all__ = ["AsyncMemoryPool", "MemoryPool", "MemoryStore", "memory_store"]
