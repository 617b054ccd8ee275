"""Sets in memory."""

import random
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final

from dvcache.errors import reply_error
from dvcache.memory.arguments import LARGEST, SMALLEST, count, integer, syntax_error
from dvcache.memory.database import Commands, Database, Entrypoint, Handler
from dvcache.memory.scan import position, walk

Combination = Callable[[list[set[bytes]]], set[bytes]]


def sadd(db: Database, args: Sequence[bytes]) -> object:
    """SADD key member …."""
    key, *members = args
    held = db.value(key, set) or set()
    before = len(held)
    held.update(members)
    db.keep(key, held)
    return len(held) - before


def srem(db: Database, args: Sequence[bytes]) -> object:
    """SREM key member …."""
    key, *members = args
    held = _members(db, key)
    before = len(held)
    held.difference_update(members)
    db.keep(key, held)
    return before - len(held)


def scard(db: Database, args: Sequence[bytes]) -> object:
    """SCARD key."""
    return len(_members(db, args[0]))


def sismember(db: Database, args: Sequence[bytes]) -> object:
    """SISMEMBER key member."""
    key, member = args
    return int(member in _members(db, key))


def smismember(db: Database, args: Sequence[bytes]) -> object:
    """SMISMEMBER key member …."""
    key, *members = args
    held = _members(db, key)
    return [int(member in held) for member in members]


def smembers(db: Database, args: Sequence[bytes]) -> object:
    """SMEMBERS key."""
    return list(_members(db, args[0]))


def smove(db: Database, args: Sequence[bytes]) -> object:
    """SMOVE source destination member."""
    source, destination, member = args
    if db.find(source) is None:
        return 0
    held, other = _members(db, source), _members(db, destination)
    if member not in held:
        return 0
    if source != destination:
        held.remove(member)
        db.keep(source, held)
        db.keep(destination, other | {member})
    return 1


def spop(db: Database, args: Sequence[bytes]) -> object:
    """SPOP key [count]."""
    key, *rest = args
    wanted = _optional(rest, count)
    held = _members(db, key)
    taken = random.sample([*held], min(len(held), 1 if wanted is None else wanted))
    held.difference_update(taken)
    db.keep(key, held)
    return _one_or_all(taken, wanted)


def srandmember(db: Database, args: Sequence[bytes]) -> object:
    """SRANDMEMBER key [count]: a negative count allows repetitions."""
    key, *rest = args
    wanted = _optional(rest, _not_smallest)
    held = [*_members(db, key)]
    if wanted is not None and wanted < 0:
        return random.choices(held, k=-wanted) if held else []  # noqa: S311  # no secret
    return _one_or_all(random.sample(held, min(len(held), 1 if wanted is None else wanted)), wanted)


def _optional(rest: Sequence[bytes], read: Callable[[bytes], int]) -> int | None:
    if len(rest) > 1:
        raise syntax_error()
    return read(rest[0]) if rest else None


def _not_smallest(data: bytes) -> int:
    if (number := integer(data)) > SMALLEST:
        return number
    raise reply_error(f"ERR value is out of range, value must between {-LARGEST} and {LARGEST}")


def _one_or_all(found: list[bytes], wanted: int | None) -> object:
    if wanted is None:
        return found[0] if found else None
    return found


def sscan(db: Database, args: Sequence[bytes]) -> object:
    """SSCAN key cursor [MATCH pattern] [COUNT count]."""
    key, cursor, *options = args
    start = position(cursor)
    held = _members(db, key)
    return [*walk(held, start, options)] if held else [b"0", []]


def _members(db: Database, key: bytes) -> set[bytes]:
    """Return a set for changes in place; an empty one if there is none."""
    return db.value(key, set) or set()


def _union(sets: list[set[bytes]]) -> set[bytes]:
    return set[bytes]().union(*sets)


def _inter(sets: list[set[bytes]]) -> set[bytes]:
    return reduce(set.intersection, sets)


def _diff(sets: list[set[bytes]]) -> set[bytes]:
    return sets[0].difference(*sets[1:])


def _combined(combine: Combination) -> Handler:
    def combined(db: Database, args: Sequence[bytes]) -> object:
        return list(combine([_members(db, key) for key in args]))

    return combined


def _stored(combine: Combination) -> Handler:
    def stored(db: Database, args: Sequence[bytes]) -> object:
        destination, *keys = args
        return db.replace(destination, set(combine([_members(db, key) for key in keys])))

    return stored


COMMANDS: Final[Commands] = {
    b"SADD": Entrypoint(sadd, -3),
    b"SREM": Entrypoint(srem, -3),
    b"SCARD": Entrypoint(scard, 2),
    b"SISMEMBER": Entrypoint(sismember, 3),
    b"SMISMEMBER": Entrypoint(smismember, -3),
    b"SMEMBERS": Entrypoint(smembers, 2),
    b"SMOVE": Entrypoint(smove, 4),
    b"SPOP": Entrypoint(spop, -2),
    b"SRANDMEMBER": Entrypoint(srandmember, -2),
    b"SSCAN": Entrypoint(sscan, -3),
    b"SUNION": Entrypoint(_combined(_union), -2),
    b"SINTER": Entrypoint(_combined(_inter), -2),
    b"SDIFF": Entrypoint(_combined(_diff), -2),
    b"SUNIONSTORE": Entrypoint(_stored(_union), -3),
    b"SINTERSTORE": Entrypoint(_stored(_inter), -3),
    b"SDIFFSTORE": Entrypoint(_stored(_diff), -3),
}
