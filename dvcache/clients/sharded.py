"""Shards: independent servers, with the keys distributed among them by consistent hashing."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Generic

from dvcache.clients.standalone import Standalone, is_read_only, refused_part
from dvcache.errors import CacheError, ConnectionLost
from dvcache.routing.commands import is_repeatable
from dvcache.routing.flow import C, Exchange, Flow, Outcome
from dvcache.routing.lease_keys import ON_RING
from dvcache.routing.plan import divide, sole, unite
from dvcache.routing.ring import Ring, tagged
from dvcache.types import Arg, Batch, Command

REMEMBERED: Final = 10_000
"""Number of keys in the cache of key to shard, about 2 MB. A lookup on the ring takes 1 µs, ten times as long."""


class Sharded(Generic[C]):
    """Routing to shards on a hash ring. A batch whose keys are all on one shard goes straight to it.

    Args:
        pools: the pool of each shard, by its name on the ring.
    """

    def __init__(self, pools: Mapping[str, C]) -> None:
        self.pools = tuple(pools.values())
        self._alone = {pool: Standalone(pool) for pool in self.pools}
        """Routing to each shard alone, by its pool."""
        self._ring = Ring(tuple(pools))
        self._holders = [pools[name] for name in self._ring.holders]
        self.owner: Callable[[Arg], C] = lru_cache(REMEMBERED)(self._found)
        """Map a stored key to the pool of its shard."""

    def _found(self, key: Arg) -> C:
        """Find the pool on the ring. A lease is on the shard of its entry."""
        name = key if isinstance(key, bytes) else str(key).encode("utf-8", "surrogateescape")
        return self._holders[self._ring.place_of(tagged(name.removesuffix(ON_RING)))]

    def _owners(self, keys: Sequence[Arg]) -> list[C]:
        return list(map(self.owner, keys))

    def first(self, batch: Batch, /) -> C | None:
        """Return the pool that has all keys of the batch; None if there are several, or a command has no key."""
        return sole(batch, self.owner)

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Return True unless a server refused a command as a replica (READONLY)."""
        return not is_read_only(replies)

    def flow(self, batch: Batch, begun: C | None = None, until: float | None = None, /) -> Flow[C, Sequence[Any]]:
        """Run the batch on its shards concurrently.

        If a shard gives no answer, its error replaces each of its replies.

        Raises:
            NotSupportedError: the keys of a command that cannot be split are on several shards. Nothing was sent.
        """
        if begun is not None:
            return (yield from self._alone[begun].flow(batch, begun, until))
        if len(batch) == 1 and batch[0][0] == "SCAN":
            return [(yield from self._scan(batch[0]))]
        divided = divide(batch, self._owners, _itself, self.pools)
        return unite(divided, (yield from self._exchanged({pool: tuple(some) for pool, some in divided.parts.items()})))

    def _scan(self, command: Command) -> Flow[C, Any]:
        """Scan one shard after another; the cursor encodes the shard's position and the shard's own cursor."""
        count = len(self.pools)
        # The cursor is the shard's own cursor times the number of shards, plus the position. It is 0 again after the
        # last shard.
        within, position = divmod(int(command[1]), count)
        pool = self.pools[position]
        outcome = (yield from self._exchanged({pool: (("SCAN", within, *command[2:]),)}))[pool]
        reply = outcome if isinstance(outcome, CacheError) else outcome[0]
        if isinstance(reply, CacheError):
            return reply
        [cursor, names] = reply
        following = position if int(cursor) else (position + 1) % count
        return [int(cursor) * count + following, names]

    def _exchanged(self, asked: Mapping[C, Batch]) -> Flow[C, dict[C, Sequence[Any] | CacheError]]:
        """Run the batches concurrently; repeat once those whose connection was lost, if that is safe."""
        outcomes: dict[C, Outcome] = yield Exchange(asked)
        lost = [pool for pool, outcome in outcomes.items() if isinstance(outcome, ConnectionLost)]
        again = {pool: asked[pool] for pool in lost if is_repeatable(asked[pool])}
        if again:
            outcomes |= yield Exchange(again)
        answered: dict[C, Sequence[Any]] = {}
        found: dict[C, Sequence[Any] | CacheError] = {}
        for pool, outcome in outcomes.items():
            if not isinstance(outcome, Exception):
                answered[pool] = outcome
            elif isinstance(outcome, CacheError):
                found[pool] = outcome
            else:
                raise outcome
        return found | (yield from self._followed(asked, answered))

    def _followed(self, asked: Mapping[C, Batch], replies: dict[C, Sequence[Any]]) -> Flow[C, dict[C, Sequence[Any]]]:
        """Repeat the commands that were refused with READONLY concurrently, on new connections."""
        refused = [pool for pool, some in replies.items() if not self._alone[pool].suffices(some)]
        if not refused:
            return replies
        for pool in refused:
            yield from self._alone[pool].reconnected()
        again: dict[C, Outcome] = yield Exchange({pool: refused_part(asked[pool], replies[pool]) for pool in refused})
        return replies | {pool: self._alone[pool].repeated(asked[pool], replies[pool], again[pool]) for pool in refused}

    def close(self) -> None:
        """Close every connection."""
        for pool in self.pools:
            pool.close()


def _itself(pool: C) -> C:
    return pool
