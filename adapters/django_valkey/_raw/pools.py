"""The shared pools of raw clients: one per factory, options and parameters, for the process or an event loop."""

from typing import Final

from dvcache.pools.custom.shared_pools import SharedPools

shared: Final = SharedPools()
