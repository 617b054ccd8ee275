"""Background tasks on event loops that may outlive their caller; kept and cancelled by a container."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from dvcache.process.fork import renewed_after_fork

logger = logging.getLogger(__name__)


class BackgroundTasks:
    """The background tasks of one container, on any number of event loops. Exceptions are logged."""

    def __init__(self) -> None:
        self._closed = False
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget all tasks: after a fork, their event loops belong to the parent."""
        self._tasks: set[asyncio.Task[object]] = set()
        """Changed only by single set operations, without a lock: an eager task runs while it is being created."""

    def start(self, work: Coroutine[Any, Any, object], /) -> None:
        """Run a coroutine as a task of the running event loop; discard it if the container is closed."""
        if self._is_closed():
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if self._is_closed():  # closed in between; `close` may have missed this task
            task.cancel()

    def close(self) -> None:
        """Cancel every task, on every loop, without waiting for it to end."""
        for task in self._all():
            with suppress(RuntimeError):  # the task's loop is closed
                task.get_loop().call_soon_threadsafe(task.cancel)

    async def aclose(self) -> None:
        """Cancel every task, and wait for those on the running loop to end."""
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
            logger.error("background recomputation failed: %s", type(error).__name__, exc_info=error)
