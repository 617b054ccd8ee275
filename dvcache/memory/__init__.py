"""An in-memory server that replies as Valkey does: `pools` reach it, `store` is one server, `database` what it holds.

The commands stand by what they work on: `strings`, `counters`, `keys`, `expiry`, `scan`, `server`, `scripting`,
`sets`, `hashes` and their `fields`, `lists`, `sorted_sets`; `scripts` are the Python twins of the Lua scripts that it
knows.
"""

from dvcache.memory.pools import AsyncMemoryPool, MemoryPool, memory_store
from dvcache.memory.store import MemoryStore

__all__ = ["AsyncMemoryPool", "MemoryPool", "MemoryStore", "memory_store"]
