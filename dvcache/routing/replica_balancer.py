"""Replica balancer: round robin over servers that hold the same data, with ejection and probing.

Pure except for its clock: nothing is sent here. Safe to share by threads and event loops. There is no lock, so a forked
child never inherits a held one.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic

from dvcache.errors import ClosedError, ServerError, TransportError, UnavailableError
from dvcache.routing.flow import Attempt, C, Flow
from dvcache.routing.replica_lag import ROLE, ReplicationLag
from dvcache.types import Batch

FIRST_EJECTION: Final = 1.0
"""Seconds that a server is ejected after its first failure; doubled by each further failure."""

LONGEST_EJECTION: Final = 30.0

CHECK_EVERY: Final = 1.0
"""Seconds between two checks that a replica still follows its primary."""

SHARE: Final = 0.5
"""Share of the time until the deadline that one attempt may use, so that others can follow."""

RUN: Final = 16
"""Consecutive batches to one member, so that its connection stays in the CPU caches: alternating costs 8 %."""


class ReplicaHealth(Generic[C]):
    """Health of one member."""

    __slots__ = ("answers", "due", "ejected_for", "member", "probing", "until")

    def __init__(self, member: C) -> None:
        self.member = member
        self.due = 0.0
        """Time of the next check that it follows its primary; 0 while it is ejected."""
        self.ejected_for = 0.0
        """Seconds that it is ejected for; 0 if it is not ejected."""
        self.until = 0.0
        """Time when its ejection ends."""
        self.answers = True
        """False if it was ejected for not replying."""
        self.probing = False
        """True while a caller probes it after its ejection; only that attempt decides whether it is healthy."""


class ReplicaBalancer(Generic[C]):
    """Routing of reads: round robin over members. A member that fails or lags is ejected and probed later.

    Args:
        members: returns the current members; the same tuple while nothing changes.
        clock: monotonic clock, in seconds.
    """

    def __init__(self, members: Callable[[], Sequence[C]], clock: Callable[[], float] = time.monotonic) -> None:
        self.members = members
        self.lag = ReplicationLag(clock)
        """Replication lag, updated by the code that writes to the primary."""
        self._clock = clock
        self._counter = itertools.count()
        self._known: tuple[Sequence[C], tuple[ReplicaHealth[C], ...]] = ((), ())

    def _healths(self) -> tuple[ReplicaHealth[C], ...]:
        members = self.members()
        known_members, healths = self._known
        if members is not known_members:
            known = {id(health.member): health for health in healths}
            healths = tuple(known.get(id(member)) or ReplicaHealth(member) for member in members)
            self._known = members, healths
        return healths

    def first(self, _: Batch = (), /) -> C | None:
        """Return the next member, or None if a flow must decide: no members, an ejected one, or a check that is due."""
        known_members, healths = self._known
        if self.members() is not known_members:
            healths = self._healths()
        if healths:
            health = healths[next(self._counter) // RUN % len(healths)]
            if self._clock() < health.due:
                return health.member
        return None

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Return True if no reply says that the server is unavailable."""
        for reply in replies:  # noqa: SIM110  # a generator expression costs more than the loop
            if isinstance(reply, UnavailableError):
                return False
        return True

    def flow(self, batch: Batch, begun: C | None = None, _until: float | None = None, /) -> Flow[C, Sequence[Any]]:
        """Try the members in turn until one answers.

        Raises:
            TransportError: none answered.
        """
        failure: TransportError | None = None
        for health in self._round_robin(begun):
            request = batch if health.member is begun else self._request(health, batch)
            try:
                replies = yield Attempt(health.member, request, SHARE)
            except ClosedError:  # the member was removed during the attempt
                continue
            except TransportError as error:
                self._eject(health, answers=False)
                failure = error
            else:
                answer = self._answer(health, batch, replies)
                if answer is not None:
                    return answer
        raise failure or UnavailableError("no replica can be read from")

    def last_resort(self, batch: Batch, /) -> Flow[C, Sequence[Any]]:
        """Try every member, ejected or not, until one answers; the data may be stale.

        Raises:
            TransportError: none answered.
        """
        failure: TransportError | None = None
        # Members that replied when they were ejected come first: they are reachable.
        for health in sorted(self._healths(), key=lambda health: not health.answers):
            try:
                replies: Sequence[Any] = yield Attempt(health.member, batch, SHARE)
            except ClosedError:
                continue
            except TransportError as error:
                failure = error
            else:
                if self.suffices(replies):
                    return replies
        raise failure or UnavailableError("no replica can be read from")

    def close(self) -> None:
        """Close the members."""
        for member in self.members():
            member.close()

    def _round_robin(self, begun: C | None) -> Iterator[ReplicaHealth[C]]:
        """Yield the members in round-robin order, without ejected ones."""
        healths = self._healths()
        if begun is not None:
            yield next((health for health in healths if health.member is begun), ReplicaHealth(begun))
        start = next(self._counter) // RUN
        for n in range(len(healths)):
            health = healths[(start + n) % len(healths)]
            if health.member is not begun and (not health.ejected_for or self._may_probe(health)):
                yield health

    def _may_probe(self, health: ReplicaHealth[C]) -> bool:
        """Return True if a member's ejection is over; then only this caller probes it during the next interval."""
        if (now := self._clock()) < health.until:
            return False
        # Extended before the attempt: later callers still see an ejected member, so only one probes it.
        health.until = now + health.ejected_for
        health.probing = True
        return True

    def _eject(self, health: ReplicaHealth[C], *, answers: bool = True) -> None:
        """Eject a member that failed, for twice as long as the last time."""
        if health.ejected_for and not health.probing:  # another caller's attempt, started before the ejection
            return
        health.ejected_for = min(health.ejected_for * 2 or FIRST_EJECTION, LONGEST_EJECTION)
        health.until = self._clock() + health.ejected_for
        health.due, health.probing, health.answers = 0.0, False, answers

    def _request(self, health: ReplicaHealth[C], batch: Batch) -> Batch:
        """Return the batch to send to a member, with ROLE appended when a check is due."""
        now = self._clock()
        if now < health.due:
            return batch
        if not health.ejected_for:
            health.due = now + CHECK_EVERY
        return batch + ROLE

    def _answer(self, health: ReplicaHealth[C], batch: Batch, replies: Sequence[Any]) -> Sequence[Any] | None:
        """Return the batch's replies, or eject the member and return None if they are not to be trusted."""
        answers = replies[: len(batch)]
        if not self.suffices(answers) or any(is_stale(role, self.lag.required()) for role in replies[len(batch) :]):
            self._eject(health)
            return None
        if health.probing:
            health.ejected_for, health.probing = 0.0, False
        return answers


def is_stale(role: Any, required: int = 0) -> bool:
    """Return True if ROLE shows a replica that is disconnected or behind `required`. NOPERM counts as healthy."""
    if isinstance(role, ServerError) or role[0] != b"slave":
        return False
    _, _, _, state, offset = role
    return state != b"connected" or int(offset) < required
