"""How a batch finds the owners of its keys, also while they change: MOVED, ASK, TRYAGAIN, CLUSTERDOWN, lost nodes.

Every command of a batch is an errand of its own: what was performed is not repeated for what was not. A command whose
connection was lost is sent again only if performing it twice does no harm.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic

from typing_extensions import TypeIs

from dvcache.clients.cluster.errands import Errand, Round, by_owner, give_up, is_asking, requests
from dvcache.clients.cluster.nodes import C, Nodes, View
from dvcache.clients.commands import is_repeatable, rule
from dvcache.clients.exchanges import Outcome, Steps
from dvcache.clients.routing import Place, Plan, divide, gathered, sole, unite
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
from dvcache.slots import SLOTS, slot, slots
from dvcache.types import Arg, Batch, Command, Sleep

_OWN: Final = frozenset({"SCAN", "READONLY", "READWRITE"})
"""Commands that mean something else to a cluster than to one of its nodes."""

_NOT_FINAL: Final = (UnavailableError, ReadOnlyError, RedirectError)
"""Replies that say that nothing was performed."""

_NOT_FINAL_TYPES: Final = frozenset(
    {UnavailableError, TryAgainError, ReadOnlyError, RedirectError, MovedError, AskError}
)
_FEW: Final = 4
"""Replies that are looked at one by one; more are faster by their types."""

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.1


def is_final(outcome: Outcome) -> TypeIs[Sequence[Any]]:
    """Say whether these are the replies of owners."""
    if isinstance(outcome, Exception):
        return False
    if len(outcome) > _FEW:
        return _NOT_FINAL_TYPES.isdisjoint(map(type, outcome))
    for reply in outcome:  # noqa: SIM110  # a generator would cost more than all the rest
        if isinstance(reply, _NOT_FINAL):
            return False
    return True


class Routes(Generic[C]):
    """The ways of batches to the nodes of a cluster."""

    def __init__(self, nodes: Nodes[C]) -> None:
        self.nodes = nodes

    def sole(self, batch: Batch) -> C | None:
        """Return the one who owns every key of the batch, if all are in one slot and the owner is known."""
        view = self.nodes.view
        if view is None:
            return None
        found = sole(batch, slot)
        return None if found is None else view.owners[found]

    def steps(self, batch: Batch, begun: C | None = None, *, by_readers: bool = False) -> Steps[C, Sequence[Any]]:
        """Run the batch where its keys are; its first exchange is of `begun` with all of it, unless that is None.

        A transport error that concerns a part of the batch stands in the place of each reply that it cost.

        Args:
            batch: the commands.
            begun: who has been asked already.
            by_readers: whether replicas are asked first.

        Raises:
            TransportError: no node of the cluster answers.
            NotSupportedError: a command that cannot be split has keys in several slots.
        """
        if not batch:
            return []
        started = self.nodes.clock()
        if begun is None and len(batch) == 1 and batch[0][0] in _OWN:
            if batch[0][0] == "SCAN":
                return [(yield from self._scan(batch[0], started))]
            self.nodes.read(replicas=batch[0][0] == "READONLY")
            return [b"OK"]
        plan: Plan[C | None]
        if begun is None:
            view = yield from self._view()
            if by_readers and self.nodes.is_old():
                yield from self._refreshed(None)
                view = yield from self._view()
            everyone: tuple[C | None, ...] = tuple(view.primaries)
            owner: Callable[[int], C | None] = _readers(view) if by_readers else view.owners.__getitem__
            plan = divide(batch, slots, owner, everyone, apart=True)
        else:
            places: list[list[Place[C | None]]] = [[(begun, n, ())] for n in range(len(batch))]
            plan = Plan({begun: list(batch)}, places, [rule(each) for each in batch])
        asked = {client: tuple(commands) for client, commands in plan.parts.items() if client is not None}
        outcomes: dict[C | None, Outcome] = yield asked
        if (replies := gathered(plan, outcomes)) is not None:
            return replies
        if None not in plan.parts and all(map(is_final, outcomes.values())):
            return unite(plan, outcomes)  # type: ignore[arg-type]  # all are final, so none is an Exception
        return unite(plan, (yield from self._settled(plan, outcomes, started)))

    def _view(self) -> Steps[C, View[C]]:
        while (view := self.nodes.view) is None:
            yield from self.nodes.refresh()
        return view

    def _settled(self, plan: Plan[Any], outcomes: dict[Any, Outcome], started: float) -> Steps[C, dict[Any, Any]]:
        """Follow up what the first exchange left open; return the replies of each part of the plan."""
        view = yield from self._view()
        replies: dict[Any, list[Any]] = {client: [None] * len(commands) for client, commands in plan.parts.items()}
        errands = [
            Errand(command, self._slot(view, client, command), replies[client], n, client)
            for client, commands in plan.parts.items()
            for n, command in enumerate(commands)
        ]
        yield from self._run(errands, outcomes, started)
        return replies

    def _slot(self, view: View[C], client: C | None, command: Command) -> int:
        """Return the slot of a command's keys; of one without keys the first one of who performs it."""
        keys = rule(command).keys(command)
        return slot(keys[0]) if keys else view.primaries.get(client, 0) if client is not None else 0

    def _run(self, errands: list[Errand[C]], outcomes: dict[Any, Outcome], started: float) -> Steps[C, None]:
        """Judge outcomes and ask again, until every errand has its reply or its time is up."""
        pause, rounds = _FIRST_PAUSE, 0
        split: list[tuple[Errand[C], Plan[Any], dict[Any, list[Any]]]] = []
        while errands:
            result = Round()
            errands = [
                left
                for owner, some in by_owner(errands)
                for left in self._judged(owner, some, outcomes.get(owner), result)
            ]
            if result.is_due and (not errands or self._is_current(errands)):
                yield from self._refreshed(errands[0].owner if errands else None)
            now = self.nodes.clock()
            if not errands or now >= started + self.nodes.timeout:
                give_up(errands)
                break
            stuck = self._readdress(errands)
            if now >= result.until:
                give_up(stuck)
                given_up = set(stuck)
                errands, stuck = [errand for errand in errands if errand not in given_up], []
                if not errands:
                    break
            errands = [part for errand in errands for part in self._by_key(errand, split)]
            rounds += 1
            if stuck or rounds > 2:  # noqa: PLR2004  # to a node and on from there
                yield Sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            outcomes = yield requests(errands)
        for errand, plan, replies in split:
            errand.settle(unite(plan, replies)[0])

    def _by_key(
        self, errand: Errand[C], split: list[tuple[Errand[C], Plan[Any], dict[Any, list[Any]]]]
    ) -> list[Errand[C]]:
        """Return an errand, or one for each of its keys where these are on different sides of a slot's way."""
        shape = rule(errand.command)
        tried = isinstance(errand.replies[errand.position], TryAgainError)
        if not tried or shape.merge is None or len(shape.keys(errand.command)) == 1:
            return [errand]
        plan: Plan[Any] = divide((errand.command,), list, _itself, (), apart=True)
        replies: dict[Any, list[Any]] = {key: [None] * len(commands) for key, commands in plan.parts.items()}
        split.append((errand, plan, replies))
        return [
            Errand(command, errand.slot, replies[key], n, errand.owner)
            for key, commands in plan.parts.items()
            for n, command in enumerate(commands)
        ]

    def _refreshed(self, failed: C | None) -> Steps[C, None]:
        """Have the map told; who cannot tell it is no news for what has an owner already."""
        try:
            yield from self.nodes.refresh(failed)
        except (TransportError, CacheError):
            if self.nodes.view is None:
                raise

    def _is_current(self, errands: Iterable[Errand[C]]) -> bool:
        """Say whether the map still names one of those who were asked: else it was told anew meanwhile."""
        view = self.nodes.view
        return view is None or any(view.owners[errand.slot] is errand.owner for errand in errands)

    def _readdress(self, errands: Iterable[Errand[C]]) -> list[Errand[C]]:
        """Send errands to who owns their slots by now; return those that only time can help."""
        view = self.nodes.view
        stuck = []
        for errand in errands:
            owner = errand.owner
            if view is not None and not errand.asking:  # none: somebody has just asked for replicas, or for no more
                errand.owner = view.owners[errand.slot]
            if errand.waits and errand.owner is owner:
                stuck.append(errand)
            errand.waits = False
        return stuck

    def _judged(
        self, owner: C | None, errands: list[Errand[C]], outcome: Outcome | None, result: Round
    ) -> list[Errand[C]]:
        """Settle errands, and return those that are to be sent again."""
        if outcome is None:
            outcome = UnavailableError("no node of the cluster serves the slot")
        if isinstance(outcome, Exception):
            return self._failed(owner, errands, outcome, result)
        if is_asking(errands):
            outcome = outcome[1::2]
        left = []
        for errand, reply in zip(errands, outcome, strict=True):
            errand.asking = False
            errand.settle(reply)
            if isinstance(reply, _NOT_FINAL):
                self._redirected(errand, reply, result)
                left.append(errand)
        return left

    def _redirected(self, errand: Errand[C], reply: CacheError, result: Round) -> None:
        if isinstance(reply, RedirectError):
            asked, errand.owner = errand.owner, self.nodes.at(reply.address, errand.owner)
            errand.asking = isinstance(reply, AskError)
            if isinstance(reply, MovedError) and self.nodes.moved(reply.slot, errand.owner):
                result.is_due = True
            errand.waits = asked is errand.owner
        elif isinstance(reply, TryAgainError):
            errand.waits = True
        else:
            result.is_due = errand.waits = True
            missed = errand.owner if isinstance(reply, ReadOnlyError) else None
            result.until = min(result.until, self.nodes.patience(missed))

    def _failed(self, owner: C | None, errands: list[Errand[C]], error: Exception, result: Round) -> list[Errand[C]]:
        """Settle what must not be sent twice; return the rest, if it is worth another attempt."""
        if not isinstance(error, CacheError):
            raise error
        for errand in errands:
            errand.asking = False
            errand.settle(error)
        if not isinstance(error, TransportError | ClosedError) or isinstance(error, PoolExhausted):
            return []
        if self.nodes.closed:
            raise error
        result.is_due = True
        if isinstance(error, ConnectError | ClosedError | UnavailableError):  # nothing was performed
            result.until = min(result.until, self.nodes.patience(owner))
            for errand in errands:
                errand.waits = True
            return errands
        tainted = {errand.slot for errand in errands if not is_repeatable((errand.command,))}
        return [errand for errand in errands if errand.slot not in tainted]

    def _scan(self, command: Command, started: float) -> Steps[C, Any]:
        """Look at a part of the keys of one primary after another; the cursor says of which, and where.

        A cursor of many digits is no matter: it is a Python int, and never shown to a server.
        """
        view = yield from self._view()
        within, position = divmod(int(command[1]), SLOTS)
        primaries = list(view.primaries.items())
        if position >= len(primaries):
            return [0, []]
        owner, first = primaries[position]
        reply: list[Any] = [None]
        errand = Errand(("SCAN", within, *command[2:]), first, reply, 0, owner)
        outcomes: dict[Any, Outcome] = yield requests([errand])
        yield from self._run([errand], outcomes, started)
        if isinstance(reply[0], CacheError):
            return reply[0]
        [cursor, names] = reply[0]
        if int(cursor):
            return [int(cursor) * SLOTS + position, names]
        return [position + 1 if position + 1 < len(primaries) else 0, names]


def _readers(view: View[C]) -> Callable[[int], C | None]:
    owners, readers = view.owners, view.readers

    def reader(slot: int) -> C | None:
        owner = owners[slot]
        return None if owner is None else readers.get(owner, owner)

    return reader


def _itself(key: Arg) -> Arg:
    return key
