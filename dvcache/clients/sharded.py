"""Shards: independent servers, with the keys distributed among them by consistent hashing."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from dvcache.clients.primary_moves import is_refused, refused_part
from dvcache.clients.standalone import AsyncStandalone, Standalone
from dvcache.errors import CacheError, ConnectionLost, ReadOnlyError
from dvcache.protocols import AsyncClient, Client
from dvcache.routing.commands import is_repeatable
from dvcache.routing.flow import Exchange, Outcome, Steps, aconverse, converse
from dvcache.routing.lease_keys import ON_RING
from dvcache.routing.plan import divide, sole, unite
from dvcache.routing.ring import Ring, tagged
from dvcache.types import Arg, Batch, Command

C = TypeVar("C")

REMEMBERED: Final = 10_000
"""Number of keys in the cache of key to shard, about 2 MB. A lookup on the ring takes 1 µs, ten times as long."""


class Shards(Generic[C]):
    """The pools of shards on a hash ring.

    Args:
        pools: the pool of each shard, by its name on the ring.
        one: makes the client of one shard.
    """

    def __init__(self, pools: Mapping[str, C], one: Callable[[C], C]) -> None:
        self.pools = tuple(pools.values())
        self.alone = {pool: one(pool) for pool in self.pools}
        """Client of each shard, by its pool."""
        self._ring = Ring(tuple(pools))
        self._holders = [pools[name] for name in self._ring.holders]
        self.owner: Callable[[Arg], C] = lru_cache(REMEMBERED)(self._found)
        """Map a stored key to the pool of its shard."""

    def _found(self, key: Arg) -> C:
        """Find the pool on the ring. A lease is on the shard of its entry."""
        name = key if isinstance(key, bytes) else str(key).encode("utf-8", "surrogateescape")
        return self._holders[self._ring.place_of(tagged(name.removesuffix(ON_RING)))]

    def owners(self, keys: Sequence[Arg]) -> list[C]:
        """Return the owner of each key."""
        return list(map(self.owner, keys))

    def sole(self, batch: Batch) -> C | None:
        """Return the pool that has all keys of the batch; None if there are several, or a command has no key."""
        return sole(batch, self.owner)

    def steps(self, batch: Batch) -> Steps[C, Sequence[Any]]:
        """Run the batch on its shards concurrently.

        If a shard gives no answer, its error replaces each of its replies.

        Raises:
            NotSupportedError: the keys of a command that cannot be split are on several shards. Nothing was sent.
        """
        if len(batch) == 1 and batch[0][0] == "SCAN":
            return [(yield from self._scan(batch[0]))]
        plan = divide(batch, self.owners, _itself, self.pools)
        outcomes = yield from _exchanged({pool: tuple(commands) for pool, commands in plan.parts.items()}, self.alone)
        return unite(plan, outcomes)

    def _scan(self, command: Command) -> Steps[C, Any]:
        """Scan one shard after another; the cursor encodes the shard's position and the shard's own cursor."""
        count = len(self.pools)
        # The cursor is the shard's own cursor times the number of shards, plus the position. It is 0 again after the
        # last shard.
        within, position = divmod(int(command[1]), count)
        pool = self.pools[position]
        outcome = (yield from _exchanged({pool: (("SCAN", within, *command[2:]),)}, self.alone))[pool]
        reply = outcome if isinstance(outcome, CacheError) else outcome[0]
        if isinstance(reply, CacheError):
            return reply
        [cursor, names] = reply
        following = position if int(cursor) else (position + 1) % count
        return [int(cursor) * count + following, names]


def _exchanged(asked: Exchange[C], alone: Mapping[C, C]) -> Steps[C, dict[C, Sequence[Any] | CacheError]]:
    """Run the batches concurrently; repeat once those whose connection was lost, if that is safe.

    Commands refused with READONLY go to the shard's own client, which can connect again.
    """
    outcomes: dict[C, Outcome] = yield asked
    lost = [pool for pool, outcome in outcomes.items() if isinstance(outcome, ConnectionLost)]
    again = {pool: asked[pool] for pool in lost if is_repeatable(asked[pool])}
    if again:
        outcomes |= yield again
    moved = {
        pool: refused_part(asked[pool], outcome)
        for pool, outcome in outcomes.items()
        if not isinstance(outcome, Exception) and outcome and is_refused(outcome)
    }
    if moved:
        repeated = yield {alone[pool]: part for pool, part in moved.items()}
        for pool in moved:
            if not isinstance(found := repeated[alone[pool]], Exception):
                turns, replies = iter(found), outcomes[pool]
                assert not isinstance(replies, Exception)
                outcomes[pool] = [next(turns) if type(reply) is ReadOnlyError else reply for reply in replies]
    return {pool: _of_server(outcome) for pool, outcome in outcomes.items()}


def _of_server(outcome: Outcome) -> Sequence[Any] | CacheError:
    if isinstance(outcome, Exception) and not isinstance(outcome, CacheError):
        raise outcome
    return outcome


def _itself(pool: C) -> C:
    return pool


class Sharded:
    """The client of shards. A batch whose keys are all on one shard goes straight to it."""

    def __init__(self, pools: Mapping[str, Client]) -> None:
        self.pools, self._shards = pools, Shards(pools, Standalone)
        self._alone = self._shards.alone

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch (see `protocols.Client`); a shard's transport error replaces each of its replies."""
        pool = self._shards.sole(batch)
        return converse(self._shards.steps(batch), until) if pool is None else self._alone[pool].execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        for pool in self.pools.values():
            pool.close()


class AsyncSharded:
    """The async counterpart of `Sharded`."""

    def __init__(self, pools: Mapping[str, AsyncClient]) -> None:
        self.pools, self._shards = pools, Shards(pools, AsyncStandalone)
        self._alone = self._shards.alone

    def execute(self, batch: Batch, until: float | None = None, /) -> Coroutine[Any, Any, Sequence[Any]]:
        """Run the batch, as `Sharded.execute`."""
        pool = self._shards.sole(batch)  # not awaited here: each further coroutine has its cost
        return aconverse(self._shards.steps(batch), until) if pool is None else self._alone[pool].execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        for pool in self.pools.values():
            pool.close()
