"""Several servers that hold the same data, read from in turn.

While all is well a batch goes straight to whose turn it is; the flow, which looks closer, is for when it is not.
"""

from collections.abc import Callable, Sequence
from typing import Any

from dvcache.attempts import Flow, aattempt, attempt
from dvcache.errors import TransportError
from dvcache.protocols import AsyncClient, Client
from dvcache.rota import Rota, is_unavailable, spread
from dvcache.types import Batch


class Spread:
    """Several replicas; each batch goes to one of them.

    Args:
        rota: whose turn it is.
        flow: how a batch is run where it takes more than that.
        end: called by `close`; the members are closed where None.
    """

    __slots__ = ("_end", "_flow", "_rota")

    def __init__(
        self,
        rota: Rota[Client],
        flow: Callable[[Rota[Client], Batch], Flow[Client]] = spread,
        end: Callable[[], None] | None = None,
    ) -> None:
        self._rota, self._flow, self._end = rota, flow, end

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says."""
        member = self._rota.pick()
        if member is not None:
            try:
                replies = member.execute(batch)
            except TransportError:
                self._rota.set_aside(member)
            else:
                if not is_unavailable(replies):
                    return replies
        return attempt(self._flow(self._rota, batch))

    def close(self) -> None:
        """End every connection."""
        _close(self._rota, self._end)


class AsyncSpread:
    """Several replicas, asynchronous; each batch goes to one of them. Arguments are those of `Spread`."""

    __slots__ = ("_end", "_flow", "_rota")

    def __init__(
        self,
        rota: Rota[AsyncClient],
        flow: Callable[[Rota[AsyncClient], Batch], Flow[AsyncClient]] = spread,
        end: Callable[[], None] | None = None,
    ) -> None:
        self._rota, self._flow, self._end = rota, flow, end

    async def execute(self, batch: Batch, /) -> Sequence[Any]:
        """Run the batch, as `protocols.AsyncClient` says."""
        member = self._rota.pick()
        if member is not None:
            try:
                replies = await member.execute(batch)
            except TransportError:
                self._rota.set_aside(member)
            else:
                if not is_unavailable(replies):
                    return replies
        return await aattempt(self._flow(self._rota, batch))

    def close(self) -> None:
        """End every connection."""
        _close(self._rota, self._end)


def _close(rota: Rota[Any], end: Callable[[], None] | None) -> None:
    if end is not None:
        end()
        return
    for member in rota.members():
        member.close()
