"""A rota: whose turn it is among servers that hold the same data, and who is set aside for a while.

Pure but for its clock: nothing is sent here. Safe to share by threads and event loops, and without a lock, so that a
forked child finds none held.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from dvcache.attempts import Flow
from dvcache.errors import ClosedError, ServerError, TransportError, UnavailableError
from dvcache.progress import ROLE, Progress
from dvcache.types import Batch

M = TypeVar("M")

FIRST_REST: Final = 1.0
"""Seconds that a server is set aside after its first failure; each further failure doubles it."""

LONGEST_REST: Final = 30.0

CHECK_EVERY: Final = 1.0
"""Seconds between two looks at whether a replica still follows its primary."""

SHARE: Final = 0.5
"""Share of the time left until the deadline that one attempt may use: others may have to follow it."""

RUN: Final = 16
"""Batches in a row that go to one member, whose connection stays in the processor's caches: alternating costs 8 %."""


class Seat(Generic[M]):
    """One member, and what is known of it."""

    __slots__ = ("answers", "due", "member", "on_trial", "rest", "until")

    def __init__(self, member: M) -> None:
        self.member = member
        self.due = 0.0
        """When it is to be asked again whether it follows its primary; 0 while it rests."""
        self.rest = 0.0
        """For how many seconds it is set aside; 0 where it is not."""
        self.until = 0.0
        """When its rest ends."""
        self.answers = True
        """Whether it is set aside, if it is, for what it answered, and not for giving no answer."""
        self.on_trial = False
        """Whether somebody tries it after its rest: that attempt alone says whether it is well again."""


class Rota(Generic[M]):
    """Members take turns; one that fails, or no longer follows its primary closely, is set aside and tried again later.

    Args:
        members: who there is, asked at each turn; the same tuple while nothing changes.
        clock: seconds that only ever grow.
    """

    def __init__(self, members: Callable[[], Sequence[M]], clock: Callable[[], float] = time.monotonic) -> None:
        self.members = members
        self.progress = Progress(clock)
        """How far the primary is, for whoever writes there to tell."""
        self._clock = clock
        self._turns = itertools.count()
        self._seated: tuple[Sequence[M], tuple[Seat[M], ...]] = ((), ())

    def _seats(self) -> tuple[Seat[M], ...]:
        members = self.members()
        seated, seats = self._seated
        if members is not seated:
            known = {id(seat.member): seat for seat in seats}
            seats = tuple(known.get(id(member)) or Seat(member) for member in members)
            self._seated = members, seats
        return seats

    def first(self) -> M | None:
        """Return whose turn it is, or None where there is more to it: nobody there, a rest, a question that is due."""
        seated, seats = self._seated
        if self.members() is not seated:
            seats = self._seats()
        if seats:
            seat = seats[next(self._turns) // RUN % len(seats)]
            if self._clock() < seat.due:
                return seat.member
        return None

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Say whether these are answers."""
        for reply in replies:  # noqa: SIM110  # a generator would cost more than all the rest
            if isinstance(reply, UnavailableError):
                return False
        return True

    def flow(self, batch: Batch, begun: M | None = None, /) -> Flow[M]:
        """Ask the members in turn until one can answer.

        Raises:
            TransportError: none can.
        """
        failure: TransportError | None = None
        for seat in self._turn(begun):
            request = batch if seat.member is begun else self._request(seat, batch)
            try:
                replies = yield seat.member, request, SHARE
            except ClosedError:  # it left while this was under way
                continue
            except TransportError as error:
                self._set_aside(seat, answers=False)
                failure = error
            else:
                answer = self._answer(seat, batch, replies)
                if answer is not None:
                    return answer
        raise failure or UnavailableError("no replica can be read from now")

    def last_resort(self, batch: Batch, /) -> Flow[M]:
        """Ask one member after another, set aside or not, until one answers anything: it may be stale.

        Raises:
            TransportError: none does.
        """
        failure: TransportError | None = None
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
        raise failure or UnavailableError("no replica can be read from now")

    def _turn(self, begun: M | None) -> Iterator[Seat[M]]:
        """Yield the seats in this caller's order, but for those that rest."""
        seats = self._seats()
        if begun is not None:
            yield next((seat for seat in seats if seat.member is begun), Seat(begun))
        start = next(self._turns) // RUN
        for n in range(len(seats)):
            seat = seats[(start + n) % len(seats)]
            if seat.member is not begun and (not seat.rest or self._is_over(seat)):
                yield seat

    def _is_over(self, seat: Seat[M]) -> bool:
        """Tell whether a member's rest is over; if so, only this caller tries it before the next one would be."""
        if (now := self._clock()) < seat.until:
            return False
        seat.until = now + seat.rest
        seat.on_trial = True
        return True

    def _set_aside(self, seat: Seat[M], *, answers: bool = True) -> None:
        """Let a member that failed rest, longer than the last time."""
        if seat.rest and not seat.on_trial:  # another caller's attempt, begun before the rest
            return
        seat.rest = min(seat.rest * 2 or FIRST_REST, LONGEST_REST)
        seat.until = self._clock() + seat.rest
        seat.due, seat.on_trial, seat.answers = 0.0, False, answers

    def _request(self, seat: Seat[M], batch: Batch) -> Batch:
        """Return what to send to a member: the batch, and now and then the question whether it follows its primary."""
        now = self._clock()
        if now < seat.due:
            return batch
        if not seat.rest:
            seat.due = now + CHECK_EVERY
        return batch + ROLE

    def _answer(self, seat: Seat[M], batch: Batch, replies: Sequence[Any]) -> Sequence[Any] | None:
        """Return the batch's replies, or None if they should not be trusted: then the member is set aside."""
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
    """Tell of ROLE's answer whether it is a replica's that has lost its primary, or has not come as far as it should.

    Who may not ask is not doubted.
    """
    if isinstance(role, ServerError) or role[0] != b"slave":
        return False
    _, _, _, state, offset = role
    return state != b"connected" or int(offset) < required
