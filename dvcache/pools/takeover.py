"""Take over the transport of an asynchronous connection from valkey-py after connecting and handshake."""

import asyncio
import select
import sys
from collections.abc import Callable
from typing import Any, Final

from dvcache.pools.connect import aconnect, async_connection, located
from dvcache.types import Endpoint

_POLL: Final = getattr(select, "poll", None)


def _outq() -> Callable[[int, bytes], bytes] | None:
    """Return a function that queries the unacknowledged bytes of a socket on Linux; None on other systems."""
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415  # missing on Windows
    import termios  # noqa: PLC0415  # as above

    def ask(descriptor: int, answer: bytes) -> bytes:
        return fcntl.ioctl(descriptor, termios.TIOCOUTQ, answer)

    return ask


_OUTQ: Final = _outq()


async def opened(endpoint: Endpoint, protocol: asyncio.BaseProtocol) -> tuple[asyncio.StreamWriter, str]:
    """Connect, and make a protocol the transport's.

    Returns:
        The writer, and the reason if the connection has ended already, else "". Keep the writer: its `__del__` closes
        the transport.

    Raises:
        ConnectError: the server could not be reached within the connect timeout.
        ServerError: the server refused the credentials or the database.
    """
    where = endpoint
    if endpoint.scheme == "embedded":
        where = await asyncio.to_thread(located, endpoint)
    connection: Any = async_connection(where)
    try:
        await aconnect(connection, endpoint)
        writer, stream = connection._writer, connection._reader  # noqa: SLF001  # valkey-py has no public names
        if ended := _ended(writer.transport, stream, connection._parser):  # noqa: SLF001  # as above
            return writer, ended
        writer.transport.pause_reading()  # uvloop checks the protocol's kind only when reading starts
        writer.transport.set_protocol(protocol)
        writer.transport.resume_reading()
        connection._writer = connection._reader = None  # noqa: SLF001  # disconnect() would close, and can hang
        return writer, ""
    finally:
        if (writer := connection._writer) is not None:  # noqa: SLF001  # connecting failed or was cancelled
            writer.transport.abort()  # not disconnect(), which may wait for the server
            connection._writer = connection._reader = None  # noqa: SLF001  # as above


def _ended(transport: asyncio.WriteTransport, stream: Any, parser: Any) -> str:
    """Return why a new connection cannot be used; empty if it can."""
    parsed = getattr(parser, "_reader", None)
    more = parsed is not None and (parsed.has_data() or not getattr(parsed, "is_whole", True))
    if stream._buffer or more:  # noqa: SLF001  # asyncio offers no other way
        return "protocol error (more replies than commands)"
    if transport.is_closing() or stream.at_eof() or stream.exception() is not None:
        return "the server closed the connection"
    return ""


def is_readable(transport: asyncio.BaseTransport) -> bool:
    """Return True if bytes, or the end of the connection, can be read from a transport's socket."""
    sock = transport.get_extra_info("socket")
    if _POLL is None or sock is None or sock.fileno() < 0:
        return False
    poll = _POLL()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def unsent(transport: Any) -> int:
    """Return the number of unsent bytes: in the transport, in the one below asyncio's TLS, and in the system."""
    inner = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    size: int = transport.get_write_buffer_size() + _unsent_by_system(transport)
    return size if inner is None else size + inner.get_write_buffer_size()


def _unsent_by_system(transport: asyncio.BaseTransport) -> int:
    sock = transport.get_extra_info("socket")
    if _OUTQ is None or sock is None or sock.fileno() < 0:
        return 0
    try:
        answer = _OUTQ(sock.fileno(), bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


def forget(transport: asyncio.WriteTransport) -> None:
    """Close a transport at once, even if its loop is closed."""
    try:
        transport.abort()
    except RuntimeError:  # the loop is closed: finish what abort() would have scheduled there
        finish = getattr(transport, "_call_connection_lost", None)
        if finish is not None:
            finish(None)
