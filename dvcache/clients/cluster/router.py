"""Route a batch to the owners of its keys, in one exchange if these are known; then handle redirections."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic

from dvcache.clients.cluster.discovery import Discovery
from dvcache.clients.cluster.pending import PendingCommand, is_final, requests, unresolved_redirect
from dvcache.clients.cluster.redirects import Redirects
from dvcache.clients.cluster.slot_table import ANEW, SlotTable
from dvcache.effects import Sleep, Transaction
from dvcache.errors import CacheError, ConnectError, RedirectError
from dvcache.routing.commands import only_reads, rule_of
from dvcache.routing.flow import Attempt, C, Exchange, Flow, Outcome
from dvcache.routing.plan import DividedBatch, Place, divide, gathered, sole, unite
from dvcache.routing.slots import slot, slots
from dvcache.types import Batch, Command

_OWN: Final = frozenset({"SCAN", "READONLY", "READWRITE"})
"""Commands with a different meaning for a cluster than for one node."""

_PAUSE: Final = 0.01
"""Seconds before a transaction is repeated."""


class Router(Generic[C]):
    """Routing to the nodes of a cluster.

    Args:
        nodes: the nodes.
        reads_latest: True to read from primaries only.
    """

    def __init__(self, nodes: Discovery[C], *, reads_latest: bool) -> None:
        self.nodes, self._reads_latest = nodes, reads_latest
        self._redirects = Redirects(nodes)

    def first(self, batch: Batch, /) -> C | None:
        """Return the client of the node to ask, if all keys of the batch are in one slot and its owner is known."""
        view = self.nodes.view
        if view is None:
            return None
        found = sole(batch, slot)
        owner = None if found is None else view.owners[found]
        if owner is None or not self._reads_replicas(batch):
            return owner
        return None if self.nodes.is_old() else view.readers.get(owner, owner)

    def _reads_replicas(self, batch: Batch) -> bool:
        return self.nodes.reads_replicas and not self._reads_latest and only_reads(batch)

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Return True if no reply is a redirection or a temporary refusal."""
        return is_final(replies)

    def flow(self, batch: Batch, begun: C | None = None, until: float | None = None, /) -> Flow[C, Sequence[Any]]:
        """Run the batch on the owners of its keys, or on their replicas.

        If a part of the batch fails with a transport error, that error replaces each of its replies.

        Raises:
            TransportError: no node of the cluster answers.
            NotSupportedError: a command that cannot be split has keys in several slots.
        """
        if type(batch) is Transaction:
            return (yield from self._transacted(batch, begun, self.nodes.end(until)))
        return (yield from self._routed(batch, begun, self.nodes.end(until), by_readers=self._reads_replicas(batch)))

    def _routed(self, batch: Batch, begun: C | None, end: float, *, by_readers: bool = False) -> Flow[C, Sequence[Any]]:
        if not batch:
            return []
        began = self.nodes.clock()
        outcomes: dict[C | None, Outcome]
        divided: DividedBatch[C | None]
        if begun is not None:
            outcomes = {begun: (yield from _attempted(begun, batch))}
            places: list[list[Place[C | None]]] = [[(begun, n, ())] for n in range(len(batch))]
            divided = DividedBatch({begun: list(batch)}, places, [rule_of(each) for each in batch])
        elif len(batch) == 1 and batch[0][0] in _OWN:
            return [(yield from self._own(batch[0], began, end))]
        else:
            divided = yield from self._divided(batch, end, by_readers=by_readers)
            asked = {client: tuple(some) for client, some in divided.parts.items() if client is not None}
            outcomes = yield Exchange(asked)
            if (replies := gathered(divided, outcomes)) is not None:
                return replies
        if None not in divided.parts and all(map(is_final, outcomes.values())):
            return unite(divided, outcomes)  # type: ignore[arg-type]  # all are final, so none is an Exception
        return unite(divided, (yield from self._settled(divided, outcomes, began, end)))

    def _divided(self, batch: Batch, end: float, *, by_readers: bool) -> Flow[C, DividedBatch[C | None]]:
        """Divide the batch among the owners of its keys, or the clients that read for them."""
        view = yield from self._view(end)
        if by_readers and self.nodes.is_old():
            yield from self._redirects.refreshed(None, end)
            view = yield from self._view(end)
        owner: Callable[[int], C | None] = _readers(view) if by_readers else view.owners.__getitem__
        return divide(batch, slots, owner, tuple(view.primaries), apart=True)

    def _transacted(self, batch: Transaction, owner: C | None, end: float) -> Flow[C, Sequence[Any]]:
        """Run a transaction on the owner of its key; repeat all of it after a redirection, as nothing was performed."""
        while True:
            if owner is not None:
                outcome: Any = yield from _attempted(owner, batch)
                if is_final(outcome):
                    return outcome
                if isinstance(outcome, Exception) and not isinstance(outcome, ConnectError):  # maybe performed
                    raise outcome
                error = outcome if isinstance(outcome, Exception) else outcome[0]
                if self.nodes.clock() >= end:
                    return [unresolved_redirect(error) if isinstance(error, RedirectError) else error, None]
                yield Sleep(_PAUSE)
            # A read of the key follows redirections and so updates its owner in the slot table.
            [found] = yield from self._routed(batch[1:], None, end)
            if isinstance(found, CacheError):
                return [found, None]
            owner = self.first(batch)

    def _view(self, end: float) -> Flow[C, SlotTable[C]]:
        while (view := self.nodes.view) is None:
            yield from self.nodes.refresh(end=end)
        return view

    def _settled(
        self, divided: DividedBatch[Any], outcomes: dict[Any, Outcome], began: float, end: float
    ) -> Flow[C, dict[Any, Any]]:
        """Retry the commands that the first exchange left unanswered; return the replies of each part of the batch."""
        view = yield from self._view(end)
        replies: dict[Any, list[Any]] = {client: [None] * len(commands) for client, commands in divided.parts.items()}
        in_flight = [
            PendingCommand(command, self._slot(view, client, command), replies[client], n, client)
            for client, commands in divided.parts.items()
            for n, command in enumerate(commands)
        ]
        yield from self._redirects.run(in_flight, outcomes, end, began)
        return replies

    def _slot(self, view: SlotTable[C], client: C | None, command: Command) -> int:
        """Return the slot of a command's keys; for a command without keys, the first slot of its client."""
        keys = rule_of(command).keys(command)
        return slot(keys[0]) if keys else view.primaries.get(client, 0) if client is not None else 0

    def _own(self, command: Command, began: float, end: float) -> Flow[C, Any]:
        if command[0] == "SCAN":
            return (yield from self._scan(command, began, end))
        self.nodes.read(replicas=command[0] == "READONLY")
        return b"OK"

    def _scan(self, command: Command, began: float, end: float) -> Flow[C, Any]:
        """Scan one primary after another; the cursor encodes the primary's position and its own cursor."""
        view = yield from self._view(end)
        within, position = view.place(int(command[1]))
        owner, first = list(view.primaries.items())[position]
        reply: list[Any] = [None]
        pending = PendingCommand(("SCAN", within, *command[2:]), first, reply, 0, owner)
        outcomes: dict[Any, Outcome] = yield Exchange(requests([pending]))
        yield from self._redirects.run([pending], outcomes, end, began)
        if isinstance(reply[0], CacheError):
            return reply[0]
        if pending.owner is not owner:  # another primary answered, for which the cursor is meaningless
            return [ANEW, []]
        [cursor, names] = reply[0]
        if int(cursor):
            return [view.cursor(int(cursor), position), names]
        return [view.cursor(0, position + 1) if position + 1 < len(view.primaries) else 0, names]

    def close(self) -> None:
        """Close every connection."""
        self.nodes.close()


def _attempted(client: C, batch: Batch) -> Flow[C, Outcome]:
    """Run the batch on one client; return its error as the outcome."""
    try:
        replies: Sequence[Any] = yield Attempt(client, batch)
    except Exception as error:  # noqa: BLE001  # redirections and retries are decided from it
        return error
    return replies


def _readers(view: SlotTable[C]) -> Callable[[int], C | None]:
    owners, readers = view.owners, view.readers

    def reader(slot: int) -> C | None:
        owner = owners[slot]
        return None if owner is None else readers.get(owner, owner)

    return reader
