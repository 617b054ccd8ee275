"""Connections of valkey-py's pools that nobody uses, and how they are ended; and all of them, when their loop ends."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty
from typing import Any, Final

from dvcache.pools.takeover import forget

_LOCK: Final = type(threading.Lock())
"""The class of locks that any thread may release; gevent's and eventlet's are others."""


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


def is_exhausted(pool: Any) -> bool:
    """Return True for a `BlockingConnectionPool` whose connections are all in use."""
    places = getattr(getattr(pool, "pool", None), "queue", None)  # looked at without its lock
    return places is not None and not len(places)


def locks(pool: Any) -> list[Any]:
    """Return the locks that a pool of valkey-py's takes for each connection."""
    found = (getattr(pool, "_lock", None), getattr(getattr(pool, "pool", None), "mutex", None))
    return [each for each in found if isinstance(each, _LOCK)]


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
