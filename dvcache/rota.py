"""A rota: whose turn it is among servers that hold the same data, and who is set aside for a while.

Pure but for its clock: nothing is sent here. Safe to share by threads and event loops.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from dvcache.attempts import Flow
from dvcache.errors import ServerError, TransportError, UnavailableError
from dvcache.types import Batch

M = TypeVar("M")

FIRST_REST: Final = 1.0
"""Seconds that a server is set aside after its first failure; each further failure doubles it."""

LONGEST_REST: Final = 30.0

CHECK_EVERY: Final = 1.0
"""Seconds between two looks at whether a replica still follows its primary."""

_ROLE: Final = (("ROLE",),)


class Rota(Generic[M]):
    """Members take turns; one that fails, or no longer follows its primary, is set aside and tried again later.

    Args:
        members: who there is, asked at each turn.
        clock: seconds that only ever grow.
    """

    def __init__(self, members: Callable[[], Sequence[M]], clock: Callable[[], float] = time.monotonic) -> None:
        self.members = members
        self._clock = clock
        self._turns = itertools.count()
        self._resting: dict[M, tuple[float, float]] = {}
        """Until when each failed member rests, and for how long that is."""
        self._checked: dict[M, float] = {}

    def turn(self) -> Iterator[M]:
        """Yield the members in this caller's order, but for those that rest."""
        members = self.members()
        start = next(self._turns)
        for n in range(len(members)):
            member = members[(start + n) % len(members)]
            if member not in self._resting or self._on_trial(member):
                yield member

    def _on_trial(self, member: M) -> bool:
        """Tell whether a member's rest is over; if so, only this caller tries it before the next one would be."""
        until, rest = self._resting[member]
        if (now := self._clock()) < until:
            return False
        self._resting[member] = now + rest, rest
        return True

    def set_aside(self, member: M) -> None:
        """Let a member that failed rest, longer than the last time."""
        _, rest = self._resting.get(member, (0.0, FIRST_REST / 2))
        rest = min(rest * 2, LONGEST_REST)
        self._resting[member] = self._clock() + rest, rest

    def request(self, member: M, batch: Batch) -> Batch:
        """Return what to send to a member: the batch, and now and then the question whether it follows its primary."""
        now = self._clock()
        if now - self._checked.get(member, -CHECK_EVERY) < CHECK_EVERY:
            return batch
        self._checked[member] = now
        return batch + _ROLE

    def answer(self, member: M, batch: Batch, replies: Sequence[Any]) -> Sequence[Any] | None:
        """Return the batch's replies, or None if they should not be trusted: then the member is set aside."""
        if len(replies) > len(batch):
            *replies, role = replies
            if is_stale(role):
                self.set_aside(member)
                return None
        for reply in replies:
            if isinstance(reply, UnavailableError):
                self.set_aside(member)
                return None
        if member in self._resting:
            del self._resting[member]
        return replies


def is_stale(role: Any) -> bool:
    """Tell of ROLE's answer whether it is a replica's that has lost its primary. Who may not ask is not doubted."""
    return not isinstance(role, ServerError) and role[0] == b"slave" and role[3] != b"connected"


def spread(rota: Rota[M], batch: Batch) -> Flow[M]:
    """Ask the members in turn until one can answer.

    Raises:
        TransportError: none can.
    """
    failure: TransportError | None = None
    for member in rota.turn():
        try:
            replies = yield member, rota.request(member, batch)
        except TransportError as error:
            rota.set_aside(member)
            failure = error
        else:
            answer = rota.answer(member, batch, replies)
            if answer is not None:
                return answer
    raise failure or UnavailableError("no replica can be read from now")
