"""Test that the in-memory server replies as the real one to random commands."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dvcache.memory import MemoryPool
from dvcache.memory.store import MemoryStore
from dvcache.protocols import Pool
from dvcache.scripts.counting import INCREMENT, SWAP
from dvcache.types import Command, Endpoint
from tests.support.memory_agreement import (
    AMOUNTS,
    ENDS,
    ENDS_MS,
    KEYS,
    LIFETIMES,
    PATTERNS,
    SECONDS,
    SOME_KEYS,
    VALUES,
    answers,
    command,
)

pytestmark = pytest.mark.full("draws many random commands")

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

COMMANDS = st.one_of(
    command("PING"),
    command("GET", KEYS),
    command("SET", KEYS, VALUES),
    command("SET", KEYS, VALUES),
    command("SET", KEYS, VALUES, SET_OPTIONS),
    command("GETDEL", KEYS),
    command("MGET", SOME_KEYS),
    command("MSET", st.lists(KEYS | VALUES, min_size=1, max_size=5)),
    command("MSETEX", st.just(2), KEYS, VALUES, KEYS, VALUES, TIMES | st.sampled_from([[], ["BAD"], ["PX"]])),
    command("MSETEX", st.sampled_from([0, 1, 2, "x", -1]), KEYS, VALUES, TIMES | st.just([])),
    command(st.sampled_from(["DEL", "UNLINK", "EXISTS"]), SOME_KEYS),
    command(st.sampled_from(["PERSIST", "PTTL", "PEXPIRETIME"]), KEYS),
    command("PEXPIRE", KEYS, LIFETIMES),
    command("PEXPIREAT", KEYS, ENDS_MS),
    command("INCRBY", KEYS, AMOUNTS),
    command("RENAME", KEYS, KEYS),
    command("KEYS", PATTERNS),
    command("SCAN", "0", st.sampled_from([[], ["COUNT", 100], ["COUNT", 0], ["COUNT", "x"], ["MATCH"], ["BAD", 1]])),
    command("SCAN", "0", "MATCH", PATTERNS, "COUNT", "100"),
    command("SCAN", st.sampled_from(["x", "-1", "", "18446744073709551616"])),
    command("DBSIZE"),
    command(
        st.sampled_from(["FLUSHDB", "FLUSHALL"]), st.sampled_from([[], ["ASYNC"], ["sync"], ["BAD"], ["SYNC"] * 2])
    ),
    command(
        "EVAL", st.just(INCREMENT.text), st.just(1), KEYS, AMOUNTS, st.sampled_from([[], [b"5"], [b"5", "EX", 100]])
    ),
    command("EVAL", st.just(SWAP.text), st.just(1), KEYS, VALUES, VALUES, st.sampled_from([[], ["XX"], ["EX", 100]])),
    command("EVALSHA", st.just("0" * 40), st.sampled_from([0, 9, -1, "x"])),
    command("EVALSHA", st.sampled_from([INCREMENT.sha, INCREMENT.sha.upper()]), st.just(1), KEYS, AMOUNTS),
    command(
        st.sampled_from(["GET", "set", "MGET", "PTTL", "SCAN", "EVAL", "DBSIZE"]),
        st.lists(KEYS, max_size=3),
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(COMMANDS, max_size=20))
@example([("SET", "a", b"1", "PXAT", 1), ("GET", "a"), ("SET", "a", b"1", "EX", 1, "EX", 100), ("PTTL", "a")])
@example([("SET", "a", b"1"), ("SET", "a", b"2", "IFEQ", b"1", "IFEQ", b"1"), ("SET", "a", b"2", "NX", "NX")])
@example([("SET", "a", b"1", "GET", "NX"), ("SET", "a", b"2", "GET", "NX"), ("GET", "a")])
def test_memory_server_replies_alike_to_random_commands(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)


# ASCII only: whether other bytes are negative in a range depends on the server's processor
NAMES = st.text(alphabet="ab-]^[\\*?", max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(NAMES, min_size=1, max_size=8), st.lists(NAMES, min_size=1, max_size=20))
@example(
    ["[", "[^", "[a", "\\", "[a-", "[a-]", "[]", "[^]", "[\\]]", "[b-a]"], ["a", "b", "]", "-", "[", "\\", "", "^"]
)
@example(["*a*b*", "*", "**", "a**", "**a"], ["ab", "aab", "aabb", "", "ba"])
def test_memory_server_finds_the_same_keys_by_random_patterns(
    real: Pool, patterns: list[str], names: list[str]
) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    commands: list[Command] = [("SET", name, b"") for name in names]
    for pattern in patterns:
        commands += [("KEYS", pattern), ("SCAN", "0", "MATCH", pattern, "COUNT", 1000)]
    assert answers(fake, commands) == answers(real, commands)
