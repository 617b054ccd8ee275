"""Pools of valkey-py clients by key, shared by a process or by an event loop."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Hashable
from typing import Any, Final

from dvcache.pools.custom.idle import disconnect, end_all
from dvcache.pools.per_loop import PerLoop
from dvcache.process.fork import renewed_after_fork


class _LoopPools:
    """The pools of one event loop, by key."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: Final = loop
        self.pools: Final[dict[Hashable, Any]] = {}
        self.keeper: AsyncGenerator[None, None] | None = None

    def abort(self) -> None:
        """End every connection. The loop may be closed."""
        for pool in self.pools.values():
            end_all(pool)

    forget = abort


class SharedPools:
    """The pools of this process, and those of each event loop."""

    def __init__(self) -> None:
        self.pools: Final[dict[Hashable, Any]] = {}
        self.loops: Final[PerLoop[_LoopPools]] = PerLoop()
        self.lock = threading.RLock()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without pools and with a new lock, after a fork."""
        # The inherited pools stay referenced, so that no destructor runs on sockets that the parent still uses.
        _inherited.append(dict(self.pools))
        self.pools.clear()
        self.lock = threading.RLock()

    def of(self, loop: asyncio.AbstractEventLoop | None) -> dict[Hashable, Any]:
        """Return the pools of an event loop, or of the process, by key; forget those of closed loops."""
        if loop is None:
            return self.pools
        if (found := self.loops.get(loop)) is None:
            self.loops.sweep()
            self.loops.put(found := _LoopPools(loop))
        return found.pools

    async def keep(self) -> None:
        """Close the connections of the running loop's pools when that loop ends."""
        found = self.loops.get(asyncio.get_running_loop())
        if found is not None and found.keeper is None:
            await self.loops.keep(found)

    def close(self) -> None:
        """End every connection, those of an event loop on their loop. May be called from any thread."""
        with self.lock:
            pools = list(self.pools.values())
            self.pools.clear()
        for pool in pools:
            disconnect(pool)
        self.loops.close()


_inherited: Final[list[object]] = []
