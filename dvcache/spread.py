"""Clients that read from several replicas of the same data."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from dvcache.attempts import aperform, perform, resume
from dvcache.protocols import AsyncClient, Client, Pending
from dvcache.rota import Rota
from dvcache.types import Batch


@dataclass(frozen=True, slots=True)
class Spread:
    """Send each batch to one of several replicas."""

    rota: Rota[Client]

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch as `protocols.Client` specifies."""
        return perform(self.rota, batch, until)

    def connects(self) -> bool:
        """Return True if the next batch would open a connection, as `protocols.Begins` specifies."""
        connects = getattr(self.rota.first(), "connects", None)
        return connects is not None and connects()

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch to the next replica as `protocols.Begins` specifies; None if a flow must choose it."""
        member = self.rota.first()
        begin = getattr(member, "begin", None)
        if member is None or begin is None:
            return None
        try:
            pending = begin(batch, until)
        except Exception as error:  # noqa: BLE001  # the flow decides whether to try another replica
            pending = error
        return None if pending is None else Begun(self.rota, batch, until, member, pending)

    def close(self) -> None:
        """Close every connection."""
        for client in self.rota.members():
            client.close()


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch written to one of several replicas, or the error of writing it: `protocols.Pending`."""

    rota: Rota[Client]
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
        return replies if self.rota.suffices(replies) else self._resume(replies)

    def _resume(self, outcome: Sequence[Any] | Exception) -> Sequence[Any]:
        return resume(self.rota, self.batch, self.member, outcome, self.until)

    def abandon(self) -> None:
        """Discard the replies."""
        if not isinstance(self.pending, Exception):
            self.pending.abandon()


@dataclass(frozen=True, slots=True)
class AsyncSpread:
    """Send each batch to one of several replicas, asynchronously."""

    rota: Rota[AsyncClient]

    def execute(self, batch: Batch, until: float | None = None, /) -> Coroutine[Any, Any, Sequence[Any]]:
        """Run the batch as `protocols.AsyncClient` specifies."""
        return aperform(self.rota, batch, until)  # returned, not awaited: a second coroutine costs time

    def close(self) -> None:
        """Close every connection."""
        for client in self.rota.members():
            client.close()
