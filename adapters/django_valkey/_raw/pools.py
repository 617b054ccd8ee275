"""Shared pools of raw clients: one per factory, options and parameters, for the process or an event loop."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Hashable
from typing import Any, Final

from dvcache.pools.custom.idle import end_all
from dvcache.process.fork import renewed_after_fork


class _Shared:
    """The pools of this process, and async generators that close the pools of an event loop with it."""

    def __init__(self) -> None:
        self.pools: Final[dict[Hashable, Any]] = {}
        self.keepers: Final[dict[Hashable, AsyncGenerator[None, None]]] = {}
        self.lock = threading.RLock()

    def renew(self) -> None:
        """Start without pools and with a new lock, after a fork."""
        # The inherited pools stay referenced, so that no destructor runs on sockets that the parent still uses.
        _inherited.append((dict(self.pools), dict(self.keepers)))
        self.pools.clear()
        self.keepers.clear()
        self.lock = threading.RLock()

    def forget_ended_loops(self) -> None:
        """Remove the pools of closed event loops."""
        # A copy: pools are removed in this loop, and by `_kept` of other event loops.
        for key in list(self.pools):
            owner = key[-1] if isinstance(key, tuple) else None
            if isinstance(owner, asyncio.AbstractEventLoop) and owner.is_closed():
                self.keepers.pop(key, None)
                end_all(self.pools.pop(key))

    async def keep(self, pool: Any) -> None:
        """Close a pool's connections when the running loop ends."""
        # asyncio finalizes a started async generator in `loop.shutdown_asyncgens()`, which asyncio.run() calls.
        key = next((key for key, each in list(self.pools.items()) if each is pool), None)
        if key is not None and key not in self.keepers:
            self.keepers[key] = self._kept(key, pool)
            await anext(self.keepers[key])

    async def _kept(self, key: Hashable, pool: Any) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self.pools.pop(key, None)
            self.keepers.pop(key, None)
            end_all(pool)


_inherited: Final[list[object]] = []
shared: Final = _Shared()
renewed_after_fork(shared)
