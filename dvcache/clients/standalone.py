"""One server: repeat a batch once after a lost connection, if that is safe, or after a failover behind a name.

After such a failover the name resolves to a new primary, while connections to the old one stay open. The old primary,
now a replica, answers READONLY. The flow then opens a connection, which resolves the name again, and repeats the
refused commands. Commands that were answered are not repeated.
"""

import time
from collections.abc import Sequence
from typing import Any, Final, Generic

from typing_extensions import override

from dvcache.effects import Transaction
from dvcache.errors import ConnectionLost, ReadOnlyError, TransportError
from dvcache.routing.commands import is_repeatable
from dvcache.routing.flow import Attempt, C, Exchange, Flow, Outcome, Reconnect
from dvcache.types import Batch

TOGETHER: Final = 0.1
"""Seconds within which callers that were refused on old connections share one reconnection."""

AGAIN: Final = 1.0
"""Seconds without a further attempt after a new connection led to a read-only server too."""


class Direct(Generic[C]):
    """Routing to one server, without retries."""

    def __init__(self, pool: C) -> None:
        self.only = pool
        """The client of every attempt."""

    def first(self, _: Batch, /) -> C:
        """Return the pool."""
        return self.only

    def suffices(self, _: Sequence[Any], /) -> bool:
        """Return True: the replies are not looked at."""
        return True

    def flow(self, batch: Batch, _begun: C | None = None, _until: float | None = None, /) -> Flow[C, Sequence[Any]]:
        """Make one attempt."""
        replies: Sequence[Any] = yield Attempt(self.only, batch)
        return replies

    def close(self) -> None:
        """Close every connection."""
        self.only.close()


class Standalone(Direct[C]):
    """Routing to one server. It has no lock, so a forked child cannot inherit a held one."""

    def __init__(self, pool: C) -> None:
        super().__init__(pool)
        self._reconnects = getattr(pool, "retire", None) is not None
        self._ended = float("-inf")
        """Time at which the connections were last ended."""
        self._vain = 0.0
        """Time of the last reconnection that led to a read-only server; 0 if none."""

    @override
    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Return False if a command was refused with READONLY and a new connection may help."""
        return (
            not is_read_only(replies)
            or not self._reconnects
            or (self._vain != 0 and time.monotonic() - self._vain <= AGAIN)
        )

    @override
    def flow(self, batch: Batch, _begun: C | None = None, _until: float | None = None, /) -> Flow[C, Sequence[Any]]:
        """Run the batch; repeat it once if its connection was lost and that is safe."""
        try:
            replies: Sequence[Any] = yield Attempt(self.only, batch)
        except ConnectionLost:
            if not is_repeatable(batch):
                raise
            replies = yield Attempt(self.only, batch)
        return (yield from self.followed(batch, replies))

    def followed(self, batch: Batch, replies: Sequence[Any]) -> Flow[C, Sequence[Any]]:
        """Reconnect if commands were refused with READONLY, and return the replies with those of their repetition."""
        if self.suffices(replies):
            return replies
        yield from self.reconnected()
        again: Outcome = (yield Exchange({self.only: refused_part(batch, replies)}))[self.only]
        return self.repeated(batch, replies, again)

    def reconnected(self) -> Flow[C, None]:
        """End the connections, unless that was done a moment ago."""
        # Two callers may race here, which ends some new connections too.
        if time.monotonic() - self._ended > TOGETHER:
            yield Reconnect(self.only)
            self._ended = time.monotonic()

    def repeated(self, batch: Batch, replies: Sequence[Any], again: Outcome) -> Sequence[Any]:
        """Return the replies of a batch, with those of the repetition in place of READONLY."""
        if isinstance(again, TransportError):  # the refusal is the better answer: it proves that nothing was performed
            return replies
        if isinstance(again, Exception):
            raise again
        # Refused again: for `AGAIN` seconds, READONLY is returned without reconnecting for each write.
        self._vain = time.monotonic() if is_read_only(again) else 0.0
        if type(batch) is Transaction:
            return again
        following = iter(again)
        return [next(following) if type(reply) is ReadOnlyError else reply for reply in replies]


def refused_part(batch: Batch, replies: Sequence[Any]) -> Batch:
    """Return the commands that were refused with READONLY; a transaction is refused as a whole."""
    if type(batch) is Transaction:
        return batch
    return tuple([command for command, reply in zip(batch, replies, strict=True) if type(reply) is ReadOnlyError])


def is_read_only(replies: Sequence[Any]) -> bool:
    """Return True if the server refused a command because it is a replica (READONLY)."""
    return ReadOnlyError in map(type, replies)
