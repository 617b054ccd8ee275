"""Which clients make up a topology: one rule for both colours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from dvcache.clients.fallback import AsyncFallback, Fallback
from dvcache.clients.replicated import AsyncReadOnly, AsyncReplicated, ReadOnly, Replicated
from dvcache.clients.spread import AsyncSpread, Spread
from dvcache.clients.standalone import AsyncStandalone, Standalone
from dvcache.protocols import AsyncClient, AsyncPool, Client, Pool
from dvcache.rota import Rota
from dvcache.types import Endpoint

C = TypeVar("C")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Colour(Generic[P, C]):
    """The clients of one colour, by what they do."""

    one: Callable[[P], C]
    spread: Callable[[Rota[C]], C]
    fallback: Callable[[tuple[C, ...]], C]
    replicated: Callable[[C, C], C]
    read_only: Callable[[C], C]


SYNC: Final[Colour[Pool, Client]] = Colour(Standalone, Spread, Fallback, Replicated, ReadOnly)
ASYNC: Final[Colour[AsyncPool, AsyncClient]] = Colour(
    AsyncStandalone, AsyncSpread, AsyncFallback, AsyncReplicated, AsyncReadOnly
)


def client(
    colour: Colour[P, C],
    pool: Callable[[Endpoint], P],
    endpoints: Sequence[Endpoint],
    *,
    read_from_primary: bool = False,
    read_only: bool = False,
    write_anywhere: bool = False,
) -> C:
    """Return the client of a topology.

    Args:
        colour: whose clients.
        pool: makes the pool of an endpoint.
        endpoints: where writes go, and then what is read from; one is read from too.
        read_from_primary: leave the others as what they are: spare.
        read_only: refuse writes; the first endpoint is the last resort of reads.
        write_anywhere: try the others where a write fails.
    """
    first, *others = dict.fromkeys(endpoints)
    primary = colour.one(pool(first))
    if not others or (read_from_primary and not read_only and not write_anywhere):
        return primary
    members = tuple(colour.one(pool(other)) for other in others)
    writer = colour.fallback((primary, *members)) if write_anywhere else primary
    if read_from_primary and not read_only:
        return writer
    readers = members[0] if len(members) == 1 and others[0].service else colour.spread(Rota(lambda: members))
    both = colour.replicated(writer, readers)
    return colour.read_only(both) if read_only else both
