"""A watch over one service: its nodes as the sentinels say, and a thread that hears of it when that changes."""

import select
import socket
import threading
import time
import weakref
from contextlib import suppress
from typing import Final, Protocol

from dvcache.errors import ClosedError, ConnectError
from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.sentinels import FAILURES, SWITCHED, Known, Sentinel
from dvcache.types import Address, Endpoint

ASK_EVERY: Final = 1.0
"""Seconds between two questions where nothing was announced."""

ASKED_ANEW: Final = 0.05
"""Seconds for which one answer serves everybody who asks."""

_LISTEN: Final = 0.2
"""Seconds that the thread waits for an announcement before it looks whether it shall end."""


class Listener(Protocol):
    """Hears of new nodes. Called from any thread."""

    def moved(self, nodes: Known) -> None:
        """Go by these nodes from now on."""
        ...


class Watch:
    """What the sentinels say of one service. They are asked when needed, and listened to from then until `close()`.

    Of different answers the one of the latest configuration counts, so that a sentinel that has not heard of a
    failover yet cannot lead back to the old primary.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._listeners: weakref.WeakSet[Listener] = weakref.WeakSet()
        self.closed = False
        self.known: Known | None = None
        """What was said last; None before the first question."""
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start without connections and thread: in a forked child they are the parent's."""
        self._lock = threading.Lock()
        self._asked = 0.0
        self._failed = 0.0, ""
        """When asking failed last, and why."""
        self._stop = threading.Event()
        self._ending, self._end = socket.socketpair()
        self._thread: threading.Thread | None = None
        self._sentinels = self._new_sentinels()

    def _new_sentinels(self) -> dict[Address, Sentinel]:
        return {address: Sentinel(address, self._endpoint) for address in self._endpoint.sentinels}

    def listen(self, listener: Listener) -> None:
        """Tell the listener of every change, for as long as it lives."""
        self._listeners.add(listener)

    def leave(self, listener: Listener) -> None:
        """Tell the listener no more; close when none is left."""
        self._listeners.discard(listener)
        if not self._listeners:
            self.close()

    def nodes(self) -> Known:
        """Return the nodes as they are known, asking if they are not.

        Raises:
            ConnectError: no sentinel answers, or none knows the service.
        """
        return self.known or self.ask()

    def ask(self) -> Known:
        """Ask the sentinels, unless somebody did a moment ago, and tell the listeners of what is new.

        Raises:
            ConnectError: no sentinel answers, or none knows the service.
        """
        if self.closed:
            raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
        with self._lock:
            if self.known is None or time.monotonic() - self._asked > ASKED_ANEW:
                self._check_failed()
                self._learn(self._latest())
                self._asked = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name=f"sentinels of {self._endpoint.service}", daemon=True
                )
                self._thread.start()
            assert self.known is not None
            return self.known

    def _check_failed(self) -> None:
        """Raise what a question raised a moment ago: who waited for it shall not wait as long again."""
        failed, reason = self._failed
        if reason and time.monotonic() - failed <= ASKED_ANEW:
            raise self._error(reason)

    def _latest(self) -> Known:
        """Return the first answer with a primary that is not older than what is known, else the latest one."""
        latest: Known | None = None
        services: set[str] = set()
        reached = False
        for address, sentinel in list(self._sentinels.items()):
            try:
                states = sentinel.services()
                reached = True
                services |= states.keys()
                if self._endpoint.service not in states:
                    continue
                nodes = sentinel.nodes(states[self._endpoint.service])
            except FAILURES:
                self._sentinels[address] = self._sentinels.pop(address)  # asked last from now on
                continue
            if latest is None or (nodes.epoch, nodes.primary is not None) > (latest.epoch, latest.primary is not None):
                latest = nodes
            if latest.primary is not None and latest.epoch >= (self.known.epoch if self.known else 0):
                break
        if latest is None:
            reason = self._unknown(services) if reached else "none of them answers"
            self._failed = time.monotonic(), reason
            raise self._error(reason)
        return latest

    def _unknown(self, services: set[str]) -> str:
        return f"they monitor {', '.join(map(repr, sorted(services))) or 'no service'}"

    def _error(self, reason: str) -> ConnectError:
        sentinels = ", ".join(f"{host}:{port}" for host, port in self._endpoint.sentinels)
        return ConnectError(
            f"cannot find the service {self._endpoint.service!r} through the sentinels {sentinels}: {reason}",
            alias=self._endpoint.alias,
            endpoint=self._endpoint.name,
        )

    def no_primary(self) -> ConnectError:
        """Return the error of a service whose sentinels know no primary that serves."""
        return self._error("they know no primary that serves now")

    def _learn(self, nodes: Known) -> None:
        if nodes == self.known or (self.known is not None and nodes.epoch < self.known.epoch):
            return
        self.known = nodes
        for listener in list(self._listeners):
            listener.moved(nodes)

    def _run(self) -> None:
        """Hear every sentinel until the watch is closed; connect again to those that fail, and ask now and then."""
        stop, heard = self._stop, {}
        sentinels = self._new_sentinels()
        due = 0.0
        while not stop.is_set():
            if time.monotonic() >= due:
                with suppress(ConnectError, ClosedError):
                    self.ask()
                for address, sentinel in sentinels.items():
                    if address not in heard:
                        with suppress(*FAILURES):
                            sentinel.subscribe()
                            heard[address] = sentinel
                due = time.monotonic() + ASK_EVERY
            if self._hear(heard):
                due = 0.0
        for sentinel in sentinels.values():
            sentinel.disconnect()

    def _hear(self, heard: dict[Address, Sentinel]) -> bool:
        """Wait a moment for announcements; say whether there was one that needs asking."""
        poll = select.poll()
        poll.register(self._ending, select.POLLIN)
        filenos = {sentinel.fileno(): address for address, sentinel in heard.items()}
        for fileno in filenos:
            poll.register(fileno, select.POLLIN)
        changed = False
        for fileno, _ in poll.poll(int(_LISTEN * 1000)):
            if fileno not in filenos:  # woken up to end
                continue
            address = filenos[fileno]
            try:
                while (channel := heard[address].announcement()) is not None:
                    changed = True
                    if channel == SWITCHED:
                        self._switched(address)
            except FAILURES:
                heard.pop(address).disconnect()
        return changed

    def _switched(self, address: Address) -> None:
        """Ask the sentinel that announced it: the others may not have heard yet."""
        with self._lock, suppress(*FAILURES):
            teller = self._sentinels[address]
            self._sentinels = {address: teller, **self._sentinels}
            state = teller.services().get(self._endpoint.service)
            if state is not None:
                self._learn(teller.nodes(state))
                self._asked = time.monotonic()

    def close(self) -> None:
        """End the thread and the connections to the sentinels."""
        self.closed = True
        self._stop.set()
        self._end.close()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._ending.close()
        for sentinel in self._sentinels.values():
            sentinel.disconnect()
