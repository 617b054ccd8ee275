"""Rounds: one question to every sentinel, and the answer that all who ask meanwhile wait for."""

from collections.abc import Collection
from concurrent.futures import Future

from typing_extensions import override

from dvcache.errors import ConnectError
from dvcache.pools.sentinels import Known
from dvcache.types import Address


class Answer(Future[Known]):
    """An answer for which nobody waits for ever, even where no thread runs that could give it.

    Args:
        patience: seconds to wait; None for ever.
        error: what is raised then.
    """

    def __init__(self, patience: float | None, error: ConnectError) -> None:
        super().__init__()
        self.set_running_or_notify_cancel()  # one who leaves cannot cancel it for the others
        self._patience, self._error = patience, error

    @override
    def result(self, timeout: float | None = None) -> Known:
        """Return the answer, as `Future.result` does, or raise a ConnectError in place of its TimeoutError."""
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
    """One question to every sentinel, shared by all who ask meanwhile."""

    __slots__ = ("answer", "awaited", "ended", "failures", "services", "was_known")

    def __init__(self, addresses: Collection[Address], answer: Future[Known]) -> None:
        self.awaited = set(addresses)
        self.answer = answer
        self.ended = 0.0
        self.was_known = False
        self.services: set[str] = set()
        self.failures: list[str] = []
