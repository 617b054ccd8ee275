"""Servers with a faulty greeting, and addresses that do not answer, for tests of connecting."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, Self

Behaviour = Callable[[socket.socket, threading.Event], None]

HOSTS: Final = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")


class Greeter:
    """A server on a free loopback port with a behaviour for each connection.

    Args:
        behaviour: called with each connection, in a thread, and an event that is set at the end.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self.accepted = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _run(self, function: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=function, args=args)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._behaviour(connection, self._ended)


def byte_by_byte(pause: float, text: bytes = b"+" + b"x" * 10_000) -> Behaviour:
    """Return a behaviour: answer one byte at a time, and never with a whole reply."""

    def answer(connection: socket.socket, ended: threading.Event) -> None:
        for byte in text:
            if ended.wait(pause):
                return
            connection.sendall(bytes([byte]))
        ended.wait()

    return answer


def silent(connection: socket.socket, ended: threading.Event) -> None:
    """Read without an answer."""
    assert connection.fileno() >= 0
    ended.wait()


def refusing(text: bytes, *, reset: bool = False) -> Behaviour:
    """Return a behaviour: send unrequested bytes and close the connection, or reset it after the first write to it."""

    def answer(connection: socket.socket, ended: threading.Event) -> None:
        assert not ended.is_set()
        connection.sendall(text)
        if reset:
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return answer


@contextmanager
def black_hole(host: str, port: int) -> Iterator[None]:
    """Yield an address that neither accepts nor refuses connections: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((host, port))
        yield


def addresses(*hosts: str) -> Callable[..., list[tuple[object, ...]]]:
    """Return a `getaddrinfo` that knows one name, with these addresses, and asks the system for others."""
    system = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: object, **more: object) -> list[tuple[object, ...]]:
        if host != "cache.test":
            return system(host, port, *rest, **more)  # type: ignore[arg-type]  # passed on
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in hosts]

    return look_up
