"""A primary and its replicas: reads go to a replica, then to the primary, and last to any server that answers."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dvcache.errors import ConnectError, NotSupportedError, ReadOnlyError, TransportError
from dvcache.protocols import AsyncClient, Client, Pending
from dvcache.routing.commands import is_repeatable, only_reads
from dvcache.routing.replica_balancer import SHARE, ReplicaBalancer
from dvcache.routing.retries import Flow, aattempt, aperform, attempt, perform, resume
from dvcache.types import Batch

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Replicated:
    """The client of a primary with replicas."""

    primary: Client
    replicas: Client
    balancer: ReplicaBalancer[Any]
    """The replica balancer."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        if only_reads(batch):
            try:
                return self.replicas.execute(batch, until)
            except TransportError as error:
                return attempt(elsewhere(self.primary, self.balancer, batch), batch, until, error)
        lag = self.balancer.lag
        return lag.answer(batch, self.primary.execute(lag.request(batch), until))

    def close(self) -> None:
        """End every connection."""
        self.primary.close()
        self.replicas.close()


@dataclass(frozen=True, slots=True)
class AsyncReplicated:
    """The asynchronous client of a primary with replicas."""

    primary: AsyncClient
    replicas: AsyncClient
    balancer: ReplicaBalancer[Any]
    """The replica balancer."""

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        if only_reads(batch):
            try:
                return await self.replicas.execute(batch, until)
            except TransportError as error:
                return await aattempt(elsewhere(self.primary, self.balancer, batch), batch, until, error)
        lag = self.balancer.lag
        return lag.answer(batch, await self.primary.execute(lag.request(batch), until))

    def close(self) -> None:
        """End every connection."""
        self.primary.close()
        self.replicas.close()


def elsewhere(primary: C, balancer: ReplicaBalancer[C], batch: Batch) -> Flow[C]:
    """Read from the primary if no replica can be trusted; if the primary fails too, from any replica that answers.

    Raises:
        TransportError: no server answered. It is the primary's error.
    """
    failure: TransportError | None = None
    answers: Sequence[Any] = ()
    try:
        replies = yield primary, balancer.lag.request(batch), SHARE
    except TransportError as error:
        failure = error
    else:
        answers = balancer.lag.answer(batch, replies)
        if balancer.suffices(answers):
            return answers
    try:
        return (yield from balancer.last_resort(batch))
    except TransportError:
        if failure is not None:
            raise failure from None
        return answers


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A client that refuses writes before anything is sent."""

    client: Client

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        refuse_writes(batch)
        return self.client.execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        self.client.close()


@dataclass(frozen=True, slots=True)
class AsyncReadOnly:
    """An asynchronous client that refuses writes before anything is sent."""

    client: AsyncClient

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        refuse_writes(batch)
        return await self.client.execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        self.client.close()


def refuse_writes(batch: Batch) -> None:
    """Raise if the batch writes.

    Raises:
        NotSupportedError: a command of the batch writes.
    """
    if not only_reads(batch):
        names = ", ".join(sorted({str(command[0]) for command in batch}))
        raise NotSupportedError(
            f"this alias reads from replicas only (is_master=0), so {names} is refused;"
            " write through an alias of the primary"
        )


@dataclass(frozen=True, slots=True)
class ReplicaReads:
    """Send each batch to one of several replicas."""

    balancer: ReplicaBalancer[Client]

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch as `protocols.Client` specifies."""
        return perform(self.balancer, batch, until)

    def connects(self) -> bool:
        """Return True if the next batch would open a connection, as `protocols.Begins` specifies."""
        connects = getattr(self.balancer.first(), "connects", None)
        return connects is not None and connects()

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch to the next replica as `protocols.Begins` specifies; None if a flow must choose it."""
        member = self.balancer.first()
        begin = getattr(member, "begin", None)
        if member is None or begin is None:
            return None
        try:
            pending = begin(batch, until)
        except Exception as error:  # noqa: BLE001  # the flow decides whether to try another replica
            pending = error
        return None if pending is None else BegunRead(self.balancer, batch, until, member, pending)

    def close(self) -> None:
        """Close every connection."""
        for client in self.balancer.members():
            client.close()


@dataclass(frozen=True, slots=True)
class BegunRead:
    """A batch written to one of several replicas, or the error of writing it: `protocols.Pending`."""

    balancer: ReplicaBalancer[Client]
    batch: Batch
    until: float | None
    member: Client
    pending: Pending | Exception

    def replies(self) -> Sequence[Any]:
        """Read the replies; on failure try another replica."""
        if isinstance(self.pending, Exception):
            return self._resume(self.pending)
        try:
            replies = self.pending.replies()
        except Exception as error:  # noqa: BLE001  # as above
            return self._resume(error)
        return replies if self.balancer.suffices(replies) else self._resume(replies)

    def _resume(self, outcome: Sequence[Any] | Exception) -> Sequence[Any]:
        return resume(self.balancer, self.batch, self.member, outcome, self.until)

    def abandon(self) -> None:
        """Discard the replies."""
        if not isinstance(self.pending, Exception):
            self.pending.abandon()


@dataclass(frozen=True, slots=True)
class AsyncReplicaReads:
    """Send each batch to one of several replicas, asynchronously."""

    balancer: ReplicaBalancer[AsyncClient]

    def execute(self, batch: Batch, until: float | None = None, /) -> Coroutine[Any, Any, Sequence[Any]]:
        """Run the batch as `protocols.AsyncClient` specifies."""
        return aperform(self.balancer, batch, until)  # returned, not awaited: a second coroutine costs time

    def close(self) -> None:
        """Close every connection."""
        for client in self.balancer.members():
            client.close()


def in_order(clients: Sequence[C], batch: Batch) -> Flow[C]:
    """Try one client after another while no command was performed, or repeating the batch is safe.

    Raises:
        TransportError: the last client that was tried gave no answer.
    """
    *others, last = clients
    for client in others:
        try:
            replies: Sequence[Any] = yield client, batch, SHARE
        except ConnectError:
            continue
        except TransportError:
            if not is_repeatable(batch):  # it may have been performed: no other server must repeat it
                raise
            continue
        # A replica refused the batch; the next server may be the primary.
        if not any(isinstance(reply, ReadOnlyError) for reply in replies):
            return replies
    final: Sequence[Any] = yield last, batch
    return final


@dataclass(frozen=True, slots=True)
class Fallback:
    """The client of servers that are tried in order; the first that answers wins."""

    clients: tuple[Client, ...]

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        return attempt(in_order(self.clients, batch), batch, until)

    def close(self) -> None:
        """End every connection."""
        for client in self.clients:
            client.close()


@dataclass(frozen=True, slots=True)
class AsyncFallback:
    """The asynchronous client of servers that are tried in order."""

    clients: tuple[AsyncClient, ...]

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        return await aattempt(in_order(self.clients, batch), batch, until)

    def close(self) -> None:
        """End every connection."""
        for client in self.clients:
            client.close()
