"""Sockets that are readable: of a connection at rest, that it has ended or holds what nobody asked for."""

import select
import selectors
import socket
import ssl
from collections.abc import Iterable


def readable(descriptors: Iterable[int]) -> set[int]:
    """Return the descriptors of those sockets that can be read, or have failed, at this moment. Does not wait."""
    if not hasattr(select, "poll"):  # eventlet takes it away
        return _selected(descriptors)
    poll = select.poll()
    for each in descriptors:
        poll.register(each, select.POLLIN)
    return {each for each, _ in poll.poll(0)}


def _selected(descriptors: Iterable[int]) -> set[int]:
    with selectors.DefaultSelector() as selector:
        for each in descriptors:
            selector.register(each, selectors.EVENT_READ)
        return {key.fd for key, _ in selector.select(0)}


def is_readable(sock: socket.socket, *, cooperative: bool) -> bool:
    """Return True if the socket of a connection at rest can be read, or has failed.

    Args:
        sock: the socket.
        cooperative: whether a library of green threads waits for it. Its timeout is changed then, and no other thread
            runs meanwhile, as one would during a poll.
    """
    if isinstance(sock, ssl.SSLSocket):
        return bool(sock.pending() or readable([sock.fileno()]))  # what is decrypted already, or is not yet
    if not cooperative:
        return bool(readable([sock.fileno()]))
    sock.settimeout(0.0)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
