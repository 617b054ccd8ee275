"""Test SCAN and glob patterns of the in-memory server."""

import random
from collections.abc import Callable
from itertools import chain

import pytest

from dvcache.globs import glob
from dvcache.memory import MemoryPool
from dvcache.memory.store import MemoryStore
from dvcache.types import Endpoint


@pytest.fixture
def pool() -> MemoryPool:
    return MemoryPool(MemoryStore(), Endpoint())


def scan(pool: MemoryPool, *options: str | int, between: Callable[[list[bytes]], object] = len) -> list[list[bytes]]:
    cursor, pages = b"0", []
    while True:
        [[cursor, page]] = pool.execute((("SCAN", cursor, *options),))
        pages.append(page)
        assert len(pages) < 1000, "the scan does not end"
        if cursor == b"0":
            return pages
        between(page)


def test_scan_pages_have_the_requested_size_and_each_key_once(pool: MemoryPool) -> None:
    pool.execute(tuple(("SET", f"k{number}", 1) for number in range(25)))
    pages = scan(pool, "COUNT", 10)
    assert [len(page) for page in pages] == [10, 10, 5]
    assert sorted(chain(*pages)) == sorted(b"k%d" % number for number in range(25))


def test_scan_pattern_shrinks_pages_and_does_not_end_the_scan(pool: MemoryPool) -> None:
    pool.execute(tuple(("SET", f"k{number}", 1) for number in range(25)))
    assert scan(pool, "MATCH", "k24", "COUNT", 10) == [[], [], [b"k24"]]


def test_scan_finds_keys_present_throughout_despite_other_changes(pool: MemoryPool) -> None:
    steady = {b"steady%d" % number for number in range(200)}
    moment = random.Random(1)

    def disturb(_: object) -> None:
        for number in range(20):
            pool.execute((("DEL", f"other{moment.randrange(200)}"), ("SET", f"other{moment.randrange(200)}", number)))
        pool.execute((("SET", f"steady{moment.randrange(200)}", "again"),))

    pool.execute(tuple(("SET", key, 1) for key in sorted(steady, key=lambda _: moment.random())))
    disturb(None)
    pages = scan(pool, "COUNT", 7, between=disturb)
    assert steady <= set(chain(*pages))


def test_scan_ends_although_every_found_key_is_recreated(pool: MemoryPool) -> None:
    pool.execute(tuple(("SET", f"k{number}", 1) for number in range(30)))

    def renew(page: list[bytes]) -> None:
        for key in page:
            pool.execute((("DEL", key), ("SET", key, 2)))

    assert len(scan(pool, "COUNT", 10, between=renew)) == 3


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*", ["", "a", "a\nb"], []),
        ("a*", ["a", "ab", "a*"], ["ba", ""]),
        ("*:1:*", [":1:", "x:1:y"], ["x:2:y"]),
        ("a?c", ["abc", "a\nc"], ["ac", "abbc"]),
        ("h[ae]llo", ["hallo", "hello"], ["hillo"]),
        ("h[^e]llo", ["hallo"], ["hello", "hllo"]),
        ("h[a-c]", ["ha", "hc"], ["hd", "h-"]),
        ("h[c-a]", ["ha", "hb"], ["hd"]),
        (r"h[\]x]", ["h]", "hx"], ["h\\"]),
        (r"a\*b", ["a*b"], ["axb"]),
        (r"a\[b\]", ["a[b]"], ["ab"]),
        ("a[b", ["ab"], ["a[b"]),
        ("a.b", ["a.b"], ["axb"]),
        ("[]", [], ["", "]"]),
        ("é?", ["éx"], ["é"]),
        ("**", ["a"], [""]),
        ("", [""], ["a"]),
        ("a\\", ["a\\"], ["a"]),
    ],
)
def test_pattern_matches_as_on_the_server(pattern: str, matching: list[str], other: list[str]) -> None:
    matches = glob(pattern.encode())
    assert all(matches(key.encode()) for key in matching)
    assert not any(matches(key.encode()) for key in other)


def test_pattern_that_is_abusive_costs_no_more_than_a_long_one() -> None:
    # With backtracking behind every star this would take longer than the age of the universe.
    assert not glob(b"a*" * 40 + b"b")(b"a" * 5000)
