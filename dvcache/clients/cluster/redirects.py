"""Redirections and retries of commands in flight: MOVED, ASK, TRYAGAIN, CLUSTERDOWN, lost connections.

Each command of a batch is retried by itself, so that commands that were performed are not repeated. After a lost
connection, a command is sent again only if performing it twice is safe.
"""

from collections.abc import Iterable
from typing import Any, Final, Generic

from dvcache.clients.cluster.discovery import Discovery
from dvcache.clients.cluster.pending import PendingCommand, Round, by_owner, give_up, is_asking, is_refused, requests
from dvcache.effects import Sleep
from dvcache.errors import (
    AskError,
    CacheError,
    ClosedError,
    ConnectError,
    MovedError,
    PoolExhausted,
    ReadOnlyError,
    RedirectError,
    TransportError,
    TryAgainError,
    UnavailableError,
)
from dvcache.routing.commands import is_repeatable, rule_of
from dvcache.routing.flow import C, Exchange, Flow, Outcome
from dvcache.routing.plan import DividedBatch, divide, unite
from dvcache.types import Arg

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.1


class Redirects(Generic[C]):
    """Retries commands in flight until each has its reply or the time is up."""

    def __init__(self, nodes: Discovery[C]) -> None:
        self.nodes = nodes

    def run(
        self, in_flight: list[PendingCommand[C]], outcomes: dict[Any, Outcome], end: float, began: float
    ) -> Flow[C, None]:
        """Evaluate outcomes and send again, until every command has its reply or the clock passes `end`.

        Args:
            in_flight: the commands in flight.
            outcomes: outcomes of the first exchange.
            end: the time after which nothing is sent.
            began: the time at which the first exchange was sent.
        """
        pause, rounds = _FIRST_PAUSE, 0
        split: list[tuple[PendingCommand[C], DividedBatch[Any], dict[Any, list[Any]]]] = []
        while in_flight:
            result = Round(began=began)
            in_flight = [
                left
                for owner, some in by_owner(in_flight)
                for left in self._judged(owner, some, outcomes.get(owner), result)
            ]
            # A table that names none of the owners asked is newer than the requests and needs no refresh.
            if result.is_due and (not in_flight or self._is_current(in_flight)):
                yield from self.refreshed(result.failed, end)
            now = self.nodes.clock()
            if not in_flight or now >= end:
                give_up(in_flight)
                break
            stuck = self._readdress(in_flight)
            # The time to wait for a failed node is over. Commands that other nodes can serve go on.
            if now >= result.until:
                give_up(stuck)
                given_up = set(stuck)
                in_flight, stuck = [pending for pending in in_flight if pending not in given_up], []
                if not in_flight:
                    break
            in_flight = [part for pending in in_flight for part in self._by_key(pending, split)]
            rounds += 1
            # Two rounds without a pause allow for one redirection: to a node, and on from there. Also after each pause:
            # a slot that moves all the time would be elsewhere again if every redirection were followed late.
            if stuck or rounds > 2:  # noqa: PLR2004
                yield Sleep(pause)
                pause, rounds = min(pause * 2, _LONGEST_PAUSE), 0
            began = self.nodes.clock()
            outcomes = yield Exchange(requests(in_flight))
        for pending, divided, replies in split:
            pending.settle(unite(divided, replies)[0])

    def _by_key(
        self, pending: PendingCommand[C], split: list[tuple[PendingCommand[C], DividedBatch[Any], dict[Any, list[Any]]]]
    ) -> list[PendingCommand[C]]:
        """Return the command, or one command per key after TRYAGAIN: the slot's keys are on both nodes meanwhile."""
        rule = rule_of(pending.command)
        tried = isinstance(pending.replies[pending.position], TryAgainError)
        if not tried or rule.merge is None or len(rule.keys(pending.command)) == 1:
            return [pending]
        divided: DividedBatch[Any] = divide((pending.command,), list, _itself, (), apart=True)
        replies: dict[Any, list[Any]] = {key: [None] * len(commands) for key, commands in divided.parts.items()}
        split.append((pending, divided, replies))
        return [
            PendingCommand(command, pending.slot, replies[key], n, pending.owner)
            for key, commands in divided.parts.items()
            for n, command in enumerate(commands)
        ]

    def refreshed(self, failed: object, end: float) -> Flow[C, None]:
        """Refresh the slot table; if that fails, keep the old one.

        Raises:
            TransportError, CacheError: there is no old one.
        """
        try:
            yield from self.nodes.refresh(failed, end=end)
        except (TransportError, CacheError):
            if self.nodes.view is None:
                raise

    def _is_current(self, in_flight: Iterable[PendingCommand[C]]) -> bool:
        """Return True if the slot table still names one of the owners that were asked; if not, it is new already."""
        view = self.nodes.view
        return view is None or any(view.owners[pending.slot] is pending.owner for pending in in_flight)

    def _readdress(self, in_flight: Iterable[PendingCommand[C]]) -> list[PendingCommand[C]]:
        """Set the owners from the slot table; return the commands that can only wait."""
        view = self.nodes.view
        stuck = []
        for pending in in_flight:
            owner = pending.owner
            if view is not None and not pending.asking:  # None: READONLY or READWRITE has just reset the table
                pending.owner = view.owners[pending.slot]
            if pending.waits and pending.owner is owner:
                stuck.append(pending)
            pending.waits = False
        return stuck

    def _judged(
        self, owner: C | None, in_flight: list[PendingCommand[C]], outcome: Outcome | None, result: Round
    ) -> list[PendingCommand[C]]:
        """Store the replies; return the commands to send again."""
        if outcome is None:  # no request was sent: the slot has no owner
            message = f"no node of the cluster serves slot {in_flight[0].slot}"
            outcome = UnavailableError(message, alias=self.nodes.alias)
        if isinstance(outcome, Exception):
            return self._failed(owner, in_flight, outcome, result)
        if is_asking(in_flight):
            outcome = outcome[1::2]  # skip the replies to ASKING
        left = []
        for pending, reply in zip(in_flight, outcome, strict=True):
            pending.asking = False
            pending.settle(reply)
            if is_refused(reply):
                self._redirected(pending, reply, result)
                left.append(pending)
        return left

    def _redirected(self, pending: PendingCommand[C], reply: CacheError, result: Round) -> None:
        if isinstance(reply, MovedError) and reply.address[0] == "?":  # no host is announced: refresh the slot table
            result.is_due = pending.waits = True
        elif isinstance(reply, RedirectError):
            asked, pending.owner = pending.owner, self.nodes.at(reply.address, pending.owner)
            pending.asking = isinstance(reply, AskError)
            if isinstance(reply, MovedError) and self.nodes.moved(reply.slot, pending.owner):
                result.is_due = True
            pending.waits = asked is pending.owner  # redirected to the same node: only time can help
        elif isinstance(reply, TryAgainError):
            pending.waits = True
        else:
            result.is_due = pending.waits = True
            missed = pending.owner if isinstance(reply, ReadOnlyError) else None
            result.until = min(result.until, self.nodes.patience(missed))

    def _failed(
        self, owner: C | None, in_flight: list[PendingCommand[C]], error: Exception, result: Round
    ) -> list[PendingCommand[C]]:
        """Store the error; return the commands to send again: all if none was performed, else the repeatable ones."""
        if not isinstance(error, CacheError):
            raise error
        for pending in in_flight:
            pending.asking = False
            pending.settle(error)
        # An exhausted pool is excluded: another attempt would wait for a connection again.
        if not isinstance(error, TransportError | ClosedError) or isinstance(error, PoolExhausted):
            return []
        if self.nodes.closed:
            raise error
        result.is_due, result.failed = True, owner
        if isinstance(error, ConnectError | ClosedError | UnavailableError):  # nothing was performed
            result.until = min(result.until, self.nodes.patience(owner, result.began))
            for pending in in_flight:
                pending.waits = True
            return in_flight
        # A slot with a command that is not repeatable is not retried at all, so its commands keep their order.
        tainted = {pending.slot for pending in in_flight if not is_repeatable((pending.command,))}
        return [pending for pending in in_flight if pending.slot not in tainted]


def _itself(key: Arg) -> Arg:
    return key
