"""The socket and the stream of a connection while its server greets: bounded, and remembered for errors.

A server that takes no more clients says so unasked and closes the connection, so that a write may fail before its words
are read.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any, Final, TypeVar

from typing_extensions import override
from valkey.exceptions import ValkeyError

from dvcache.errors import without_arguments
from dvcache.pools.budgets import left

E = TypeVar("E", bound=BaseException)

_REMEMBERED: Final = 512
"""Bytes of what a server says first."""

_TELLING: Final = 4
"""Characters of a password that is no part of other words."""

_EXPECTED: Final = ("setinfo", "setname", "unknown", "syntax")
"""Parts of refusals that valkey-py passes over: of an optional command that an old server does not know."""


def refusal_in(said: bytes) -> str:
    """Return the first error reply of a server that ended the connection; empty where it gave none."""
    for line in said.split(b"\r\n"):
        text = without_arguments(line[1:].decode(errors="replace"))
        if line.startswith(b"-") and not any(part in text.casefold() for part in _EXPECTED):
            return text
    return ""


def bare(error: E, password: object = None) -> E:
    """Return an error of a greeting without what could show a credential.

    Arguments that the server quotes are cut. The frames of valkey-py go too, here and in chained errors: they hold the
    credentials, and reports of errors show what a frame holds.

    Args:
        error: what valkey-py raised; one of a user's own class, or an interrupt, stays as it is.
        password: what no text may repeat.
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
        sock: the connected socket, which everything else is asked of.
        until: `time.monotonic()` by which the server must have greeted; None waits for ever.
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
        """The first bytes of the server."""
        return bytes(self._said)

    @property
    def unread(self) -> bytes:
        """The bytes after the greeting: none from a server that takes the connection."""
        if hasattr(self.sock, "pending"):  # TLS cannot be looked into
            return b""
        try:
            self.sock.settimeout(0)
            unread: bytes = self.sock.recv(_REMEMBERED, socket.MSG_PEEK)
        except OSError:
            return b""
        return unread

    def settle(self) -> Any:
        """Pass reads and writes on as they are from now on; return the socket."""
        self.recv_into, self.recv, self.sendall = self.sock.recv_into, self.sock.recv, self.sock.sendall  # type: ignore[method-assign]  # one look-up less for the parser
        return self.sock

    def _bound(self) -> None:
        if self._until is not None:
            self.sock.settimeout(left(self._until))

    def _remember(self, data: bytes) -> None:
        if len(self._said) < _REMEMBERED:
            self._said += data[:_REMEMBERED]

    def _read_last(self) -> None:
        with suppress(OSError):
            self.sock.settimeout(0)
            self._remember(self.sock.recv(_REMEMBERED))


class GreetedStream(asyncio.StreamReader):
    """A stream that remembers what came first.

    Args:
        sock: a copy of the connection's socket, which outlives that of the transport; None where it is secured.
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
        """The first bytes of the server, with those that the transport left unread."""
        if self._copy is not None:
            with suppress(OSError):
                self._said += self._copy.recv(_REMEMBERED)
        return bytes(self._said)

    @property
    def unread(self) -> bytes:
        """The bytes after the greeting, as of a socket."""
        return bytes(self._buffer)  # type: ignore[attr-defined]  # asyncio offers no other way

    def settle(self) -> None:
        """Close the copy of the socket."""
        copy, self._copy = self._copy, None
        if copy is not None:
            copy.close()
