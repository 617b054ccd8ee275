"""Replica balancer: round robin over servers that hold the same data, with ejection and probing.

Pure except for its clock: nothing is sent here. Safe to share by threads and event loops. There is no lock, so a forked
child never inherits a held one.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from dvcache.errors import ClosedError, ServerError, TransportError, UnavailableError
from dvcache.routing.replica_lag import ROLE, ReplicationLag
from dvcache.routing.retries import Flow
from dvcache.types import Batch

M = TypeVar("M")

FIRST_REST: Final = 1.0
"""Seconds that a server is ejected after its first failure; doubled by each further failure."""

LONGEST_REST: Final = 30.0

CHECK_EVERY: Final = 1.0
"""Seconds between two checks that a replica still follows its primary."""

SHARE: Final = 0.5
"""Share of the time until the deadline that one attempt may use, so that others can follow."""

RUN: Final = 16
"""Consecutive batches to one member, so that its connection stays in the CPU caches: alternating costs 8 %."""


class ReplicaHealth(Generic[M]):
    """Health of one member."""

    __slots__ = ("answers", "due", "member", "on_trial", "rest", "until")

    def __init__(self, member: M) -> None:
        self.member = member
        self.due = 0.0
        """Time of the next check that it follows its primary; 0 while it is ejected."""
        self.rest = 0.0
        """Seconds that it is ejected for; 0 if it is not ejected."""
        self.until = 0.0
        """Time when its ejection ends."""
        self.answers = True
        """False if it was ejected for not replying."""
        self.on_trial = False
        """True while a caller probes it after its ejection; only that attempt decides whether it is healthy."""


class ReplicaBalancer(Generic[M]):
    """Round robin over members; a member that fails or lags is ejected and probed later.

    Args:
        members: returns the current members; the same tuple while nothing changes.
        clock: monotonic clock, in seconds.
    """

    def __init__(self, members: Callable[[], Sequence[M]], clock: Callable[[], float] = time.monotonic) -> None:
        self.members = members
        self.progress = ReplicationLag(clock)
        """Replication lag, updated by the code that writes to the primary."""
        self._clock = clock
        self._turns = itertools.count()
        self._seated: tuple[Sequence[M], tuple[ReplicaHealth[M], ...]] = ((), ())

    def _seats(self) -> tuple[ReplicaHealth[M], ...]:
        members = self.members()
        seated, seats = self._seated
        if members is not seated:
            known = {id(seat.member): seat for seat in seats}
            seats = tuple(known.get(id(member)) or ReplicaHealth(member) for member in members)
            self._seated = members, seats
        return seats

    def first(self) -> M | None:
        """Return the next member, or None if a flow must decide: no members, an ejected one, or a check that is due."""
        seated, seats = self._seated
        if self.members() is not seated:
            seats = self._seats()
        if seats:
            seat = seats[next(self._turns) // RUN % len(seats)]
            if self._clock() < seat.due:
                return seat.member
        return None

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Return True if no reply says that the server is unavailable."""
        for reply in replies:  # noqa: SIM110  # a generator expression costs more than the loop
            if isinstance(reply, UnavailableError):
                return False
        return True

    def flow(self, batch: Batch, begun: M | None = None, /) -> Flow[M]:
        """Try the members in turn until one answers.

        Raises:
            TransportError: none answered.
        """
        failure: TransportError | None = None
        for seat in self._turn(begun):
            request = batch if seat.member is begun else self._request(seat, batch)
            try:
                replies = yield seat.member, request, SHARE
            except ClosedError:  # the member was removed during the attempt
                continue
            except TransportError as error:
                self._set_aside(seat, answers=False)
                failure = error
            else:
                answer = self._answer(seat, batch, replies)
                if answer is not None:
                    return answer
        raise failure or UnavailableError("no replica can be read from")

    def last_resort(self, batch: Batch, /) -> Flow[M]:
        """Try every member, ejected or not, until one answers; the data may be stale.

        Raises:
            TransportError: none answered.
        """
        failure: TransportError | None = None
        # Members that replied when they were ejected come first: they are reachable.
        for seat in sorted(self._seats(), key=lambda seat: not seat.answers):
            try:
                replies: Sequence[Any] = yield seat.member, batch, SHARE
            except ClosedError:
                continue
            except TransportError as error:
                failure = error
            else:
                if self.suffices(replies):
                    return replies
        raise failure or UnavailableError("no replica can be read from")

    def _turn(self, begun: M | None) -> Iterator[ReplicaHealth[M]]:
        """Yield the members in round-robin order, without ejected ones."""
        seats = self._seats()
        if begun is not None:
            yield next((seat for seat in seats if seat.member is begun), ReplicaHealth(begun))
        start = next(self._turns) // RUN
        for n in range(len(seats)):
            seat = seats[(start + n) % len(seats)]
            if seat.member is not begun and (not seat.rest or self._is_over(seat)):
                yield seat

    def _is_over(self, seat: ReplicaHealth[M]) -> bool:
        """Return True if a member's ejection is over; then only this caller probes it during the next interval."""
        if (now := self._clock()) < seat.until:
            return False
        # Extended before the attempt: later callers still see an ejected member, so only one probes it.
        seat.until = now + seat.rest
        seat.on_trial = True
        return True

    def _set_aside(self, seat: ReplicaHealth[M], *, answers: bool = True) -> None:
        """Eject a member that failed, for twice as long as the last time."""
        if seat.rest and not seat.on_trial:  # another caller's attempt, started before the ejection
            return
        seat.rest = min(seat.rest * 2 or FIRST_REST, LONGEST_REST)
        seat.until = self._clock() + seat.rest
        seat.due, seat.on_trial, seat.answers = 0.0, False, answers

    def _request(self, seat: ReplicaHealth[M], batch: Batch) -> Batch:
        """Return the batch to send to a member, with ROLE appended when a check is due."""
        now = self._clock()
        if now < seat.due:
            return batch
        if not seat.rest:
            seat.due = now + CHECK_EVERY
        return batch + ROLE

    def _answer(self, seat: ReplicaHealth[M], batch: Batch, replies: Sequence[Any]) -> Sequence[Any] | None:
        """Return the batch's replies, or eject the member and return None if they are not to be trusted."""
        answers = replies[: len(batch)]
        if not self.suffices(answers) or any(
            is_stale(role, self.progress.required()) for role in replies[len(batch) :]
        ):
            self._set_aside(seat)
            return None
        if seat.on_trial:
            seat.rest, seat.on_trial = 0.0, False
        return answers


def is_stale(role: Any, required: int = 0) -> bool:
    """Return True if ROLE shows a replica that is disconnected or behind `required`. NOPERM counts as healthy."""
    if isinstance(role, ServerError) or role[0] != b"slave":
        return False
    _, _, _, state, offset = role
    return state != b"connected" or int(offset) < required
