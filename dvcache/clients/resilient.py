"""A server that gives no answer is left alone for a while, so that nobody waits for it: a circuit breaker.

It opens when one answer came too late, or several times in a row none came at all. Open, it refuses what it is asked
without sending anything. After a rest it lets one caller through; an answer closes it, and no answer makes the next
rest longer the longer that caller had to wait (Nygard, Release It!, 2007: half-open).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from dvcache.errors import CacheError, CircuitOpenError, ConnectionLost, TransportError
from dvcache.protocols import AsyncPool, Pending, Pool, Releasable
from dvcache.types import Batch, Endpoint

REST: Final = 1.0
"""Seconds for which a server is left alone, at least."""
SHARE: Final = 4
"""How many times as long as a failed trial the rest after it is: of callers' time, no more than a fifth is lost."""
PATIENCE: Final = 30.0
"""Seconds after which a trial that nobody has heard of is forgotten: its thread or its event loop may be gone."""
IN_A_ROW: Final = 5
"""Failures that open the circuit, where each was quick."""
SLOW: Final = 1.0
"""Seconds without an answer that open the circuit at once; less where less is the whole connect timeout."""
_WHOLE: Final = 0.9
"""Share of the connect timeout that is taken for all of it."""


class Circuit:
    """What is known of a server's health. Without a lock, so that a forked child finds none held.

    Args:
        endpoint: the server, for the error.
        clock: seconds that only ever grow.
    """

    __slots__ = ("_clock", "_endpoint", "_slow", "_trial", "_until", "failures")

    def __init__(self, endpoint: Endpoint, clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint, self._clock = endpoint, clock
        connect = endpoint.connect_timeout
        self._slow = SLOW if connect is None else min(SLOW, connect * _WHOLE)
        self.failures = 0
        """How many times in a row no answer came."""
        self._until = 0.0
        """When the rest ends, or a trial is forgotten; 0 while the circuit is closed."""
        self._trial = 0.0
        """When the trial that is under way was begun."""

    def begin(self) -> float:
        """Return the time at which a caller's attempt begins.

        Raises:
            CircuitOpenError: the server is left alone.
        """
        now = self._clock()
        if self._until:
            if now < self._until:
                raise self._refusal(self._until - now)
            self._until, self._trial = now + PATIENCE, now
        return now

    def mend(self) -> None:
        """Close the circuit: an answer came."""
        self.failures, self._until = 0, 0.0

    def fail(self, error: BaseException, began: float, batch: Batch = ()) -> None:
        """Note that an attempt came to nothing.

        Args:
            error: why; an error that is no `TransportError` says nothing of the server, or that it is there.
            began: what `begin` returned.
            batch: the commands. A server ends the connection for an argument that is too long, which is the caller's.
        """
        if isinstance(error, ConnectionLost) and _may_be_too_large(batch):
            error = InterruptedError()
        if isinstance(error, CacheError) and not isinstance(error, TransportError):
            self.mend()
            return
        now = self._clock()
        if self._until:
            if began == self._trial:
                self._until = now + max(REST, SHARE * (now - began))
        elif isinstance(error, TransportError):
            self.failures += 1
            if isinstance(error, TimeoutError) or now - began >= self._slow or self.failures >= IN_A_ROW:
                self._until = now + REST

    def _refusal(self, seconds: float) -> CircuitOpenError:
        return CircuitOpenError(
            f"not asked: it gave no answer, and is asked again in {seconds:.1f} s",
            alias=self._endpoint.alias,
            endpoint=self._endpoint.name,
        )


_LARGE: Final = 1024 * 1024
"""Bytes of an argument up to which every server takes it."""


def _may_be_too_large(batch: Batch) -> bool:
    return any(isinstance(each, str | bytes) and len(each) > _LARGE for command in batch for each in command)


class Node(Pool, Releasable, Protocol):
    """What `Resilient` stands before: the pool of one server."""

    def abort(self) -> None:
        """End every connection, those in use too."""
        ...


class AsyncNode(AsyncPool, Releasable, Protocol):
    """What `AsyncResilient` stands before."""

    def abort(self) -> None:
        """As `Node.abort`."""
        ...


class Resilient:
    """The pool of a server that is left alone while it gives no answer."""

    __slots__ = ("_circuit", "_pool")

    def __init__(self, pool: Node, circuit: Circuit) -> None:
        self._pool, self._circuit = pool, circuit

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        circuit = self._circuit
        began = circuit.begin()
        try:
            replies = self._pool.execute(batch, until)
        except BaseException as error:
            circuit.fail(error, began, batch)
            raise
        if circuit.failures:
            circuit.mend()
        return replies

    def connects(self) -> bool:
        """Return True if the next batch would open a connection, as `protocols.Begins` says."""
        connects = getattr(self._pool, "connects", None)
        return connects is not None and connects()

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch if the pool can, as `protocols.Begins` says."""
        begin = getattr(self._pool, "begin", None)
        if begin is None:
            return None
        began = self._circuit.begin()
        try:
            pending = begin(batch, until)
        except BaseException as error:
            self._circuit.fail(error, began)
            raise
        return Watched(pending, self._circuit, began)

    def close(self) -> None:
        """End every connection."""
        self._pool.close()

    def abort(self) -> None:
        """End every connection, those in use too."""
        self._pool.abort()

    def release(self) -> None:
        """End the connections that nobody uses."""
        self._pool.release()

    def retire(self) -> None:
        """Connect anew, as `protocols.Retires` says."""
        if (retire := getattr(self._pool, "retire", None)) is not None:
            retire()


@dataclass(frozen=True, slots=True)
class Watched:
    """A batch that was written, of whose answer a circuit is told: `protocols.Pending`."""

    pending: Pending
    circuit: Circuit
    began: float

    def replies(self) -> Sequence[Any]:
        """Return the replies, as `protocols.Pending` says."""
        try:
            replies = self.pending.replies()
        except BaseException as error:
            self.circuit.fail(error, self.began)
            raise
        self.circuit.mend()
        return replies

    def abandon(self) -> None:
        """Read no replies. An attempt that was a trial came to nothing."""
        self.circuit.fail(InterruptedError(), self.began)
        self.pending.abandon()


class AsyncResilient:
    """The asynchronous pool of a server that is left alone while it gives no answer."""

    __slots__ = ("_circuit", "_pool")

    def __init__(self, pool: AsyncNode, circuit: Circuit) -> None:
        self._pool, self._circuit = pool, circuit

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        circuit = self._circuit
        began = circuit.begin()
        try:
            replies = await self._pool.execute(batch, until)
        except BaseException as error:
            circuit.fail(error, began, batch)
            raise
        if circuit.failures:
            circuit.mend()
        return replies

    def close(self) -> None:
        """End every connection."""
        self._pool.close()

    def abort(self) -> None:
        """End every connection, those in use too."""
        self._pool.abort()

    def release(self) -> None:
        """End the connections that nobody uses."""
        self._pool.release()

    async def retire(self) -> None:
        """Connect anew, as `protocols.Retires` says."""
        if (retire := getattr(self._pool, "retire", None)) is not None:
            await retire()


def resilient(pool: Node, endpoint: Endpoint) -> Resilient:
    """Return a pool that leaves its server alone while that gives no answer."""
    return Resilient(pool, Circuit(endpoint))


def async_resilient(pool: AsyncNode, endpoint: Endpoint) -> AsyncResilient:
    """Return an asynchronous pool that leaves its server alone while that gives no answer."""
    return AsyncResilient(pool, Circuit(endpoint))
