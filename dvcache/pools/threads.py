"""Blocking functions in daemon threads, so that a caller can stop waiting for one: `getaddrinfo`, a user's function.

The threads are not those of an event loop's executor, whose end would wait for them.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import TypeVar

from dvcache.pools.budgets import left

T = TypeVar("T")


def in_thread(function: Callable[[], T], name: str) -> "Future[T]":
    """Call a function in a thread, in a copy of the caller's context; in this thread where there are no others."""
    future = Future[T]()
    future.set_running_or_notify_cancel()
    context = contextvars.copy_context()
    thread = threading.Thread(target=_run, args=(context, function, future), name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        _run(context, function, future)
    return future


def _run(context: contextvars.Context, function: Callable[[], T], future: "Future[T]") -> None:
    try:
        result = context.run(function)
    except BaseException as error:  # noqa: BLE001  # the caller raises it
        future.set_exception(error)
    else:
        future.set_result(result)


def awaited_until(future: "Future[T]", until: float | None) -> T:
    """Return the result.

    Args:
        future: of `in_thread`.
        until: `time.monotonic()` by which it must be there; None waits for ever.

    Raises:
        TimeoutError: it is not there by then.
    """
    try:
        return future.result(left(until))
    except FutureTimeout:
        if future.done():  # the function's own
            raise
        raise TimeoutError from None


async def awaited(future: "Future[T]") -> T:
    """Return the result. A caller that is cancelled leaves the thread alone."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[T] = loop.create_future()

    def wake(_: object) -> None:
        with suppress(RuntimeError):  # the loop may be closed
            loop.call_soon_threadsafe(_pass_on, future, waiter)

    future.add_done_callback(wake)
    return await waiter


def _pass_on(done: "Future[T]", waiter: "asyncio.Future[T]") -> None:
    if waiter.done():
        return
    if (error := done.exception()) is None:
        waiter.set_result(done.result())
    elif isinstance(error, StopIteration):  # no future holds one
        waiter.set_exception(RuntimeError("StopIteration"))
    else:
        waiter.set_exception(error)
