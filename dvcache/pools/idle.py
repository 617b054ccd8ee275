"""Connections of valkey-py's pools that nobody uses, and how they are ended; and all of them, when their loop ends."""

from collections.abc import Sequence
from contextlib import suppress
from queue import Empty
from typing import Any, Final

from dvcache.pools.takeover import forget

_HELD: Final = 1.0
"""Seconds for which nobody holds the lock of a queue."""


def end_idle(pool: Any) -> None:
    """End the connections of a pool of valkey-py's that nobody uses.

    A `BlockingConnectionPool` disconnects those in use as well when it is asked to disconnect.
    """
    for sentinel in sentinels(pool):
        end_idle(sentinel.connection_pool)
    places: Any = getattr(pool, "pool", None)
    if not hasattr(places, "get_nowait"):  # a list; and eventlet's LifoQueue is no Queue
        pool.disconnect(inuse_connections=False)
        return
    idle: list[Any] = []
    with suppress(Empty):
        while True:
            idle.append(places.get_nowait())
    for connection in idle:
        if connection is not None:
            connection.disconnect()
    for connection in reversed(idle):
        places.put_nowait(connection)


def unlock(pool: Any) -> None:
    """Release the lock of a pool's queue if the thread that held it was struck by an exception.

    `threading.Condition` enters its lock in Python code, where an exception may come between the lock and the block
    that releases it. Nobody holds it for a second otherwise.
    """
    mutex: Any = getattr(getattr(pool, "pool", None), "mutex", None)  # eventlet's queue has none
    if mutex is not None:
        mutex.acquire(timeout=_HELD)
        with suppress(RuntimeError):
            mutex.release()  # this thread's, or the one that was left behind


def sentinels(pool: Any) -> Sequence[Any]:
    """Return valkey-py's clients of the sentinels that a pool asks; none if it asks none."""
    found: Sequence[Any] = getattr(getattr(pool, "sentinel_manager", None), "sentinels", ())
    return found


def end(connection: Any) -> None:
    """End a connection at once: what is in its buffers is not sent, and a hung server not waited for."""
    writer = getattr(connection, "_writer", None)
    if writer is not None:
        forget(writer.transport)
        connection._writer = connection._reader = None  # noqa: SLF001  # else its __del__ warns that it is open


async def aend_idle(pool: Any) -> None:
    """End the connections of an asynchronous pool of valkey-py's that nobody uses."""
    for sentinel in sentinels(pool):
        await aend_idle(sentinel.connection_pool)
    await pool.disconnect(inuse_connections=False)


def end_all(pool: Any) -> None:
    """End every connection of an asynchronous pool of valkey-py's, at once; its loop may be closed."""
    for sentinel in sentinels(pool):
        end_all(sentinel.connection_pool)
    for name in ("_available_connections", "_in_use_connections"):
        for connection in list(getattr(pool, name, ())):
            end(connection)
