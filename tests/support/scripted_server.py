"""A server on a free loopback port with a scripted answer, right or wrong, to each command."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Self, TypeAlias

import libvalkey

Answer: TypeAlias = Callable[[list[bytes]], bytes | None]
"""Function from a command to the bytes of its reply; None closes the connection."""

OK: Final = b"+OK\r\n"
HELLO: Final = b"%2\r\n$6\r\nserver\r\n$6\r\nvalkey\r\n$5\r\nproto\r\n:3\r\n"
GREETINGS: Final = frozenset({b"HELLO", b"AUTH", b"CLIENT", b"SELECT", b"PING"})


def encoded(value: Any) -> bytes:  # noqa: PLR0911  # one for each kind of value
    """Return a value in RESP: bytes, int, None, a list; a dict and a float in RESP3; an exception as an error reply."""
    match value:
        case None:
            return b"$-1\r\n"
        case bool():
            return b"#t\r\n" if value else b"#f\r\n"
        case int():
            return b":%d\r\n" % value
        case float():
            return b",%r\r\n".replace(b"%r", repr(value).encode())
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(value), value)
        case Exception():
            return b"-" + str(value).encode("utf-8", "surrogateescape") + b"\r\n"
        case dict():
            return b"%%%d\r\n" % len(value) + b"".join(encoded(each) for pair in value.items() for each in pair)
    return b"*%d\r\n" % len(value) + b"".join(map(encoded, value))


class Speaker:
    """A scripted server, with a thread for each connection. Used as a context manager.

    Args:
        answer: makes the replies; may be replaced at any time.
        greets: True if HELLO, AUTH, CLIENT, SELECT and PING are answered with OK without calling `answer`.
    """

    host = "127.0.0.1"

    def __init__(self, answer: Answer = lambda _: OK, *, greets: bool = True) -> None:
        self.answer, self._greets = answer, greets
        self.asked: list[list[bytes]] = []
        """All commands except greetings, in the order of their arrival."""
        self.accepted = 0
        """Number of accepted connections."""
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        if isinstance(self.answer, Relay):
            self.answer.close()

    def url(self, db: int = 0) -> str:
        return f"valkey://{self.host}:{self.port}/{db}"

    @property
    def open(self) -> int:
        """Number of open connections."""
        return len(self._connections)

    def cut(self) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def names(self) -> list[str]:
        """Return the names of the received commands, in upper case."""
        return [command[0].decode().upper() for command in list(self.asked)]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = libvalkey.Reader(notEnoughData=self)
        try:
            with suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while data := connection.recv(65536):
                    reader.feed(data)
                    replies = b""
                    while (command := reader.gets()) is not self:
                        reply = self._reply(command)
                        if reply is None:
                            if replies:
                                connection.sendall(replies)
                            return
                        replies += reply
                    connection.sendall(replies)
        finally:
            self._connections.discard(connection)
            connection.close()

    def _reply(self, command: list[bytes]) -> bytes | None:
        if self._greets and command[0].upper() in GREETINGS:
            return HELLO if command[0].upper() == b"HELLO" else OK
        self.asked.append(command)
        return self.answer(command)


class Relay:
    """Answers of a real server, except to some commands. Each thread has its own connection to it.

    Args:
        port: port of the real server.
        refuse: returns the reply to a command's name in upper case; None passes the command on.
    """

    def __init__(self, port: int, refuse: Callable[[str], bytes | None] = lambda _: None) -> None:
        self.port, self.refuse = port, refuse
        self._local = threading.local()
        self._sockets: list[socket.socket] = []

    def close(self) -> None:
        """Close the connections to the real server."""
        for upstream in self._sockets:
            upstream.close()

    def __call__(self, command: list[bytes]) -> bytes | None:
        refusal = self.refuse(command[0].decode().upper())
        if refusal is not None:
            return refusal or None
        if getattr(self._local, "port", None) != self.port:
            self._local.port, self._local.upstream = self.port, socket.create_connection(("127.0.0.1", self.port))
            self._sockets.append(self._local.upstream)
        upstream = self._local.upstream
        upstream.sendall(encoded(command))
        reader, data = libvalkey.Reader(notEnoughData=self), b""
        while reader.gets() is self:
            part = upstream.recv(65536)
            if not part:
                return None
            data += part
            reader.feed(part)
        return data
