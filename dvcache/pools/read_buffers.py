"""Connection classes by event loop: asyncio's own loop reads into a buffer of the connection.

After a KeyboardInterrupt, asyncio's loop continues, but loses data that it had read for a callback that did not start.
The buffer reveals that. uvloop ends the connection by itself.
"""

import asyncio
import os
from typing import Final

from typing_extensions import override

from dvcache.pools.async_connection import BUFFER, MultiplexedConnection
from dvcache.types import Endpoint

MARK: Final = os.urandom(8)
"""First bytes of a buffer whose content has been parsed."""


class BufferedConnection(MultiplexedConnection, asyncio.BufferedProtocol):
    """A multiplexed connection on asyncio's own event loop, which reads into a buffer of the connection.

    That loop continues after a KeyboardInterrupt or SystemExit and drops the bytes of a `data_received` that was
    interrupted before its first instruction. `is_reading` is still set then.
    """

    __slots__ = ("_buffer", "_view", "is_reading")

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(endpoint, loop)
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self.is_reading = False

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        if self.is_reading:
            self.unusable = True  # the previous read was lost; `buffer_updated` ends the connection
        self.is_reading = True
        return self._view

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(self._view[:nbytes])
        self.is_reading = False


class MarkedConnection(BufferedConnection):
    """A TLS connection. asyncio also requests the buffer if nothing can be read, so the buffer's content is checked."""

    __slots__ = ()

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(endpoint, loop)
        self._buffer[: len(MARK)] = MARK

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        if not self._buffer.startswith(MARK):
            self.unusable = True  # the previous read was lost, as above
        return self._view

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(self._view[:nbytes])
        self._buffer[: len(MARK)] = MARK


def multiplexed_connection(endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> MultiplexedConnection:
    """Return a new multiplexed connection of the loop, not yet open."""
    # uvloop ends a transport after any exception, and passing bytes costs less there than filling a buffer.
    if not isinstance(loop, asyncio.BaseEventLoop):
        return MultiplexedConnection(endpoint, loop)
    return (MarkedConnection if endpoint.scheme == "valkeys" else BufferedConnection)(endpoint, loop)
