"""Work that goes on when its caller has gone: tasks of event loops, kept and ended by a container."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from dvcache.pools.forking import renewed_after_fork

logger = logging.getLogger(__name__)


class Background:
    """The tasks of one container, on any number of event loops. What one raises is logged, since nobody awaits it."""

    def __init__(self) -> None:
        self._closed = False
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without tasks: in a forked child the event loops of the old ones are the parent's."""
        self._tasks: set[asyncio.Task[object]] = set()
        """Changed by single operations of a set, without a lock: an eager task runs while it is created."""

    def start(self, work: Coroutine[Any, Any, object], /) -> None:
        """Run a coroutine as a task of the running event loop; once closed, not at all."""
        if self._is_closed():
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if self._is_closed():  # meanwhile, and it may not have seen this one
            task.cancel()

    def close(self) -> None:
        """Cancel every task, on whatever loop, without waiting for its end."""
        for task in self._all():
            with suppress(RuntimeError):  # its loop is closed, and it with it
                task.get_loop().call_soon_threadsafe(task.cancel)

    async def aclose(self) -> None:
        """Cancel every task, and wait for the end of those on the running loop."""
        self.close()
        own = [task for task in self._all() if task.get_loop() is asyncio.get_running_loop()]
        if own:
            await asyncio.wait(own)

    def _is_closed(self) -> bool:
        return self._closed

    def _all(self) -> list["asyncio.Task[object]"]:
        self._closed = True
        return list(self._tasks)

    def _ended(self, task: "asyncio.Task[object]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a refresh in the background failed: %s", type(error).__name__, exc_info=error)
