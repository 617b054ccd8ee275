"""Replication lag: samples of a primary's offset, from which the required offset of its replicas follows.

ROLE returns the offset of the replication stream on primaries and replicas alike (https://valkey.io/commands/role/). A
replica should have reached by now the offset that the primary had `MAX_LAG` seconds ago.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from dvcache.effects import Transaction
from dvcache.errors import ServerError
from dvcache.types import Batch

MAX_LAG: Final = 2.0
"""Maximum seconds that a replica may lag before it is ejected."""

SAMPLE_EVERY: Final = 1.0
"""Seconds between two samples, which are sent along with batches to the primary."""

ROLE: Final = (("ROLE",),)


class ReplicationLag:
    """Samples of a primary's offset. Safe to share by threads and event loops, without a lock.

    Args:
        clock: monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque(maxlen=8)
        self._due = 0.0

    def is_due(self) -> bool:
        """Return True if a sample is due."""
        return self._clock() >= self._due

    def request(self, batch: Batch) -> Batch:
        """Return the batch to send to the primary, with ROLE appended when a sample is due."""
        if isinstance(batch, Transaction) or not self.is_due():
            return batch
        self._due = self._clock() + SAMPLE_EVERY
        return batch + ROLE

    def answer(self, batch: Batch, replies: Sequence[Any]) -> Sequence[Any]:
        """Return the batch's replies; record the sample if one was requested."""
        if len(replies) > len(batch):
            *replies, role = replies
            self._note(role)
        return replies

    def _note(self, role: Any) -> None:
        if isinstance(role, ServerError):  # the ACL denies ROLE: stop sampling
            self._due = float("inf")
        elif role[0] == b"master":
            offset = int(role[1])
            if self._samples and offset < self._samples[-1][1]:  # after a failover to a primary that was behind
                self._samples.clear()
            self._samples.append((self._clock(), offset))

    def required(self) -> int:
        """Return the offset that every replica should have reached by now; 0 if unknown."""
        before = self._clock() - MAX_LAG
        return max((offset for at, offset in list(self._samples) if at <= before), default=0)
