"""Errors that were answered for with an empty value: counted, and told to a logger now and then."""

import logging
import threading
from typing import Final

from dvcache.pools.forking import renewed_after_fork

INTERVAL: Final = 10.0
"""Seconds in which the errors of one class make one line in the log."""


class Ignored:
    """The errors of one cache that were ignored. Used from any thread.

    Args:
        logger: what is told of them, at level WARNING; nothing where None.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger
        self._counts: dict[tuple[str, str], int] = {}
        self._told: dict[str, float] = {}
        self._untold: dict[str, int] = {}
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Take a new lock: in a forked child the old one may be held by a thread that is not there."""
        self._lock = threading.RLock()  # a signal handler or `__del__` may note an error within `note`

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many there were since the start, by operation and name of the error's class."""
        with self._lock:
            return dict(self._counts)

    def note(self, alias: str, operation: str, error: Exception, now: float) -> None:
        """Count an error, and tell the logger unless it has just been told of one of its class.

        Args:
            alias: whose operation failed.
            operation: its name.
            error: why no answer came.
            now: the time, in seconds.
        """
        name = type(error).__name__
        with self._lock:
            self._counts[operation, name] = self._counts.get((operation, name), 0) + 1
            told = self._told.get(name)
            if told is not None and 0 <= now - told < INTERVAL:
                self._untold[name] = self._untold.get(name, 0) + 1
                return
            self._told[name], others = now, self._untold.pop(name, 0)
        if self._logger is None:
            return
        more = f"; {others} more since the last such line" if others else ""
        message = "Exception ignored: %s of CACHES[%r] returned an empty value%s"
        self._logger.warning(message, operation, alias, more, exc_info=error, extra={"suppressed": others})
