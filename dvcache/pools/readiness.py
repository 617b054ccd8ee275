"""Sockets that are readable: of a connection at rest, that it has ended or holds what nobody asked for."""

import select
import selectors
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
