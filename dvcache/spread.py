"""Several servers that hold the same data, read from in turn."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from dvcache.attempts import aperform, perform, resume
from dvcache.protocols import AsyncClient, Client, Pending
from dvcache.rota import Rota
from dvcache.types import Batch


@dataclass(frozen=True, slots=True)
class Spread:
    """Several replicas; each batch goes to one of them."""

    rota: Rota[Client]

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        return perform(self.rota, batch, until)

    def connects(self) -> bool:
        """Return True if the next batch would open a connection, as `protocols.Begins` says."""
        connects = getattr(self.rota.first(), "connects", None)
        return connects is not None and connects()

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch to whose turn it is, as `protocols.Begins` says; None where more is to be asked first."""
        member = self.rota.first()
        begin = getattr(member, "begin", None)
        if member is None or begin is None:
            return None
        try:
            pending = begin(batch, until)
        except Exception as error:  # noqa: BLE001  # whether another one is asked is for the flow to decide
            pending = error
        return None if pending is None else Begun(self.rota, batch, until, member, pending)

    def close(self) -> None:
        """End every connection."""
        for client in self.rota.members():
            client.close()


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch that was written to one of several replicas, or was to be: `protocols.Pending`."""

    rota: Rota[Client]
    batch: Batch
    until: float | None
    member: Client
    pending: Pending | Exception

    def replies(self) -> Sequence[Any]:
        """Read the replies, or ask another one."""
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
        """Read no replies."""
        if not isinstance(self.pending, Exception):
            self.pending.abandon()


@dataclass(frozen=True, slots=True)
class AsyncSpread:
    """Several replicas, asynchronous; each batch goes to one of them."""

    rota: Rota[AsyncClient]

    def execute(self, batch: Batch, until: float | None = None, /) -> Coroutine[Any, Any, Sequence[Any]]:
        """Run the batch, as `protocols.AsyncClient` says."""
        return aperform(self.rota, batch, until)  # not awaited here: each coroutine on the way costs its share

    def close(self) -> None:
        """End every connection."""
        for client in self.rota.members():
            client.close()
