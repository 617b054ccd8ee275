"""A thread that queries one sentinel and listens to its announcements.

Each sentinel has its own thread, so that an unresponsive one does not delay the answers of others.
"""

import select
import socket
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import Final, Protocol

from dvcache.pools.sentinel.sentinel import FAILURES, Known, Sentinel
from dvcache.types import Address, Endpoint

ASK_EVERY: Final = 1.0
"""Seconds between two queries if nothing is announced."""


class WatchedService(Protocol):
    """Receiver of the results. Its methods are called from the threads of the sentinels."""

    @property
    def is_needed(self) -> bool:
        """True if any listener remains."""
        ...

    def relies_on(self, address: Address, /) -> bool:
        """Return True if this sentinel must be queried even if it announces nothing."""
        ...

    def report(self, address: Address, nodes: Known, /) -> None:
        """Record the nodes of the service that a sentinel reports."""
        ...

    def report_others(self, address: Address, services: Collection[str], /) -> None:
        """Record that a sentinel does not monitor the service, and which services it monitors."""
        ...

    def report_failure(self, address: Address, reason: str, /) -> None:
        """Record that a sentinel did not answer, and the reason."""
        ...


class SentinelListener:
    """Queries and announcements of one sentinel, from `start()` until `end()` or until no listener remains.

    Args:
        address: the sentinel's address.
        endpoint: the service's endpoint.
        watch: receives the results.
    """

    def __init__(self, address: Address, endpoint: Endpoint, watch: WatchedService) -> None:
        self.address = address
        self._service, self._watch = endpoint.service, watch
        # Two connections: after SUBSCRIBE, a RESP2 connection accepts no queries.
        self._asked, self._heard = Sentinel(address, endpoint), Sentinel(address, endpoint)
        self._subscribed = self._ended = False
        self._called, self._caller = socket.socketpair()
        self._caller.setblocking(False)
        name = "sentinel {}:{}".format(*address)
        self._thread = threading.Thread(target=self._run, name=f"{name} of {endpoint.service}", daemon=True)

    def start(self) -> None:
        """Start the thread, which queries the sentinel and then listens."""
        try:
            self._thread.start()
        except RuntimeError:  # the system or the interpreter starts no more threads
            self.release()
            raise

    @property
    def is_alive(self) -> bool:
        """True if the thread is running."""
        return self._thread.is_alive()

    def ask(self) -> None:
        """Query the sentinel now."""
        with suppress(OSError):  # the thread has ended, or the socket is full of earlier calls
            self._caller.send(b"?")

    def end(self) -> None:
        """Make the thread end and close its connections; this takes time only while it connects."""
        self._ended = True
        self._caller.close()
        for sentinel in (self._asked, self._heard):
            sentinel.interrupt()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, at most this many seconds."""
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def release(self) -> None:
        """Close the sockets. A forked child inherits copies of them, but not the thread."""
        for sentinel in (self._asked, self._heard):
            sentinel.disconnect()
        self._called.close()
        self._caller.close()

    def _run(self) -> None:
        try:
            while self._goes_on():
                if self._report() and not self._subscribed and self._subscribe():
                    continue  # query again: a change before the subscription was not announced here
                self._wait()
        finally:
            self.release()
            self._watch.report_failure(self.address, "it is no longer queried")

    def _goes_on(self) -> bool:
        return not self._ended and self._watch.is_needed

    def _report(self) -> bool:
        """Query the sentinel and report the result; return True if it answered."""
        try:
            states = self._asked.services()
            state = states.get(self._service)
            nodes = None if state is None else self._asked.nodes(state)
        except FAILURES as error:
            self._asked.disconnect()  # the next reply on it could be the answer to this query
            self._watch.report_failure(self.address, str(error))
            return False
        if nodes is None:
            self._watch.report_others(self.address, states.keys())
        else:
            self._watch.report(self.address, nodes)
        return True

    def _subscribe(self) -> bool:
        with suppress(*FAILURES):
            self._heard.subscribe()
            self._subscribed = True
        return self._subscribed

    def _wait(self) -> None:
        """Wait until the next query is due: after `ask`, an announcement, or `ASK_EVERY` seconds."""
        poll = select.poll()
        poll.register(self._called, select.POLLIN)
        if self._subscribed:
            poll.register(self._heard.fileno(), select.POLLIN)
        while self._goes_on():
            ready = [descriptor for descriptor, _ in poll.poll(ASK_EVERY * 1000)]
            if self._called.fileno() in ready:
                self._called.recv(64)
                return
            if ready and self._announced():
                return
            if not ready and (not self._subscribed or self._watch.relies_on(self.address)):
                return

    def _announced(self) -> bool:
        """Read all announcements; return True if a query is due."""
        changed = False
        try:
            while (channel := self._heard.announcement()) is not None:
                changed = changed or bool(channel)
        except FAILURES:
            self._heard.disconnect()
            self._subscribed = False
            return True
        return changed
