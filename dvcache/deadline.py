"""Deadlines: the time by which a batch must end, even if a server hangs.

A deadline is `until`, in seconds of `time.monotonic`, or None for none. The outermost client sets it and passes it on;
each wait is bounded by the time left. No attempt starts after it has passed.
"""

import time
from typing import Final

from dvcache.errors import ReplyTimeout, TransportError
from dvcache.types import Batch

_NAMED: Final = 4
"""Maximum number of failed attempts named in an error; a batch rarely has more."""


def has_passed(until: float | None) -> bool:
    """Return True if there is a deadline and it has passed."""
    return until is not None and time.monotonic() >= until


def left(until: float | None, limit: float | None = None) -> float | None:
    """Return how many seconds a wait may take.

    Args:
        until: the deadline.
        limit: the wait's own limit in seconds; None for none.

    Returns:
        The smaller of the limit and the time left until the deadline, at least 0; None if there is neither.
    """
    if until is None:
        return limit
    remaining = max(until - time.monotonic(), 0.0)
    return remaining if limit is None else min(remaining, limit)


def part(until: float | None, share: float) -> float | None:
    """Return the deadline of an attempt that may use only a share of the time left, so that others can follow it."""
    if until is None:
        return None
    now = time.monotonic()
    return now + (until - now) * share


class Trail:
    """Failed attempts of a batch, for error messages that show where its time went.

    Args:
        failure: the error of an earlier attempt, if any.
    """

    __slots__ = ("_failures",)

    def __init__(self, failure: object = None) -> None:
        self._failures: list[TransportError] = []
        self.add(failure)

    def add(self, outcome: object) -> None:
        """Record the outcome of an attempt if it is a transport error."""
        if isinstance(outcome, TransportError) and all(each is not outcome for each in self._failures):
            self._failures.append(outcome)

    def explain(self, error: TransportError) -> None:
        """Append the earlier failures to the message of the error that ends the batch."""
        before = [each for each in self._failures if each is not error]
        texts = [text for each in before[-_NAMED:] if (text := _text(each)) not in error.message]
        if texts:
            error.message = f"{error.message}; before that: {'; '.join(texts)}"
        self._failures = [error]

    def passed(self, batch: Batch) -> TransportError:
        """Return the error of a batch whose deadline passed before the next attempt."""
        last = self._failures[-1] if self._failures else None
        error = ReplyTimeout(
            "the deadline has passed",
            alias=last.alias if last else "",
            endpoint=last.endpoint if last else "",
            command=str(batch[0][0]) if batch else "",
        )
        if self._failures:
            texts = [_text(each) for each in self._failures[-_NAMED:]]
            error.message = f"{error.message}: {'; '.join(texts)}"
            error.__cause__ = last
        return error


def _text(error: TransportError) -> str:
    return f"{error.endpoint}: {error.message}" if error.endpoint else error.message


def unsent(batch: Batch) -> TransportError:
    """Return the error of a batch that was not sent because its deadline had passed."""
    return ReplyTimeout("not sent: the deadline has passed", command=str(batch[0][0]) if batch else "")
