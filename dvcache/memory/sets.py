"""Sets in memory."""

import random
from collections.abc import Sequence

from dvcache.error_replies import reply_error
from dvcache.memory.arguments import LARGEST, SMALLEST, count, integer
from dvcache.memory.database import Database, command
from dvcache.memory.scan import position, walk


@command
def sadd(db: Database, key: bytes, member: bytes, *more: bytes) -> object:
    """SADD key member …."""
    held = db.held(key, set)
    before = len(held)
    held.update((member, *more))
    db.keep(key, held)
    return len(held) - before


@command
def srem(db: Database, key: bytes, member: bytes, *more: bytes) -> object:
    """SREM key member …."""
    held = db.held(key, set)
    before = len(held)
    held.difference_update((member, *more))
    db.keep(key, held)
    return before - len(held)


@command
def scard(db: Database, key: bytes) -> object:
    """SCARD key."""
    return len(db.held(key, set))


@command
def sismember(db: Database, key: bytes, member: bytes) -> object:
    """SISMEMBER key member."""
    return int(member in db.held(key, set))


@command
def smismember(db: Database, key: bytes, member: bytes, *more: bytes) -> object:
    """SMISMEMBER key member …."""
    held = db.held(key, set)
    return [int(each in held) for each in (member, *more)]


@command
def smembers(db: Database, key: bytes) -> object:
    """SMEMBERS key."""
    return list(db.held(key, set))


@command
def smove(db: Database, source: bytes, destination: bytes, member: bytes) -> object:
    """SMOVE source destination member."""
    if db.find(source) is None:
        return 0
    held, other = db.held(source, set), db.held(destination, set)
    if member not in held:
        return 0
    if source != destination:
        held.remove(member)
        db.keep(source, held)
        db.keep(destination, other | {member})
    return 1


@command
def spop(db: Database, key: bytes, number: bytes = b"") -> object:
    """SPOP key [count]."""
    wanted = count(number) if number else 1
    held = db.held(key, set)
    taken = random.sample([*held], min(len(held), wanted))
    held.difference_update(taken)
    db.keep(key, held)
    return taken if number else next(iter(taken), None)


@command
def srandmember(db: Database, key: bytes, number: bytes = b"") -> object:
    """SRANDMEMBER key [count]: a negative count allows repetitions."""
    wanted = integer(number) if number else 1
    if wanted == SMALLEST:
        raise reply_error(f"ERR value is out of range, value must between {-LARGEST} and {LARGEST}")
    held = [*db.held(key, set)]
    if wanted < 0:
        return random.choices(held, k=-wanted) if held else []  # noqa: S311  # no secret
    found = random.sample(held, min(len(held), wanted))
    return found if number else next(iter(found), None)


@command
def sscan(db: Database, key: bytes, cursor: bytes, *options: bytes) -> object:
    """SSCAN key cursor [MATCH pattern] [COUNT count]."""
    start = position(cursor)
    return [*walk(db.held(key, set), start, options)]


def _sets(db: Database, keys: Sequence[bytes]) -> list[set[bytes]]:
    return [db.held(key, set) for key in keys]


@command
def sunion(db: Database, key: bytes, *more: bytes) -> list[bytes]:
    """SUNION key …."""
    return [*set[bytes]().union(*_sets(db, (key, *more)))]


@command
def sinter(db: Database, key: bytes, *more: bytes) -> list[bytes]:
    """SINTER key …."""
    first, *others = _sets(db, (key, *more))
    return [*first.intersection(*others)]


@command
def sdiff(db: Database, key: bytes, *more: bytes) -> list[bytes]:
    """SDIFF key …."""
    first, *others = _sets(db, (key, *more))
    return [*first.difference(*others)]


@command
def sunionstore(db: Database, destination: bytes, key: bytes, *more: bytes) -> object:
    """SUNIONSTORE destination key …."""
    return _stored(db, destination, sunion(db, key, *more))


@command
def sinterstore(db: Database, destination: bytes, key: bytes, *more: bytes) -> object:
    """SINTERSTORE destination key …."""
    return _stored(db, destination, sinter(db, key, *more))


@command
def sdiffstore(db: Database, destination: bytes, key: bytes, *more: bytes) -> object:
    """SDIFFSTORE destination key …."""
    return _stored(db, destination, sdiff(db, key, *more))


def _stored(db: Database, destination: bytes, members: list[bytes]) -> int:
    db.drop(destination)
    db.keep(destination, {*members})
    return len(members)
