"""Rounds of Sentinel discovery: one query to every sentinel, whose answer concurrent callers share."""

from collections.abc import Collection
from concurrent.futures import Future

from typing_extensions import override

from dvcache.errors import ConnectError
from dvcache.pools.sentinels import Known
from dvcache.types import Address


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


class Round:
    """One query to every sentinel, shared by all concurrent callers."""

    __slots__ = ("answer", "awaited", "ended", "failures", "services", "was_known")

    def __init__(self, addresses: Collection[Address], answer: Future[Known]) -> None:
        self.awaited = set(addresses)
        self.answer = answer
        self.ended = 0.0
        self.was_known = False
        self.services: set[str] = set()
        self.failures: list[str] = []
