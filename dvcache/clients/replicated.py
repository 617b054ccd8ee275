"""A primary and its replicas: reads go to a replica, then to the primary, and last to any server that answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dvcache.attempts import Flow, aattempt, attempt
from dvcache.clients.commands import only_reads
from dvcache.errors import NotSupportedError, TransportError
from dvcache.protocols import AsyncClient, Client
from dvcache.rota import SHARE, Rota
from dvcache.types import Batch

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Replicated:
    """The client of a primary with replicas."""

    primary: Client
    replicas: Client
    rota: Rota[Any]
    """The replica balancer."""

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        if only_reads(batch):
            try:
                return self.replicas.execute(batch, until)
            except TransportError as error:
                return attempt(elsewhere(self.primary, self.rota, batch), batch, until, error)
        progress = self.rota.progress
        return progress.answer(batch, self.primary.execute(progress.request(batch), until))

    def close(self) -> None:
        """End every connection."""
        self.primary.close()
        self.replicas.close()


@dataclass(frozen=True, slots=True)
class AsyncReplicated:
    """The asynchronous client of a primary with replicas."""

    primary: AsyncClient
    replicas: AsyncClient
    rota: Rota[Any]
    """The replica balancer."""

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        if only_reads(batch):
            try:
                return await self.replicas.execute(batch, until)
            except TransportError as error:
                return await aattempt(elsewhere(self.primary, self.rota, batch), batch, until, error)
        progress = self.rota.progress
        return progress.answer(batch, await self.primary.execute(progress.request(batch), until))

    def close(self) -> None:
        """End every connection."""
        self.primary.close()
        self.replicas.close()


def elsewhere(primary: C, rota: Rota[C], batch: Batch) -> Flow[C]:
    """Read from the primary if no replica can be trusted; if the primary fails too, from any replica that answers.

    Raises:
        TransportError: no server answered. It is the primary's error.
    """
    failure: TransportError | None = None
    answers: Sequence[Any] = ()
    try:
        replies = yield primary, rota.progress.request(batch), SHARE
    except TransportError as error:
        failure = error
    else:
        answers = rota.progress.answer(batch, replies)
        if rota.suffices(answers):
            return answers
    try:
        return (yield from rota.last_resort(batch))
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
