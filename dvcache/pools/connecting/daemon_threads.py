"""Run blocking functions in daemon threads, so that callers can stop waiting: `getaddrinfo`, a user's function.

An event loop's executor is not used, because its shutdown would wait for the threads.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import TypeVar

from dvcache.pools.connecting.budget import left_or_raise

T = TypeVar("T")


def in_thread(function: Callable[[], T], name: str) -> "Future[T]":
    """Run a function in a thread, in a copy of the caller's context; in this thread if none can be started."""
    future = Future[T]()
    future.set_running_or_notify_cancel()  # no waiter can cancel it
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
        future: the result of `in_thread`.
        until: deadline in `time.monotonic()` seconds; None for no limit.

    Raises:
        TimeoutError: the deadline has passed.
    """
    try:
        return future.result(left_or_raise(until))
    except FutureTimeout:
        if future.done():  # raised by the function itself
            raise
        raise TimeoutError from None


async def awaited(future: "Future[T]") -> T:
    """Return the result. Cancelling the caller leaves the thread running."""
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
    elif isinstance(error, StopIteration):  # asyncio futures refuse it
        waiter.set_exception(RuntimeError("StopIteration"))
    else:
        waiter.set_exception(error)
