"""Failover behind a name: the name resolves to a new primary while connections to the old one stay open.

The old primary, now a replica, answers READONLY. The client ends its connections and repeats the refused commands on a
connection that resolves the name again. Commands that were answered are not repeated.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

from dvcache.effects import Transaction
from dvcache.errors import ReadOnlyError
from dvcache.types import Batch

TOGETHER: Final = 0.1
"""Seconds within which callers that were refused on old connections share one reconnection."""

AGAIN: Final = 1.0
"""Seconds without a further attempt after a new connection led to a read-only server too."""


class PrimaryMoves:
    """Failover state of one primary. It has no lock, so a forked child cannot inherit a held one."""

    __slots__ = ("_ended", "vain")

    def __init__(self) -> None:
        self._ended = float("-inf")
        self.vain = 0.0
        """Time of the last reconnection that led to a read-only server, in `time.monotonic` seconds; 0 if none."""

    def is_news(self) -> bool:
        """Return True unless another caller ended the connections within the last `TOGETHER` seconds."""
        return time.monotonic() - self._ended > TOGETHER

    def ended(self) -> None:
        """Record that the connections were ended. Two callers may race here, which ends some new connections too."""
        self._ended = time.monotonic()

    def is_due_after(self, replies: Sequence[Any]) -> bool:
        """Return True if a command was refused with READONLY and a new connection may help."""
        return is_refused(replies) and (not self.vain or time.monotonic() - self.vain > AGAIN)

    def repeated(self, batch: Batch, replies: Sequence[Any], again: Sequence[Any]) -> Sequence[Any]:
        """Return the replies, with the refused ones replaced by those of the repeated commands."""
        # Refused again: for `AGAIN` seconds, READONLY is returned without reconnecting for each write.
        self.vain = time.monotonic() if is_refused(again) else 0.0
        if type(batch) is Transaction:
            return again
        turns = iter(again)
        return [next(turns) if type(reply) is ReadOnlyError else reply for reply in replies]


def is_refused(replies: Sequence[Any]) -> bool:
    """Return True if the server refused a command because it is a replica (READONLY)."""
    return type(replies[0]) is ReadOnlyError if len(replies) == 1 else ReadOnlyError in map(type, replies)


def refused_part(batch: Batch, replies: Sequence[Any]) -> Batch:
    """Return the refused commands; all of a transaction, which is refused as a whole."""
    if type(batch) is Transaction:
        return batch
    return tuple([command for command, reply in zip(batch, replies, strict=True) if type(reply) is ReadOnlyError])
