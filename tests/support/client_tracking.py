"""Connections that request pushes: CLIENT TRACKING reports every written key."""

import inspect
from typing import Any


def track(connection: Any) -> Any:
    """Greet as valkey-py does, and request pushes for the keys that are read."""
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
    """Greet as `track` does; valkey-py awaits a known coroutine function."""
    await track(connection)
