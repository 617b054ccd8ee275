"""How far replicas must have come: a primary's offset, sampled now and then, tells which of them lag.

ROLE answers with the offset of the stream of writes, on a primary and on a replica alike
(https://valkey.io/commands/role/). What the primary had written `MAX_LAG` seconds ago, a replica should have by now.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from dvcache.errors import ServerError
from dvcache.types import Batch, Transaction

MAX_LAG: Final = 2.0
"""Seconds by which a replica may be behind before it is set aside."""

SAMPLE_EVERY: Final = 1.0
"""Seconds between two samples, which travel with what goes to the primary anyway."""

ROLE: Final = (("ROLE",),)


class Progress:
    """Samples of a primary's offset. Safe to share by threads and event loops, without a lock.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque(maxlen=8)
        self._due = 0.0

    def request(self, batch: Batch) -> Batch:
        """Return what to send to the primary: the batch, and once a second the question where it is."""
        if (now := self._clock()) < self._due or isinstance(batch, Transaction):
            return batch
        self._due = now + SAMPLE_EVERY
        return batch + ROLE

    def answer(self, batch: Batch, replies: Sequence[Any]) -> Sequence[Any]:
        """Return the batch's replies; take the sample that came with them, if one did."""
        if len(replies) > len(batch):
            *replies, role = replies
            self._note(role)
        return replies

    def _note(self, role: Any) -> None:
        if isinstance(role, ServerError):  # the user may not ask
            self._due = float("inf")
        elif role[0] == b"master":
            offset = int(role[1])
            if self._samples and offset < self._samples[-1][1]:  # another primary, that had not come as far
                self._samples.clear()
            self._samples.append((self._clock(), offset))

    def required(self) -> int:
        """Return the offset that every replica should have reached by now; 0 where that is not known."""
        before = self._clock() - MAX_LAG
        return max((offset for at, offset in list(self._samples) if at <= before), default=0)
