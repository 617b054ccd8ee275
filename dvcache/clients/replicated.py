"""A primary and its replicas: reads go to a replica, then to the primary, and last to any server that answers."""

from collections.abc import Sequence
from typing import Any, Generic

from dvcache.deadline import Trail
from dvcache.errors import ConnectError, NotSupportedError, ReadOnlyError, TransportError
from dvcache.routing.commands import is_repeatable, only_reads
from dvcache.routing.flow import Attempt, C, Flow, Routing
from dvcache.routing.replica_balancer import SHARE, ReplicaBalancer
from dvcache.types import Batch


class Replicated(Generic[C]):
    """Routing to a primary and its replicas.

    Args:
        primary: the client of the primary.
        writes: routing of what the primary alone may answer.
        reads: routing of what the replicas may answer.
        balancer: the replica balancer.
    """

    def __init__(self, primary: C, writes: Routing[C], reads: Routing[C], balancer: ReplicaBalancer[C]) -> None:
        self.primary, self.writes, self.reads, self._balancer = primary, writes, reads, balancer
        self.suffices = balancer.suffices

    def first(self, batch: Batch, /) -> C | None:
        """Return a replica for a read, the primary for a write; None if a check or a sample of the offset is due."""
        if only_reads(batch):
            return self.reads.first(batch)
        client = self.writes.first(batch)
        return None if self._balancer.lag.is_due() else client

    def flow(self, batch: Batch, begun: C | None = None, until: float | None = None, /) -> Flow[C, Sequence[Any]]:
        """Run the batch on a replica, if it only reads and one can be trusted, else on the primary.

        Raises:
            TransportError: no server answered. It is the primary's error.
        """
        lag = self._balancer.lag
        if not only_reads(batch):
            request = batch if begun is not None else lag.request(batch)
            return lag.answer(batch, (yield from self.writes.flow(request, begun, until)))
        try:
            return (yield from self.reads.flow(batch, begun, until))
        except TransportError as error:
            unread = error
        failure: TransportError | None = None
        answers: Sequence[Any] = ()
        try:
            answers = lag.answer(batch, (yield Attempt(self.primary, lag.request(batch), SHARE)))
        except TransportError as error:
            failure = error
        else:
            if self.suffices(answers):
                return answers
        try:
            return (yield from self._balancer.last_resort(batch))
        except TransportError:
            if failure is None:
                return answers
            Trail(unread).explain(failure)
            raise failure from None

    def close(self) -> None:
        """Close every connection."""
        self.writes.close()
        self.reads.close()


class ReadOnly(Generic[C]):
    """Routing that refuses writes before anything is sent."""

    def __init__(self, routing: Routing[C]) -> None:
        self.routing = routing
        self.suffices, self.flow, self.close = routing.suffices, routing.flow, routing.close

    def first(self, batch: Batch, /) -> C | None:
        """Return the client to try first.

        Raises:
            NotSupportedError: a command of the batch writes.
        """
        if not only_reads(batch):
            names = ", ".join(sorted({str(command[0]) for command in batch}))
            raise NotSupportedError(
                f"this alias reads from replicas only (is_master=0), so {names} is refused;"
                " write through an alias of the primary"
            )
        return self.routing.first(batch)


class Fallback(Generic[C]):
    """Routing to servers that are tried in order; the first that answers wins."""

    def __init__(self, clients: Sequence[C]) -> None:
        self.clients = clients

    def first(self, _: Batch, /) -> None:
        """Return None: the first attempt must leave time for the others."""

    def suffices(self, _: Sequence[Any], /) -> bool:
        """Return True: only flows make attempts."""
        return True

    def flow(self, batch: Batch, _begun: C | None = None, _until: float | None = None, /) -> Flow[C, Sequence[Any]]:
        """Try one client after another while no command was performed, or repeating the batch is safe.

        Raises:
            TransportError: the last client that was tried gave no answer.
        """
        *others, last = self.clients
        for client in others:
            try:
                replies: Sequence[Any] = yield Attempt(client, batch, SHARE)
            except ConnectError:
                continue
            except TransportError:
                if not is_repeatable(batch):  # it may have been performed: no other server must repeat it
                    raise
                continue
            # A replica refused the batch; the next server may be the primary.
            if not any(isinstance(reply, ReadOnlyError) for reply in replies):
                return replies
        final: Sequence[Any] = yield Attempt(last, batch)
        return final

    def close(self) -> None:
        """Close every connection."""
        for client in self.clients:
            client.close()
