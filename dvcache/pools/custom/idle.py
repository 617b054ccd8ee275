"""End idle connections of valkey-py's pools, or all of them when their event loop ends."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty
from typing import Any, Final

from dvcache.pools.takeover import forget

_LOCK: Final = type(threading.Lock())
"""Class of locks that any thread may release; those of gevent and eventlet are different."""


def end_idle(pool: Any) -> None:
    """End the idle connections of a valkey-py pool.

    `BlockingConnectionPool.disconnect` cannot be used: it disconnects those in use as well.
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
        if connection is not None:  # None stands for a connection that was not made yet
            connection.disconnect()
    for connection in reversed(idle):  # the queue is a stack: restore its order
        places.put_nowait(connection)


def is_exhausted(pool: Any) -> bool:
    """Return True for a `BlockingConnectionPool` with all connections in use."""
    places = getattr(getattr(pool, "pool", None), "queue", None)  # read without the queue's lock
    return places is not None and not len(places)


def locks(pool: Any) -> list[Any]:
    """Return the locks that a valkey-py pool acquires for each connection."""
    found = (getattr(pool, "_lock", None), getattr(getattr(pool, "pool", None), "mutex", None))
    return [each for each in found if isinstance(each, _LOCK)]


def sentinels(pool: Any) -> Sequence[Any]:
    """Return valkey-py's clients of the sentinels that a pool queries; empty if there are none."""
    found: Sequence[Any] = getattr(getattr(pool, "sentinel_manager", None), "sentinels", ())
    return found


def end(connection: Any) -> None:
    """End a connection at once: drop its buffered writes, and do not wait for an unresponsive server."""
    writer = getattr(connection, "_writer", None)
    if writer is not None:
        forget(writer.transport)
        connection._writer = connection._reader = None  # noqa: SLF001  # otherwise its __del__ warns


async def aend_idle(pool: Any) -> None:
    """End the idle connections of an asynchronous valkey-py pool."""
    for sentinel in sentinels(pool):
        await aend_idle(sentinel.connection_pool)
    await pool.disconnect(inuse_connections=False)


def disconnect(pool: Any) -> None:
    """End every connection of a valkey-py pool, or of a `ValkeyCluster`, also those in use."""
    for sentinel in sentinels(pool):
        disconnect(sentinel.connection_pool)
    if not hasattr(pool, "get_nodes"):
        pool.disconnect()
        return
    for node in pool.get_nodes():
        if node.valkey_connection is not None:
            disconnect(node.valkey_connection.connection_pool)


def end_all(pool: Any) -> None:
    """End every connection of an asynchronous valkey-py pool, or `ValkeyCluster`, at once. Its loop may be closed."""
    for sentinel in sentinels(pool):
        end_all(sentinel.connection_pool)
    if hasattr(pool, "get_nodes"):
        for connection in [each for node in pool.get_nodes() for each in node._connections]:  # noqa: SLF001  # as below
            end(connection)
        pool._initialize = True  # noqa: SLF001  # otherwise its __del__ warns
        return
    for name in ("_available_connections", "_in_use_connections"):
        for connection in list(getattr(pool, name, ())):
            end(connection)


def uncount(pool: Any, connection: Any) -> None:
    """Remove an abandoned connection from those that a valkey-py pool counts as in use."""
    with suppress(AttributeError):  # a pool of another shape
        pool._in_use_connections.discard(connection)  # noqa: SLF001  # valkey-py offers no other way


def end_lost(pool: Any) -> None:
    """End the abandoned connections that an asynchronous valkey-py pool counts as in use."""
    for connection in list(getattr(pool, "_in_use_connections", ())):
        end(connection)
        uncount(pool, connection)
