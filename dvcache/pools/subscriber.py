"""A subscriber: a thread that asks one sentinel and hears what it announces.

Each sentinel has a thread of its own, so that one that hangs keeps nobody waiting for what another one knows.
"""

import select
import socket
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import Final, Protocol

from dvcache.pools.sentinels import FAILURES, Known, Sentinel
from dvcache.types import Address, Endpoint

ASK_EVERY: Final = 1.0
"""Seconds between two questions where nothing was announced."""


class Watched(Protocol):
    """Who is told. Its methods are called from the subscribers' threads."""

    @property
    def is_needed(self) -> bool:
        """Whether anybody still wants to know."""
        ...

    def relies_on(self, address: Address, /) -> bool:
        """Say whether this sentinel is to be asked even if it announces nothing."""
        ...

    def told(self, address: Address, nodes: Known, /) -> None:
        """Take what a sentinel says of the service's nodes."""
        ...

    def told_of_others(self, address: Address, services: Collection[str], /) -> None:
        """Take that a sentinel does not monitor the service, and which ones it does."""
        ...

    def told_nothing(self, address: Address, reason: str, /) -> None:
        """Take that a sentinel did not answer, and why."""
        ...


class Subscriber:
    """What one sentinel says of a service, from `start()` until `end()` or until nobody wants to know.

    Args:
        address: where the sentinel is.
        endpoint: the service's endpoint.
        watch: who is told.
    """

    def __init__(self, address: Address, endpoint: Endpoint, watch: Watched) -> None:
        self.address = address
        self._service, self._watch = endpoint.service, watch
        self._asked, self._heard = Sentinel(address, endpoint), Sentinel(address, endpoint)
        self._subscribed = self._ended = False
        self._called, self._caller = socket.socketpair()
        self._caller.setblocking(False)
        name = "sentinel {}:{}".format(*address)
        self._thread = threading.Thread(target=self._run, name=f"{name} of {endpoint.service}", daemon=True)

    def start(self) -> None:
        """Ask for the first time, and listen from then on."""
        try:
            self._thread.start()
        except RuntimeError:  # there may be no more threads
            self.release()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether it still asks and listens."""
        return self._thread.is_alive()

    def ask(self) -> None:
        """Have the sentinel asked now."""
        with suppress(OSError):  # it is over, or called already, more often than the socket can hold
            self._caller.send(b"?")

    def end(self) -> None:
        """Have the thread end, which then closes its connections; only while it connects it takes its time."""
        self._ended = True
        self._caller.close()
        for sentinel in (self._asked, self._heard):
            sentinel.interrupt()

    def join(self, seconds: float) -> None:
        """Wait for the end, but no longer than so many seconds."""
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def release(self) -> None:
        """Close the sockets, of which a forked child has copies without the thread."""
        for sentinel in (self._asked, self._heard):
            sentinel.disconnect()
        self._called.close()
        self._caller.close()

    def _run(self) -> None:
        try:
            while self._goes_on():
                if self._report() and not self._subscribed and self._subscribe():
                    continue  # something may have been announced in between
                self._wait()
        finally:
            self.release()
            self._watch.told_nothing(self.address, "it is asked no more")

    def _goes_on(self) -> bool:
        return not self._ended and self._watch.is_needed

    def _report(self) -> bool:
        """Ask the sentinel and pass on what it says; say whether it said anything."""
        try:
            states = self._asked.services()
            state = states.get(self._service)
            nodes = None if state is None else self._asked.nodes(state)
        except FAILURES as error:
            self._asked.disconnect()  # what it says next may be the answer to this question
            self._watch.told_nothing(self.address, str(error))
            return False
        if nodes is None:
            self._watch.told_of_others(self.address, states.keys())
        else:
            self._watch.told(self.address, nodes)
        return True

    def _subscribe(self) -> bool:
        with suppress(*FAILURES):
            self._heard.subscribe()
            self._subscribed = True
        return self._subscribed

    def _wait(self) -> None:
        """Wait until the sentinel is to be asked: somebody calls, it announces something, or a second is over."""
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
        """Hear all that the sentinel announces; say whether it is worth a question."""
        changed = False
        try:
            while (channel := self._heard.announcement()) is not None:
                changed = changed or bool(channel)
        except FAILURES:
            self._heard.disconnect()
            self._subscribed = False
            return True
        return changed
