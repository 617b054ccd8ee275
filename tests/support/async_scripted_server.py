"""A server in a thread that greets as Valkey does and then follows a script."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias

from tests.support.loop_threads import LoopThread

Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


async def command(reader: asyncio.StreamReader) -> list[bytes]:
    """Read one command; return an empty list at the end of the connection."""
    count = int((await reader.readline())[1:] or 0)
    parts = []
    for _ in range(count):
        size = int((await reader.readline())[1:])
        parts.append((await reader.readexactly(size + 2))[:-2])
    return parts


class Speaker:
    """A server on a free loopback port. Used as a context manager that returns the port.

    Args:
        talk: serves each connection after the greeting; the connection is closed when it returns.
        received: size of the receive buffer in bytes; None for the system's default.
    """

    def __init__(self, talk: Talk, *, received: int | None = None) -> None:
        self._talk = talk
        self._socket = socket.socket()
        if received is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, received)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = LoopThread("speaker")
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> int:
        self._thread.start()
        self._listener = self._thread.run(asyncio.start_server(self._accept, sock=self._socket))
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._close())
        self._thread.stop()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._thread.loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for _ in range(2):
                assert (await command(reader))[0] == b"CLIENT"  # SETINFO, part of valkey-py's greeting
                writer.write(b"+OK\r\n")
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
        finally:
            if writer.transport.get_write_buffer_size():
                await asyncio.sleep(0.05)
            writer.transport.abort()

    async def _close(self) -> None:
        self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)
