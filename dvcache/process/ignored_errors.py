"""Errors ignored by IGNORE_EXCEPTIONS: counted, and logged at intervals."""

import logging
import threading
from typing import Final

from dvcache.process.fork import renewed_after_fork

INTERVAL: Final = 10.0
"""Seconds between two log lines for errors of one class."""


class IgnoredErrors:
    """Count and log the ignored errors of one cache. Used from any thread.

    Args:
        logger: logs them at level WARNING; None for no log.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger
        self._counts: dict[tuple[str, str], int] = {}
        self._logged_at: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Create a new lock: after a fork the old one may be held by a thread that does not exist in the child."""
        self._lock = threading.RLock()  # reentrant: a signal handler or `__del__` may call `note` during `note`

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of errors since the start, by operation and name of the error's class."""
        with self._lock:
            return dict(self._counts)

    def note(self, place: str, operation: str, error: Exception, now: float) -> None:
        """Count an error; log it unless one of its class was logged within `INTERVAL`.

        Args:
            place: the name of the cache whose operation failed.
            operation: the operation's name.
            error: the error.
            now: the time, in seconds.
        """
        name = type(error).__name__
        with self._lock:
            self._counts[operation, name] = self._counts.get((operation, name), 0) + 1
            logged = self._logged_at.get(name)
            if logged is not None and 0 <= now - logged < INTERVAL:
                self._unlogged[name] = self._unlogged.get(name, 0) + 1
                return
            self._logged_at[name], others = now, self._unlogged.pop(name, 0)
        if self._logger is None:
            return
        more = f"; {others} more since the last such line" if others else ""
        message = "Exception ignored: %s of %s returned an empty value%s"
        self._logger.warning(message, operation, place, more, exc_info=error, extra={"suppressed": others})
