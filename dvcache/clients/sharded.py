"""Shards: independent servers, each with its part of the keys, which a ring deals out."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from dvcache.clients.commands import is_repeatable
from dvcache.clients.exchanges import Exchange, Outcome, Steps, aconverse, converse
from dvcache.clients.moves import is_refused, refused_part
from dvcache.clients.ring import Ring, tagged
from dvcache.clients.routing import divide, sole, unite
from dvcache.clients.standalone import AsyncStandalone, Standalone
from dvcache.errors import CacheError, ConnectionLost, ReadOnlyError
from dvcache.leases import ON_RING
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Arg, Batch, Command

C = TypeVar("C")

REMEMBERED: Final = 10_000
"""Keys whose shard is remembered, in some 2 MB: to look on the ring takes ten times as long, 1 µs."""


class Shards(Generic[C]):
    """The pools of shards, by the places that they have on a ring.

    Args:
        pools: the pool of each shard, by its name on the ring.
        one: makes the client of one shard.
    """

    def __init__(self, pools: Mapping[str, C], one: Callable[[C], C]) -> None:
        self.pools = tuple(pools.values())
        self.alone = {pool: one(pool) for pool in self.pools}
        """The client of each shard, by its pool."""
        self._ring = Ring(tuple(pools))
        self._holders = [pools[name] for name in self._ring.holders]
        self.owner: Callable[[Arg], C] = lru_cache(REMEMBERED)(self._found)
        """Of a stored key, the pool of the shard that it is on."""

    def _found(self, key: Arg) -> C:
        """Look on the ring: a lease is where its entry is."""
        name = key if isinstance(key, bytes) else str(key).encode("utf-8", "surrogateescape")
        return self._holders[self._ring.place_of(tagged(name.removesuffix(ON_RING)))]

    def owners(self, keys: Sequence[Arg]) -> list[C]:
        """Return the owner of each key."""
        return list(map(self.owner, keys))

    def sole(self, batch: Batch) -> C | None:
        """Return the pool that has all keys of the batch; None where there are several, or a command has no key."""
        return sole(batch, self.owner)

    def steps(self, batch: Batch) -> Steps[C, Sequence[Any]]:
        """Run the batch on all shards that it concerns, at once.

        The error of a shard that gives no answer stands in the place of each reply that it cost.

        Raises:
            NotSupportedError: the keys of a command that cannot be split are on several shards. Nothing was sent.
        """
        if len(batch) == 1 and batch[0][0] == "SCAN":
            return [(yield from self._scan(batch[0]))]
        plan = divide(batch, self.owners, _itself, self.pools)
        outcomes = yield from _exchanged({pool: tuple(commands) for pool, commands in plan.parts.items()}, self.alone)
        return unite(plan, outcomes)

    def _scan(self, command: Command) -> Steps[C, Any]:
        """Look at a part of the keys of one shard after another; the cursor says of which, and where."""
        count = len(self.pools)
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
    """Run the batches at once, and those whose connection was lost once more where that is safe.

    What a server refused as read-only goes to it alone, as its client can connect anew.
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
    """The client of shards. A batch with the keys of one of them is that shard's alone."""

    def __init__(self, pools: Mapping[str, Client]) -> None:
        self.pools, self._shards = pools, Shards(pools, Standalone)
        self._alone = self._shards.alone

    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        """Run the batch, as `protocols.Client` says; a part's transport error stands in the places that it cost."""
        pool = self._shards.sole(batch)
        return converse(self._shards.steps(batch), until) if pool is None else self._alone[pool].execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        for pool in self.pools.values():
            pool.close()


class AsyncSharded:
    """The asynchronous client of shards, as `Sharded`."""

    def __init__(self, pools: Mapping[str, AsyncClient]) -> None:
        self.pools, self._shards = pools, Shards(pools, AsyncStandalone)
        self._alone = self._shards.alone

    def execute(self, batch: Batch, until: float | None = None, /) -> Coroutine[Any, Any, Sequence[Any]]:
        """Run the batch, as `Sharded.execute`."""
        pool = self._shards.sole(batch)  # not awaited here: each coroutine on the way costs its share
        return aconverse(self._shards.steps(batch), until) if pool is None else self._alone[pool].execute(batch, until)

    def close(self) -> None:
        """End every connection."""
        for pool in self.pools.values():
            pool.close()
