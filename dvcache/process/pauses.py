"""Pauses of this thread or task: for a time, or until another caller's work is done. Performs `Sleep` and `Wait`."""

import asyncio
import threading
import time
from concurrent.futures import Future
from contextlib import suppress

from dvcache.deadline import left
from dvcache.effects import Sleep, Wait


def pause(step: Sleep | Wait, until: float | None = None) -> bool | None:
    """Block this thread, until the deadline at most; return None, or whether the awaited work is done.

    In an event loop's thread, wait only for work that says `anywhere`: other work may need that loop.
    """
    seconds = left(until, step.seconds) or 0
    if isinstance(step, Sleep):
        time.sleep(seconds)
        return None
    loop = asyncio._get_running_loop()  # noqa: SLF001  # documented for low-level code; the public one raises
    # Blocking an event loop's thread, or the thread that does the work, would be a deadlock.
    if (loop is None or step.anywhere) and step.thread != threading.get_ident():
        with suppress(TimeoutError):
            step.done.result(seconds)
    return step.done.done()


async def apause(step: Sleep | Wait, until: float | None = None) -> bool | None:
    """Pause as `pause` does, without blocking the loop. Unlike `asyncio.wrap_future`, giving up cancels no future."""
    seconds = left(until, step.seconds) or 0
    if isinstance(step, Sleep):
        await asyncio.sleep(seconds)
        return None
    if step.thread == threading.get_ident():
        return step.done.done()
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()

    def wake(_: Future[None]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(woken.set)

    step.done.add_done_callback(wake)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()
    return step.done.done()
