"""Connections that ask for pushes: CLIENT TRACKING tells of every key that is written."""

import inspect
from typing import Any


def track(connection: Any) -> Any:
    """Greet as valkey-py does, and have the server push what happens to the keys that were read."""
    greeted = connection.on_connect()
    return _atrack(connection, greeted) if inspect.isawaitable(greeted) else _tracked(connection)


def _tracked(connection: Any) -> None:
    connection.send_command("CLIENT", "TRACKING", "ON")
    assert connection.read_response() == b"OK"


async def _atrack(connection: Any, greeted: Any) -> None:
    await greeted
    await connection.send_command("CLIENT", "TRACKING", "ON")
    assert await connection.read_response() == b"OK"


async def atrack(connection: Any) -> None:
    """Greet as `track`; valkey-py awaits what it knows for a coroutine function."""
    await track(connection)
