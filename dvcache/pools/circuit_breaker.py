"""Circuit breaker: send nothing to a server that gave no answer, so that callers do not wait for it.

The circuit opens after one answer that came too late, or after several failures in a row. While open, it refuses
batches without sending anything. After a pause, it lets one caller through as a trial. An answer closes it; after a
failed trial the next pause is proportional to the time that the trial took (Nygard, Release It!, 2007: half-open).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from dvcache.errors import CacheError, CircuitOpenError, ConnectionLost, TransportError
from dvcache.pools.packing import LARGE
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
    """The circuit breaker of one pool, sync or async. It has no lock, so a forked child cannot inherit a held one.

    A pool calls `begin` before an attempt, then `mend` or `fail`; or it makes the attempt within `attempt`.

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

    @contextmanager
    def attempt(self, batch: Batch, began: float | None = None) -> Iterator[None]:
        """Record the outcome of the block as that of an attempt.

        Args:
            batch: the commands.
            began: the result of `begin`; None begins here.

        Raises:
            CircuitOpenError: the circuit is open.
        """
        if began is None:
            began = self.begin()
        try:
            yield
        except BaseException as error:
            self.fail(error, began, batch)
            raise
        self.mend()

    def mend(self) -> None:
        """Close the circuit after an answer."""
        if self.failures:
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


def _may_be_too_large(batch: Batch) -> bool:
    return any(isinstance(each, str | bytes) and len(each) > LARGE for command in batch for each in command)
