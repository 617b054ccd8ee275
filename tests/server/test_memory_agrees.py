"""The in-memory server replies as the real one does, whatever the commands."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from typing_extensions import override

from dvcache.errors import ServerError
from dvcache.pools.lean import LeanPool
from dvcache.pools.memory import MemoryPool
from dvcache.pools.memory.store import MemoryStore
from dvcache.protocols import Pool
from dvcache.scripts import INCREMENT, SWAP
from dvcache.types import Command, Endpoint
from tests.servers import Server

FAR = 4_102_444_800
"""The year 2100, in seconds."""

KEYS = st.sampled_from(["a", "b", "aa", "a[b", "", "é"])
NUMBERS = st.sampled_from(
    [
        b"7",
        b"-3",
        b"0",
        b"-0",
        b"01",
        b"+1",
        b" 1",
        b"1 ",
        b"1_000",
        b"0x10",
        b"9223372036854775807",
        b"9223372036854775808",
    ]
)
FLOATS = st.sampled_from(
    [
        b"1.5",
        b".5",
        b"5.",
        b"1e3",
        b"1e-3",
        b"3.1",
        b"-2.0e2",
        b"inf",
        b"-INFINITY",
        b"nan",
        b"1e5000",
        b"1e",
        b"1e30.5",
    ]
)
VALUES = (
    NUMBERS
    | FLOATS
    | st.sampled_from([b"", b"x", b"abc", b"\xff\x00", b"12345678901234567.25", b"-9223372036854775808"])
)
AMOUNTS = st.sampled_from([1, -1, 0, 2**63 - 1, -(2**63), 2**63, "x", "", "1.5", 1.5]) | VALUES
SECONDS = st.sampled_from([200_000, 10_000_000, 0, -1, "x", 2**63 - 1, 2**60, -(2**60), -(2**63)])
ENDS = st.sampled_from([FAR, FAR + 7, 1, 0, -1, "x", 2**63 - 1])
ENDS_MS = st.sampled_from([FAR * 1000, FAR * 1000 + 7, 1, 0, -1, "x", 2**63 - 1])
CONDITIONS = st.lists(st.sampled_from(["NX", "XX", "GT", "LT", "gt", "BAD"]), max_size=2)
PATTERNS = st.sampled_from(["*", "a*", "?", "a?", "[ab]", "[^a]", "a\\[b", "a[[]b", "**", "", "*a*", "[a-z]*"])


def command(*parts: str | SearchStrategy[Any]) -> SearchStrategy[Command]:
    """Return commands of these parts, in which lists stand for several arguments."""
    strategies = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*strategies).map(
        lambda found: tuple(item for part in found for item in (part if isinstance(part, list) else [part]))
    )


TIMES = st.one_of(
    st.tuples(st.sampled_from(["EX", "PX", "px"]), SECONDS),
    st.tuples(st.just("EXAT"), ENDS),
    st.tuples(st.just("PXAT"), ENDS_MS),
).map(list)

SET_OPTIONS = st.lists(
    TIMES
    | st.sampled_from([["NX"], ["XX"], ["GET"], ["KEEPTTL"], ["nx"], ["BAD"], ["EX"], ["PERSIST"]])
    | VALUES.map(lambda value: ["IFEQ", value]),
    max_size=3,
).map(lambda options: [item for option in options for item in option])

SOME_KEYS = st.lists(KEYS, min_size=1, max_size=3)

COMMANDS = st.one_of(
    command("PING", st.lists(VALUES, max_size=2)),
    command("ECHO", VALUES),
    command("GET", KEYS),
    command("SET", KEYS, VALUES),
    command("SET", KEYS, VALUES),
    command("SET", KEYS, VALUES, SET_OPTIONS),
    command("SETNX", KEYS, VALUES),
    command("SETEX", KEYS, SECONDS, VALUES),
    command("PSETEX", KEYS, SECONDS, VALUES),
    command("GETSET", KEYS, VALUES),
    command("GETDEL", KEYS),
    command("GETEX", KEYS, TIMES | st.sampled_from([[], ["PERSIST"], ["BAD"], ["PERSIST", "EX", 5], ["NX"]])),
    command("MGET", SOME_KEYS),
    command("MSET", st.lists(KEYS | VALUES, min_size=1, max_size=5)),
    command(st.sampled_from(["DEL", "UNLINK", "EXISTS", "TOUCH"]), SOME_KEYS),
    command(st.sampled_from(["TYPE", "PERSIST", "STRLEN", "INCR", "DECR"]), KEYS),
    command(st.sampled_from(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]), KEYS),
    command("EXPIRE", KEYS, SECONDS, CONDITIONS),
    command("PEXPIRE", KEYS, SECONDS, CONDITIONS),
    command("EXPIREAT", KEYS, ENDS, CONDITIONS),
    command("PEXPIREAT", KEYS, ENDS_MS, CONDITIONS),
    command(st.sampled_from(["INCRBY", "DECRBY", "INCRBYFLOAT"]), KEYS, AMOUNTS),
    command("APPEND", KEYS, VALUES),
    command("DELIFEQ", KEYS, VALUES),
    command(st.sampled_from(["RENAME", "RENAMENX", "COPY"]), KEYS, KEYS),
    command("COPY", KEYS, KEYS, st.sampled_from([["REPLACE"], ["DB", 1], ["DB", 99], ["DB", "x"], ["DB"], ["BAD"]])),
    command("KEYS", PATTERNS),
    command("SCAN", "0", st.sampled_from([[], ["COUNT", 100], ["COUNT", 0], ["COUNT", "x"], ["MATCH"], ["BAD", 1]])),
    command("SCAN", "0", "MATCH", PATTERNS, "COUNT", "100"),
    command("SCAN", "0", "COUNT", "100", "TYPE", st.sampled_from(["string", "STRING", "hash", "nonsense"])),
    command("SCAN", st.sampled_from(["x", "-1", "", "18446744073709551616"])),
    command("DBSIZE"),
    command(
        st.sampled_from(["FLUSHDB", "FLUSHALL"]), st.sampled_from([[], ["ASYNC"], ["sync"], ["BAD"], ["SYNC"] * 2])
    ),
    command("SELECT", st.sampled_from([0, 99, "x"])),
    command(
        "EVAL", st.just(INCREMENT.text), st.just(1), KEYS, AMOUNTS, st.sampled_from([[], [b"5"], [b"5", "EX", 100]])
    ),
    command("EVAL", st.just(SWAP.text), st.just(1), KEYS, VALUES, VALUES, st.sampled_from([[], ["XX"], ["EX", 100]])),
    command("EVALSHA", st.just("0" * 40), st.sampled_from([0, 9, -1, "x"])),
    command("EVALSHA", st.sampled_from([INCREMENT.sha, INCREMENT.sha.upper()]), st.just(1), KEYS, AMOUNTS),
    command("SCRIPT", st.sampled_from([["EXISTS", "0" * 40], ["EXISTS"], ["LOAD"], ["BAD"], ["LOAD", SWAP.text]])),
    command(
        st.sampled_from(["GET", "set", "MGET", "TTL", "SCAN", "EVAL", "DBSIZE", "Nonsense", "nö"]),
        st.lists(KEYS, max_size=3),
    ),
)


@pytest.fixture
def real(server: Server) -> Iterator[Pool]:
    pool = LeanPool(Endpoint(host="127.0.0.1", port=server.port))
    yield pool
    pool.close()


MOMENTS = {"TTL": 1, "PTTL": 1000, "EXPIRETIME": 1, "PEXPIRETIME": 1000}
"""Commands whose replies depend on when they run, and their units in a second."""

TOLERANCE = 100
"""Seconds; the times that are set lie further apart."""


class Around(int):
    """A time that equals any other within the tolerance."""

    unit: int

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Around) and abs(int(self) - int(other)) <= TOLERANCE * self.unit

    __hash__ = int.__hash__


def comparable(command: Command, reply: object) -> object:
    """Return a reply as it can be compared: errors by their text, keys and pages without their order."""
    if isinstance(reply, ServerError):
        return type(reply), reply.message.partition(" script: ")[0]
    if isinstance(reply, int) and reply >= 0 and (unit := MOMENTS.get(str(command[0]))):
        around = Around(reply)
        around.unit = unit
        return around
    if isinstance(reply, list) and str(command[0]) == "SCAN":
        return reply[0], sorted(reply[1])
    return sorted(reply) if isinstance(reply, list) and str(command[0]) == "KEYS" else reply


def answers(pool: Pool, commands: Sequence[Command]) -> list[tuple[Command, object]]:
    return [
        (command, comparable(command, pool.execute((command,))[0]))
        for command in (("FLUSHALL",), ("SCRIPT", "FLUSH"), *commands)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(COMMANDS, max_size=20))
@example([("SET", "a", b"1", "PXAT", 1), ("GET", "a"), ("SET", "a", b"1", "EX", 1, "EX", 100), ("TTL", "a")])
@example([("SET", "a", b"1"), ("SET", "a", b"2", "IFEQ", b"1", "IFEQ", b"1"), ("SET", "a", b"2", "NX", "NX")])
@example([("SET", "a", b"1", "GET", "NX"), ("SET", "a", b"2", "GET", "NX"), ("GET", "a")])
def test_random_commands_get_the_same_replies(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)


# Not beyond ASCII: whether those bytes count as negative in a range depends on the processor of the server.
NAMES = st.text(alphabet="ab-]^[\\*?", max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(NAMES, min_size=1, max_size=8), st.lists(NAMES, min_size=1, max_size=20))
@example(
    ["[", "[^", "[a", "\\", "[a-", "[a-]", "[]", "[^]", "[\\]]", "[b-a]"], ["a", "b", "]", "-", "[", "\\", "", "^"]
)
@example(["*a*b*", "*", "**", "a**", "**a"], ["ab", "aab", "aabb", "", "ba"])
def test_random_patterns_find_the_same_keys(real: Pool, patterns: list[str], names: list[str]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    commands: list[Command] = [("SET", name, b"") for name in names]
    for pattern in patterns:
        commands += [("KEYS", pattern), ("SCAN", "0", "MATCH", pattern, "COUNT", 1000)]
    assert answers(fake, commands) == answers(real, commands)
