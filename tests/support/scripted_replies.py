"""A server in a thread that sends scripted bytes."""

import socket
import threading
from collections.abc import Callable
from typing import Self

Talk = Callable[[socket.socket, int], None]
"""Function that serves one connection; the number counts them from 0."""


def command(sock: socket.socket) -> bytes:
    """Read until nothing more is in flight and return it; empty at the end of the connection."""
    return sock.recv(1 << 20)


def greeted(sock: socket.socket) -> None:
    """Answer the two CLIENT SETINFO at the start of a connection."""
    seen = b""
    while seen.count(b"SETINFO") < 2:
        data = command(sock)
        if not data:
            return
        sock.sendall(b"+OK\r\n" * data.count(b"SETINFO"))
        seen += data


class Speaker:
    """Listens on a free loopback port and has `talk` serve each connection. Used as a context manager."""

    def __init__(self, talk: Talk, *, buffer: int | None = None) -> None:
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        if buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number, self.accepted = self.accepted, self.accepted + 1
            self._sockets.append(sock)
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            self._talk(sock, number)
        except OSError:
            pass
        finally:
            sock.close()
