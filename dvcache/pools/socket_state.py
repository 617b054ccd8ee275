"""Check for readable sockets: an idle connection that is readable has ended or holds unexpected data."""

import select
import selectors
import socket
import ssl
from collections.abc import Iterable


def readable(descriptors: Iterable[int]) -> set[int]:
    """Return the descriptors of sockets that can be read, or have failed, right now. Does not wait."""
    if not hasattr(select, "poll"):  # eventlet removes it
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
    """Return True if the socket of an idle connection can be read, or has failed.

    Args:
        sock: the socket.
        cooperative: True if it belongs to gevent or eventlet. It is then checked by a read without timeout, since a
            poll would switch to another green thread.
    """
    if isinstance(sock, ssl.SSLSocket):
        return bool(sock.pending() or readable([sock.fileno()]))  # decrypted bytes, or encrypted ones
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
