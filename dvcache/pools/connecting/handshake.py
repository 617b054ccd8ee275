"""Sockets and streams during the handshake: bounded by the budget, with a copy of the first bytes for errors.

A server that accepts no more clients sends an error unprompted and closes the connection. A write may then fail before
that error is read.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any, Final, TypeVar

from typing_extensions import override
from valkey.exceptions import ValkeyError

from dvcache.error_replies import without_arguments
from dvcache.pools.connecting.budget import left_or_raise

E = TypeVar("E", bound=BaseException)

_REMEMBERED: Final = 512
"""Bytes kept of the server's first replies."""

_TELLING: Final = 4
"""Minimum length of a password that is removed from texts; shorter ones occur in other words."""

_EXPECTED: Final = ("setinfo", "setname", "unknown", "syntax")
"""Parts of errors that valkey-py ignores: an old server does not support an optional command."""


def refusal_in(said: bytes) -> str:
    """Return the first error reply of a server that closed the connection; empty if there is none."""
    for line in said.split(b"\r\n"):
        text = without_arguments(line[1:].decode(errors="replace"))
        if line.startswith(b"-") and not any(part in text.casefold() for part in _EXPECTED):
            return text
    return ""


def bare(error: E, password: object = None) -> E:
    """Remove what could reveal credentials from an error of the handshake.

    Arguments quoted by the server are cut. Tracebacks are dropped too, here and in chained errors: the frames of
    valkey-py hold the credentials, and error reports show local variables.

    Args:
        error: the error of valkey-py; one of a user's own class, or an interrupt, stays unchanged.
        password: removed from all texts.
    """
    seen: list[BaseException] = []
    found: BaseException | None = error if isinstance(error, ValkeyError | OSError) else None
    while found is not None and found not in seen:
        seen.append(found)
        found.__traceback__ = None
        if isinstance(found, ValkeyError):
            found.args = tuple(_quiet(each, password) for each in found.args)
        found = found.__cause__ or found.__context__
    return error


def _quiet(text: object, password: object) -> object:
    if not isinstance(text, str):
        return text
    word = password.decode(errors="replace") if isinstance(password, bytes) else password
    known = isinstance(word, str) and len(word) >= _TELLING
    return without_arguments(text.replace(str(word), "…") if known else text)


class GreetedSocket:
    """A socket whose reads and writes end with the budget, until `settle`.

    Args:
        sock: the connected socket; other attributes are delegated to it.
        until: deadline of the handshake in `time.monotonic()` seconds; None for no limit.
    """

    def __init__(self, sock: Any, until: float | None) -> None:
        self.sock, self._until = sock, until
        self._said = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def recv_into(self, buffer: Any, *rest: int) -> int:
        """Read into the buffer, within the budget."""
        self._bound()
        count: int = self.sock.recv_into(buffer, *rest)
        self._remember(bytes(memoryview(buffer)[:count]))
        return count

    def recv(self, *args: int) -> bytes:
        """Read, within the budget."""
        self._bound()
        data: bytes = self.sock.recv(*args)
        self._remember(data)
        return data

    def sendall(self, data: Any) -> None:
        """Write, within the budget."""
        self._bound()
        try:
            self.sock.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            self._read_last()
            raise

    @property
    def said(self) -> bytes:
        """The first bytes from the server."""
        return bytes(self._said)

    @property
    def unread(self) -> bytes:
        """Unread bytes after the handshake; a server that accepts the connection sends none."""
        if hasattr(self.sock, "pending"):  # TLS does not support MSG_PEEK
            return b""
        try:
            self.sock.settimeout(0)
            unread: bytes = self.sock.recv(_REMEMBERED, socket.MSG_PEEK)
        except OSError:
            return b""
        return unread

    def settle(self) -> Any:
        """Stop bounding reads and writes; return the socket."""
        self.recv_into, self.recv, self.sendall = self.sock.recv_into, self.sock.recv, self.sock.sendall  # type: ignore[method-assign]  # saves the parser a look-up
        return self.sock

    def _bound(self) -> None:
        if self._until is not None:
            self.sock.settimeout(left_or_raise(self._until))

    def _remember(self, data: bytes) -> None:
        if len(self._said) < _REMEMBERED:
            self._said += data[:_REMEMBERED]

    def _read_last(self) -> None:
        with suppress(OSError):
            self.sock.settimeout(0)
            self._remember(self.sock.recv(_REMEMBERED))


class GreetedStream(asyncio.StreamReader):
    """A stream that keeps a copy of the first bytes.

    Args:
        sock: a duplicate of the connection's socket, which outlives the transport's; None with TLS.
    """

    def __init__(self, sock: socket.socket | None) -> None:
        super().__init__(limit=2**16, loop=asyncio.get_running_loop())
        self._copy = sock
        self._said = bytearray()

    @override
    def feed_data(self, data: Any) -> None:
        if len(self._said) < _REMEMBERED:
            self._said += data[:_REMEMBERED]
        super().feed_data(data)

    @property
    def said(self) -> bytes:
        """The first bytes from the server, including those that the transport did not read."""
        if self._copy is not None:
            with suppress(OSError):
                self._said += self._copy.recv(_REMEMBERED)
        return bytes(self._said)

    @property
    def unread(self) -> bytes:
        """Unread bytes after the handshake, as in `GreetedSocket`."""
        return bytes(self._buffer)  # type: ignore[attr-defined]  # asyncio offers no other way

    def settle(self) -> None:
        """Close the duplicate of the socket."""
        copy, self._copy = self._copy, None
        if copy is not None:
            copy.close()
