"""Circuit breaker: send nothing to a server that gave no answer, so that callers do not wait for it.

The circuit opens after one answer that came too late, or after several failures in a row. While open, it refuses
batches without sending anything. After a pause, it lets one caller through as a trial. An answer closes it; after a
failed trial the next pause is proportional to the time that the trial took (Nygard, Release It!, 2007: half-open).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from dvcache.errors import CacheError, CircuitOpenError, ConnectionLost, TransportError
from dvcache.protocols import AsyncPool, Pending, Pool, Releasable
from dvcache.types import Batch, Endpoint

REST: Final = 1.0
"""Minimum seconds for which an open circuit refuses batches."""
SHARE: Final = 4
"""Ratio of the pause after a failed trial to the trial's duration: callers lose at most a fifth of their time."""
PATIENCE: Final = 30.0
"""Seconds after which a trial without an outcome is given up: its thread or its event loop may be gone."""
IN_A_ROW: Final = 5
"""Number of failures in a row that open the circuit if each was quick."""
SLOW: Final = 1.0
"""Seconds without an answer that open the circuit at once, or nearly the connect timeout if that is shorter."""
_WHOLE: Final = 0.9
"""Share of the connect timeout that counts as all of it."""


class CircuitBreaker:
    """The circuit breaker's state for one server. It has no lock, so a forked child cannot inherit a held one.

    Args:
        endpoint: the server, for the error.
        clock: a monotonic clock in seconds.
    """

    __slots__ = ("_clock", "_endpoint", "_slow", "_trial", "_until", "failures")

    def __init__(self, endpoint: Endpoint, clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint, self._clock = endpoint, clock
        connect = endpoint.connect_timeout
        self._slow = SLOW if connect is None else min(SLOW, connect * _WHOLE)
        self.failures = 0
        """Number of failures in a row."""
        self._until = 0.0
        """End of the pause, or of the patience with a trial; 0 while the circuit is closed."""
        self._trial = 0.0
        """Start of the current trial."""

    def begin(self) -> float:
        """Return the time at which the caller's attempt starts.

        Raises:
            CircuitOpenError: the circuit is open. Nothing was sent.
        """
        now = self._clock()
        if self._until:
            if now < self._until:
                raise self._refusal(self._until - now)
            # Half-open: this caller is the trial. Others are refused until it ends or is given up.
            self._until, self._trial = now + PATIENCE, now
        return now

    def mend(self) -> None:
        """Close the circuit after an answer."""
        self.failures, self._until = 0, 0.0

    def fail(self, error: BaseException, began: float, batch: Batch = ()) -> None:
        """Record a failed attempt.

        Args:
            error: the reason. A `CacheError` other than a `TransportError` shows that the server answers; any other
                exception shows nothing about it.
            began: the result of `begin`.
            batch: the commands. A server ends the connection on an argument that is too long, which is not a fault
                of the server.
        """
        if isinstance(error, ConnectionLost) and _may_be_too_large(batch):
            error = InterruptedError()  # not a fault of the server: it does not count as a failure
        if isinstance(error, CacheError) and not isinstance(error, TransportError):
            self.mend()
            return
        now = self._clock()
        if self._until:
            if began == self._trial:  # an attempt that started before the trial shows nothing new
                self._until = now + max(REST, SHARE * (now - began))
        elif isinstance(error, TransportError):
            self.failures += 1
            if isinstance(error, TimeoutError) or now - began >= self._slow or self.failures >= IN_A_ROW:
                self._until = now + REST

    def _refusal(self, seconds: float) -> CircuitOpenError:
        return CircuitOpenError(
            f"not sent: the server gave no answer; the next attempt is in {seconds:.1f} s",
            alias=self._endpoint.alias,
            endpoint=self._endpoint.name,
        )


_LARGE: Final = 1024 * 1024
"""Bytes of an argument that every server accepts."""


def _may_be_too_large(batch: Batch) -> bool:
    return any(isinstance(each, str | bytes) and len(each) > _LARGE for command in batch for each in command)


class Node(Pool, Releasable, Protocol):
    """The pool of one server, as `BreakingClient` wraps it."""

    def abort(self) -> None:
        """End every connection, including those in use."""
        ...


class AsyncNode(AsyncPool, Releasable, Protocol):
    """The async counterpart of `Node`."""

    def abort(self) -> None:
        """End every connection, including those in use."""
        ...


class BreakingClient:
    """A pool with a circuit breaker: it refuses batches while the server gives no answer."""

    __slots__ = ("_circuit", "_pool")

    def __init__(self, pool: Node, circuit: CircuitBreaker) -> None:
        self._pool, self._circuit = pool, circuit

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
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
        """Return True if the next batch would open a connection (see `protocols.Begins`)."""
        connects = getattr(self._pool, "connects", None)
        return connects is not None and connects()

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch if the pool supports it (see `protocols.Begins`)."""
        begin = getattr(self._pool, "begin", None)
        if begin is None:
            return None
        began = self._circuit.begin()
        try:
            pending = begin(batch, until)
        except BaseException as error:
            self._circuit.fail(error, began)
            raise
        return WatchedPending(pending, self._circuit, began)

    def close(self) -> None:
        """End every connection."""
        self._pool.close()

    def abort(self) -> None:
        """End every connection, including those in use."""
        self._pool.abort()

    def release(self) -> None:
        """End the idle connections."""
        self._pool.release()

    def retire(self) -> None:
        """Replace the connections (see `protocols.Retires`)."""
        if (retire := getattr(self._pool, "retire", None)) is not None:
            retire()


@dataclass(frozen=True, slots=True)
class WatchedPending:
    """A written batch that reports its outcome to the circuit: `protocols.Pending`."""

    pending: Pending
    circuit: CircuitBreaker
    began: float

    def replies(self) -> Sequence[Any]:
        """Return the replies (see `protocols.Pending`)."""
        try:
            replies = self.pending.replies()
        except BaseException as error:
            self.circuit.fail(error, self.began)
            raise
        self.circuit.mend()
        return replies

    def abandon(self) -> None:
        """Read no replies. If the attempt was a trial, it counts as failed."""
        self.circuit.fail(InterruptedError(), self.began)
        self.pending.abandon()


class AsyncBreakingClient:
    """The async counterpart of `BreakingClient`."""

    __slots__ = ("_circuit", "_pool")

    def __init__(self, pool: AsyncNode, circuit: CircuitBreaker) -> None:
        self._pool, self._circuit = pool, circuit

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
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
        """End every connection, including those in use."""
        self._pool.abort()

    def release(self) -> None:
        """End the idle connections."""
        self._pool.release()

    async def retire(self) -> None:
        """Replace the connections (see `protocols.Retires`)."""
        if (retire := getattr(self._pool, "retire", None)) is not None:
            await retire()


def with_breaker(pool: Node, endpoint: Endpoint) -> BreakingClient:
    """Return the pool with a circuit breaker of its own."""
    return BreakingClient(pool, CircuitBreaker(endpoint))


def with_async_breaker(pool: AsyncNode, endpoint: Endpoint) -> AsyncBreakingClient:
    """Return the asynchronous pool with a circuit breaker of its own."""
    return AsyncBreakingClient(pool, CircuitBreaker(endpoint))
