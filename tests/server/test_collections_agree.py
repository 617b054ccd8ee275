"""The in-memory server replies as the real one does to commands of collections, whatever they are."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dvcache.pools.memory import MemoryPool
from dvcache.pools.memory.store import MemoryStore
from dvcache.protocols import Pool
from dvcache.types import Command, Endpoint
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.lists(SETS | ANY, max_size=20))
@example([("SADD", "a", b"1"), ("SPOP", "a"), ("SPOP", "a"), ("SRANDMEMBER", "a"), ("EXISTS", "a")])
@example([("SADD", "a", b"1"), ("EXPIRE", "a", 100000), ("COPY", "a", "b"), ("SADD", "b", b"2"), ("SMEMBERS", "a")])
def test_random_commands_of_sets_get_the_same_replies(real: Pool, commands: list[Command]) -> None:
    fake = MemoryPool(MemoryStore(), Endpoint())
    assert answers(fake, commands) == answers(real, commands)
