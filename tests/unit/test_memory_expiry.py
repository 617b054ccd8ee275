"""Test expiry on the in-memory server, with a manual clock."""

from dvcache.memory import MemoryPool
from dvcache.memory.store import MemoryStore
from dvcache.testing import ManualClock
from dvcache.types import Endpoint


def made() -> tuple[ManualClock, MemoryPool]:
    clock = ManualClock()
    return clock, MemoryPool(MemoryStore(clock), Endpoint())


def test_entry_exists_until_it_expires() -> None:
    clock, pool = made()
    pool.execute((("SET", "k", b"v", "PX", 1500),))
    clock.advance(1.499)
    assert pool.execute((("GET", "k"), ("PTTL", "k"))) == [b"v", 1]
    clock.advance(0.001)
    assert pool.execute((("GET", "k"), ("PTTL", "k"), ("EXISTS", "k"))) == [None, -2, 0]


def test_expired_entry_is_visible_to_no_command() -> None:
    clock, pool = made()
    pool.execute((("SET", "k", b"v", "EX", 1), ("SET", "kept", b"w")))
    clock.advance(1)
    assert pool.execute((("DBSIZE",), ("KEYS", "*"), ("SCAN", 0), ("MGET", "k"), ("DEL", "k"))) == [
        1,
        [b"kept"],
        [b"0", [b"kept"]],
        [None],
        0,
    ]


def test_expired_entry_does_not_block_a_new_one() -> None:
    clock, pool = made()
    pool.execute((("SET", "k", b"v", "EX", 1), ("SET", "new", b"w")))
    clock.advance(1)
    assert pool.execute((("RENAME", "new", "k"), ("PTTL", "k"), ("SET", "new", b"x", "NX"))) == [b"OK", -1, b"OK"]


def test_entry_without_expiry_outlives_the_clock() -> None:
    clock, pool = made()
    pool.execute((("SET", "k", b"v"),))
    clock.advance(10**9)
    assert pool.execute((("GET", "k"),)) == [b"v"]


def test_fractions_of_a_second_add_up_without_losing_a_millisecond() -> None:
    clock, pool = made()
    pool.execute((("SET", "k", b"v", "PX", 1000),))
    for _ in range(9):
        clock.advance(0.1)
    assert pool.execute((("PTTL", "k"),)) == [100]


def test_expired_entries_do_not_pile_up() -> None:
    clock, pool = made()
    for number in range(10_000):
        pool.execute((("SET", f"k{number}", b"v", "EX", 1),))
        clock.advance(0.1)
    assert len(pool._connection._store._database._entries) < 100
