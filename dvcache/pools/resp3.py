"""Convert RESP3 replies to the shapes of RESP2, which operations read.

A map becomes a flat list, a boolean a number, a double its text; pairs of member and score become one flat list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from dvcache.effects import Transaction
from dvcache.protocols import AsyncPool, Pending, Pool
from dvcache.types import Batch, Command, Endpoint

_PLAIN: Final = frozenset({bytes, int, type(None)})
_WITH_PAIRS: Final = frozenset({"WITHSCORES", "WITHVALUES"})
_EXACT: Final = 2**53  # up to here, every integer is exact as a double
_POPS: Final = frozenset({"ZPOPMIN", "ZPOPMAX"})


def speaks_resp3(endpoint: Endpoint) -> bool:
    """Return True if our own connections to the endpoint use RESP3."""
    return endpoint.driver is None and endpoint.options.get("protocol", 2) != 2  # noqa: PLR2004  # RESP2


def as_resp2(batch: Batch, replies: Sequence[Any]) -> list[Any]:
    """Return the replies in the shapes of RESP2.

    Args:
        batch: the commands.
        replies: one reply per command, of either protocol.
    """
    if type(batch) is Transaction:
        done, within = replies
        return [done, _resp2(within)]
    return [
        reply if type(reply) in _PLAIN else _flat(_resp2(reply)) if _answers_pairs(command) else _resp2(reply)
        for command, reply in zip(batch, replies, strict=True)
    ]


def _answers_pairs(command: Command) -> bool:
    return command[0] in _POPS or not _WITH_PAIRS.isdisjoint(command[2:])


def _flat(reply: Any) -> Any:
    if isinstance(reply, list) and reply and all(isinstance(pair, list) for pair in reply):
        return list(chain.from_iterable(reply))
    return reply


def _resp2(reply: Any) -> Any:
    match reply:
        case bool():
            return int(reply)
        case float():
            return _text(reply)
        case dict():
            return [_resp2(each) for each in chain.from_iterable(reply.items())]
        case list() | set() | frozenset():
            return [_resp2(each) for each in reply]
    return reply


def _text(number: float) -> bytes:
    return (f"{int(number)}" if number.is_integer() and abs(number) < _EXACT else repr(number)).encode()


class Resp3:
    """A pool that converts a server's RESP3 replies to RESP2."""

    __slots__ = ("_pool", "balancer", "close", "retire")

    def __init__(self, pool: Pool) -> None:
        self._pool, self.close = pool, pool.close
        self.balancer = getattr(pool, "balancer", None)
        self.retire = getattr(pool, "retire", None)

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`)."""
        return as_resp2(batch, self._pool.execute(batch, until))

    def connects(self) -> bool:
        """Return True if the next batch would open a connection (see `protocols.Begins`)."""
        connects = getattr(self._pool, "connects", None)
        return connects is not None and connects()

    def begin(self, batch: Batch, until: float | None = None, /) -> Pending | None:
        """Write the batch if the pool supports it (see `protocols.Begins`)."""
        begin = getattr(self._pool, "begin", None)
        pending = None if begin is None else begin(batch, until)
        return None if pending is None else _Later(pending, batch)


@dataclass(frozen=True, slots=True)
class _Later:
    """A batch written to a server that uses RESP3: `protocols.Pending`."""

    pending: Pending
    batch: Batch

    def replies(self) -> Sequence[Any]:
        """Return the replies (see `protocols.Pending`)."""
        return as_resp2(self.batch, self.pending.replies())

    def abandon(self) -> None:
        """Read no replies."""
        self.pending.abandon()


class AsyncResp3:
    """The async counterpart of `Resp3`."""

    __slots__ = ("_pool", "balancer", "close", "retire")

    def __init__(self, pool: AsyncPool) -> None:
        self._pool, self.close = pool, pool.close
        self.balancer = getattr(pool, "balancer", None)
        self.retire = getattr(pool, "retire", None)

    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.AsyncClient`)."""
        return as_resp2(batch, await self._pool.execute(batch, until))
