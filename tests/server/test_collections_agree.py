"""The in-memory server replies as the real one does to commands of collections, whatever they are."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dvcache.pools.memory import MemoryPool
from dvcache.pools.memory.store import MemoryStore
from dvcache.protocols import Pool
from dvcache.types import Command, Endpoint
from tests.agreement import CONDITIONS as FLAGS
from tests.agreement import KEYS, PATTERNS, SOME_KEYS, VALUES, answers, command

MEMBERS = st.lists(VALUES, min_size=1, max_size=4)
OPTIONS = st.sampled_from([[], ["COUNT", 1], ["COUNT", 0], ["COUNT", "x"], ["MATCH"], ["TYPE", "set"], ["BAD", 1]])
CURSORS = st.sampled_from(["0", "x", "-1", ""])
ANY = command(st.sampled_from(["DEL", "TYPE", "EXISTS", "GET", "PERSIST", "TTL"]), KEYS) | command(
    st.sampled_from(["SET", "EXPIRE"]), KEYS, st.just(b"100000")
)

SETS = st.one_of(
    command("SADD", KEYS, MEMBERS),
    command("SADD", KEYS, MEMBERS),
    command("SREM", KEYS, MEMBERS),
    command(st.sampled_from(["SCARD", "SMEMBERS"]), KEYS),
    command("SISMEMBER", KEYS, VALUES),
    command("SMISMEMBER", KEYS, MEMBERS),
    command("SMOVE", KEYS, KEYS, VALUES),
    command("SPOP", KEYS, st.sampled_from([[0], [2**63 - 1], [-1], ["x"], [1, 1]])),
    command("SRANDMEMBER", KEYS, st.sampled_from([[0], [1], [2], [-3], ["x"], [1, 1], [-(2**63)]])),
    command(st.sampled_from(["SUNION", "SINTER", "SDIFF"]), SOME_KEYS),
    command(st.sampled_from(["SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"]), KEYS, SOME_KEYS),
    command("SSCAN", KEYS, CURSORS, OPTIONS),
    command("SSCAN", KEYS, st.just("0"), st.just("MATCH"), PATTERNS),
    command(st.sampled_from(["SADD", "SMOVE", "SSCAN", "SUNION", "SDIFFSTORE"]), st.lists(KEYS, max_size=1)),
)

FIELDS = st.sampled_from(["f", "g", "fg", "", "é"])
SOME_FIELDS = st.lists(FIELDS, min_size=1, max_size=3)
PAIRS = st.lists(st.tuples(FIELDS, VALUES), min_size=1, max_size=3)
FLAT = PAIRS.map(lambda pairs: [part for pair in pairs for part in pair])
TIMES = st.sampled_from([200_000, 10_000_000, 0, -1, "x", 2**63 - 1])
COUNTED = SOME_FIELDS.map(lambda fields: ["FIELDS", len(fields), *fields])
MISCOUNTED = st.sampled_from([["FIELDS", 2, "f"], ["FIELDS", 1, "f", "g"]])
HASH_TIMES = st.sampled_from(
    [[], ["PX", 10**9], ["EX", 10**6], ["PXAT", 1], ["EX", -1], ["KEEPTTL"], ["PX", 1, "EX", 1]]
)
CONDITIONS = st.sampled_from([[], [], ["NX"], ["XX"], ["FNX"], ["FXX"], ["XX", "FXX"], ["NX", "XX"], ["BAD"]])

HASHES = st.one_of(
    command("HSET", KEYS, FLAT),
    command("HSET", KEYS, FLAT),
    command("HSETNX", KEYS, FIELDS, VALUES),
    command(st.sampled_from(["HGET", "HEXISTS", "HGET"]), KEYS, FIELDS),
    command(st.sampled_from(["HMGET", "HDEL"]), KEYS, SOME_FIELDS),
    command(st.sampled_from(["HLEN", "HKEYS", "HVALS", "HGETALL"]), KEYS),
    command(st.sampled_from(["HINCRBY", "HINCRBYFLOAT"]), KEYS, FIELDS, VALUES),
    command("HSCAN", KEYS, CURSORS, OPTIONS),
    command("HSCAN", KEYS, st.just("0"), st.sampled_from([["NOVALUES"], ["MATCH", "f*"], ["MATCH", "f*", "novalues"]])),
    command(st.sampled_from(["HEXPIRE", "HPEXPIRE"]), KEYS, TIMES, FLAGS, COUNTED),
    command("HEXPIRE", KEYS, st.just(100_000), MISCOUNTED),
    command(st.sampled_from(["HTTL", "HPTTL", "HPERSIST"]), KEYS, COUNTED),
    command("HPERSIST", KEYS, MISCOUNTED),
    command("HSETEX", KEYS, CONDITIONS, HASH_TIMES, PAIRS.map(lambda pairs: ["FIELDS", len(pairs), *sum(pairs, ())])),
    command("HSETEX", KEYS, MISCOUNTED),
    command(st.sampled_from(["HSET", "HGET", "HSCAN", "HSETEX"]), st.lists(KEYS, max_size=3)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.lists(SETS | ANY, max_size=20))
@example([("SADD", "a", b"1"), ("SPOP", "a"), ("SPOP", "a"), ("SRANDMEMBER", "a"), ("EXISTS", "a")])
@example([("SADD", "a", b"1"), ("EXPIRE", "a", 100000), ("COPY", "a", "b"), ("SADD", "b", b"2"), ("SMEMBERS", "a")])
def test_random_commands_of_sets_get_the_same_replies(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(HASHES | ANY, max_size=20))
@example([("HSET", "a", "f", b"1"), ("HPEXPIRE", "a", 0, "FIELDS", 1, "f"), ("EXISTS", "a")])
@example([("HSETEX", "a", "PX", 10**9, "FIELDS", 1, "f", b"1"), ("COPY", "a", "b"), ("HPTTL", "b", "FIELDS", 1, "f")])
@example(
    [("HSETEX", "a", "EX", 10**6, "FIELDS", 1, "f", b"1"), ("HSET", "a", "f", b"2"), ("HTTL", "a", "FIELDS", 1, "f")]
)
def test_random_commands_of_hashes_get_the_same_replies(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)
