"""The watcher of one service: the nodes that its sentinels report, first on demand and then by announcements."""

import threading
import time
import weakref
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Final, Protocol

from typing_extensions import override

from dvcache.errors import ClosedError, ConnectError
from dvcache.pools.sentinel.listener import SentinelListener
from dvcache.pools.sentinel.sentinel import Known
from dvcache.process.fork import renewed_after_fork
from dvcache.types import Address, Endpoint


class Answer(Future[Known]):
    """A future whose waits are bounded, even if no thread runs that could resolve it.

    Args:
        patience: seconds to wait; None for no limit.
        error: the error raised then.
    """

    def __init__(self, patience: float | None, error: ConnectError) -> None:
        super().__init__()
        self.set_running_or_notify_cancel()  # a waiter that is cancelled must not cancel it for the others
        self._patience, self._error = patience, error

    @override
    def result(self, timeout: float | None = None) -> Known:
        """Return the answer as `Future.result` does, but raise ConnectError in place of TimeoutError."""
        if timeout is not None and (self._patience is None or timeout < self._patience):
            try:
                return super().result(timeout)
            except TimeoutError:
                raise ConnectError(f"no sentinel answered within {timeout:.1f} s", alias=self._error.alias) from None
        try:
            return super().result(self._patience)
        except TimeoutError:
            raise self._error from None


class Poll:
    """One query to every sentinel, shared by all concurrent callers."""

    __slots__ = ("answer", "awaited", "ended", "failures", "services", "was_known")

    def __init__(self, addresses: Collection[Address], answer: Future[Known]) -> None:
        self.awaited = set(addresses)
        self.answer = answer
        self.ended = 0.0
        self.was_known = False
        self.services: set[str] = set()
        self.failures: list[str] = []


ASKED_ANEW: Final = 0.05
"""Seconds for which one answer serves all callers."""


FORGOTTEN_AFTER: Final = 10.0
"""Seconds after which an older configuration epoch is accepted, if no sentinel has confirmed the known one since.

Sentinels that were set up anew count epochs from the start.
"""


_PATIENCE: Final = 2
"""Connect timeouts after which a query is given up; sentinels' failures are reported well before."""


_NO_THREADS: Final = "no thread has answered; does the server allow threads (uWSGI: enable-threads)?"


_JOIN: Final = 1.0
"""Seconds that `close` waits for the threads; those that are connecting end later by themselves."""


class Listener(Protocol):
    """Receiver of changed nodes. Called from any thread."""

    def moved(self, nodes: Known, /) -> None:
        """Use these nodes from now on."""
        ...


class Watcher:
    """The current nodes of one service.

    Of different answers, the one with the greatest configuration epoch counts. A sentinel that has not noticed a
    failover yet can therefore not lead back to the old primary.

    Args:
        endpoint: the service's endpoint.
        clock: a monotonic clock in seconds.
        subscriber: makes the thread for one sentinel.
    """

    _subscribers: tuple[SentinelListener, ...] = ()

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Callable[[], float] = time.monotonic,
        subscriber: Callable[[Address, Endpoint, "Watcher"], SentinelListener] = SentinelListener,
    ) -> None:
        self._endpoint, self._clock, self._subscriber = endpoint, clock, subscriber
        self._patience = None if endpoint.connect_timeout is None else endpoint.connect_timeout * _PATIENCE
        self._listeners: weakref.WeakSet[Listener] = weakref.WeakSet()
        self.closed = False
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Forget everything, with a new lock: in a forked child, the threads that listen are missing."""
        for subscriber in self._subscribers:
            subscriber.release()
        self._subscribers = ()
        self._lock = threading.RLock()
        self._listeners = weakref.WeakSet(self._listeners)
        self._round: Poll | None = None
        self.known: Known | None = None
        """Current nodes; None before the first answer."""
        self._reporter: Address | None = None
        """Sentinel that reported `known`. Sentinels may see different replicas in one epoch: only one is used."""
        self._confirmed = 0.0

    def listen(self, listener: Listener) -> None:
        """Report the current nodes and every change to the listener, for as long as it lives."""
        with self._lock:
            self._listeners.add(listener)
            if self.known is not None:
                listener.moved(self.known)

    def leave(self, listener: Listener) -> None:
        """Remove the listener; close if it was the last."""
        with self._lock:
            self._listeners.discard(listener)
        if not self._listeners:
            self.close()

    def ask(self) -> "Future[Known]":
        """Query every sentinel, unless that was done a moment ago; return the future of the answer.

        Listeners are called before the future is resolved. It fails with ConnectError if no sentinel answers, or none
        monitors the service.

        Raises:
            ClosedError: the watcher is closed.
        """
        with self._lock:
            if self.closed:
                raise ClosedError(f"the connections of {self._endpoint.alias!r} are closed")
            current = self._round
            if current is not None and (not current.answer.done() or self._clock() - current.ended < ASKED_ANEW):
                return current.answer
            self._round = current = Poll(self._endpoint.sentinels, Answer(self._patience, self._error(_NO_THREADS)))
            try:
                self._call()
            except (OSError, RuntimeError) as error:  # no more sockets or threads
                current.answer.set_exception(self._error(str(error)))
        return current.answer

    def _call(self) -> None:
        """Trigger a query of every sentinel; start the threads that do not run."""
        there = {subscriber.address: subscriber for subscriber in self._subscribers if subscriber.is_alive}
        for address in self._endpoint.sentinels:
            if address in there:
                there[address].ask()
            else:
                there[address] = self._subscriber(address, self._endpoint, self)
                there[address].start()
                self._subscribers = tuple(there.values())

    @property
    def is_needed(self) -> bool:
        """True if any listener remains."""
        return not self.closed and bool(self._listeners)

    def relies_on(self, address: Address, /) -> bool:
        """Return True if this sentinel must be queried even if it announces nothing."""
        return self._reporter in {None, address}

    def report(self, address: Address, nodes: Known, /) -> None:
        """Record the nodes of the service that a sentinel reports."""
        with self._lock:
            # Listeners are called under the lock, so that they see the changes in order.
            if self._counts(address, nodes):
                self._reporter = address
                if nodes != self.known:
                    self.known = nodes
                    for listener in list(self._listeners):
                        listener.moved(nodes)
            if (current := self._round) is not None:
                current.was_known = True
                # A current answer ends the round without waiting for slow sentinels.
                self._reported(current, address, final=self._is_current(nodes))

    def report_others(self, address: Address, services: Collection[str], /) -> None:
        """Record that a sentinel does not monitor the service, and which services it monitors."""
        with self._lock:
            self._relieve(address)
            if (current := self._round) is not None:
                current.services.update(services)
                self._reported(current, address)

    def report_failure(self, address: Address, reason: str, /) -> None:
        """Record that a sentinel did not answer, and the reason."""
        with self._lock:
            self._relieve(address)
            if (current := self._round) is not None:
                current.failures.append(reason)
                self._reported(current, address)

    def _counts(self, address: Address, nodes: Known) -> bool:
        """Return True if these nodes replace the known ones."""
        known, now = self.known, self._clock()
        # An older epoch comes from a sentinel that has not noticed the failover, unless all sentinels were set up anew.
        if known is not None and nodes.epoch < known.epoch:
            return now - self._confirmed > FORGOTTEN_AFTER
        self._confirmed = now
        # Within one epoch, only the sentinel in use counts, unless there is none or it sees no primary.
        return (
            known is None
            or nodes.epoch > known.epoch
            or self._reporter in {None, address}
            or (known.primary is None and nodes.primary is not None)
        )

    def _is_current(self, nodes: Known) -> bool:
        """Return True if no other sentinel could report newer nodes: there is a primary, of the latest known epoch."""
        known = self.known
        return known is not None and known.primary is not None and nodes.epoch >= known.epoch

    def _relieve(self, address: Address) -> None:
        if self._reporter == address:
            self._reporter = None

    def _reported(self, current: Poll, address: Address, *, final: bool = False) -> None:
        """Record that a sentinel has answered; end the round if the answer is final or was the last one."""
        current.awaited.discard(address)
        if current.answer.done() or (current.awaited and not final):
            return
        current.ended = self._clock()
        if self.known is not None and current.was_known:
            current.answer.set_result(self.known)
        elif current.services or len(current.failures) < len(self._endpoint.sentinels):
            services = ", ".join(map(repr, sorted(current.services)))
            current.answer.set_exception(self._error(f"they monitor {services or 'no service'}"))
        else:
            current.answer.set_exception(self._error(f"none of them answers ({current.failures[-1]})"))

    def _error(self, reason: str) -> ConnectError:
        sentinels = ", ".join(f"{host}:{port}" for host, port in self._endpoint.sentinels)
        return ConnectError(
            f"cannot find the service {self._endpoint.service!r} through the sentinels {sentinels}: {reason}",
            alias=self._endpoint.alias,
            endpoint=self._endpoint.name,
        )

    def no_primary(self) -> ConnectError:
        """Return the error of a service without an available primary."""
        return self._error("no primary is available")

    def close(self) -> None:
        """End the threads, and the connections to the sentinels."""
        with self._lock:
            self.closed = True
            current, subscribers = self._round, self._subscribers
            if current is not None and not current.answer.done():
                current.answer.set_exception(ClosedError(f"the connections of {self._endpoint.alias!r} are closed"))
        for subscriber in subscribers:
            subscriber.end()
        give_up = time.monotonic() + _JOIN
        for subscriber in subscribers:
            subscriber.join(max(0.0, give_up - time.monotonic()))
