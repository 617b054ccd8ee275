"""Test routing against a model: several owners together answer like one server."""

import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvcache.errors import CacheError, ConnectionLost, NotSupportedError, WrongTypeError
from dvcache.memory import MemoryPool, MemoryStore
from dvcache.routing.commands import RULES, is_repeatable, only_reads, rule_of
from dvcache.routing.plan import divide, gathered, unite
from dvcache.types import Arg, Batch, Command, Endpoint

KEYS = st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"", b"a b"])
VALUES = st.binary(max_size=3)

COMMANDS = st.one_of(
    st.tuples(st.just("GET"), KEYS),
    st.tuples(st.just("SET"), KEYS, VALUES),
    st.tuples(st.just("SET"), KEYS, VALUES, st.just("NX")),
    st.tuples(st.sampled_from(["GETDEL", "PTTL", "PERSIST"]), KEYS),
    st.lists(KEYS, min_size=1, max_size=6).flatmap(
        lambda names: st.sampled_from(["MGET", "UNLINK", "EXISTS", "DEL"]).map(lambda name: (name, *names))
    ),
    st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=5).map(
        lambda pairs: ("MSET", *(part for pair in pairs for part in pair))
    ),
    st.just(("DBSIZE",)),
    st.just(("FLUSHDB",)),
)
BATCHES = st.lists(COMMANDS, max_size=12).map(tuple)


def keys(command: Command) -> tuple[Arg, ...]:
    return rule_of(command).keys(command)


def server() -> MemoryPool:
    return MemoryPool(MemoryStore(), Endpoint(scheme="memory"))


def each(owner: Any) -> Any:
    return lambda named: [owner(key) for key in named]


def owner_among(count: int) -> Any:
    def owner(key: Arg) -> int:
        assert isinstance(key, bytes)
        return zlib.crc32(key) % count

    return owner


@given(batches=st.lists(BATCHES, max_size=4), count=st.integers(1, 4), apart=st.booleans())
def test_several_owners_answer_like_one_server(batches: Sequence[Batch], count: int, apart: bool) -> None:
    alone, together = server(), [server() for _ in range(count)]
    for batch in batches:
        plan = divide(batch, each(owner_among(count)), int, range(count), apart=apart)
        replies = {owner_id: together[owner_id].execute(tuple(commands)) for owner_id, commands in plan.parts.items()}
        united = unite(plan, replies)
        assert united == list(alone.execute(batch))
        assert gathered(plan, replies) in ([None] if len(batch) != 1 else [None, united])


PAIRS = st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=6)


@given(pairs=PAIRS, options=st.sampled_from([(), ("PXAT", 2**50)]), count=st.integers(1, 4))
def test_entries_stored_by_several_owners_are_stored_as_by_one(
    pairs: list[tuple[bytes, bytes]], options: tuple[Arg, ...], count: int
) -> None:
    command = ("MSETEX", len(pairs), *(part for pair in pairs for part in pair), *options)
    owners = [server() for _ in range(count)]
    plan = divide((command,), each(owner_among(count)), int, range(count))
    replies: dict[int, Any] = {
        owner_id: owners[owner_id].execute(tuple(commands)) for owner_id, commands in plan.parts.items()
    }
    assert unite(plan, replies) == ([[1] * len(pairs)] if len(plan.parts) > 1 else [1])
    for key, value in dict(pairs).items():
        where = owners[owner_among(count)(key)]
        assert where.execute((("GET", key), ("PEXPIRETIME", key))) == [value, 2**50 if options else -1]
    if len(plan.parts) > 1:
        error = replies[owner_among(count)(pairs[0][0])] = ConnectionLost("gone")
        failed = [owner_among(count)(key) == owner_among(count)(pairs[0][0]) for key, _ in pairs]
        assert unite(plan, replies) == [[error if each else 1 for each in failed]]


@pytest.mark.parametrize("apart", [True, False])
def test_conditional_or_slot_bound_msetex_is_not_divided(apart: bool) -> None:
    condition = () if apart else ("NX",)
    with pytest.raises(NotSupportedError, match=r"MSETEX.*a.*d.*braces"):
        divide(
            (("MSETEX", 2, b"a", 1, b"b", 2, *condition),),
            each({b"a": 0, b"b": 1}.get),
            lambda owner_id: owner_id,
            (0, 1),
            apart=apart,
        )


@given(batch=BATCHES, count=st.integers(1, 4), apart=st.booleans())
def test_every_key_goes_to_its_owner_alone(batch: Batch, count: int, apart: bool) -> None:
    owner = owner_among(count)
    plan = divide(batch, each(owner), int, range(count), apart=apart)
    for owner_id, commands in plan.parts.items():
        assert {owner(key) for command in commands for key in keys(command)} <= {owner_id}
    sent = sorted(key for commands in plan.parts.values() for command in commands for key in keys(command))
    assert sent == sorted(key for command in batch for key in keys(command))


@given(batch=BATCHES, count=st.integers(2, 4), apart=st.booleans())
def test_owner_that_fails_leaves_the_others_their_replies(batch: Batch, count: int, apart: bool) -> None:
    owner = owner_among(count)
    plan = divide(batch, each(owner), int, range(count), apart=apart)
    error = ConnectionLost("gone")
    replies: dict[int, Sequence[Any] | CacheError] = {
        owner_id: error if owner_id == 0 else server().execute(tuple(commands))
        for owner_id, commands in plan.parts.items()
    }
    for command, reply in zip(batch, unite(plan, replies), strict=True):
        owners = [owner(key) for key in keys(command)]
        if command[0] == "MGET" and len(set(owners)) > 1:
            assert [element is error for element in reply] == [owner_id == 0 for owner_id in owners]
        else:
            assert (reply is error) == (0 in owners or not owners)


@pytest.mark.parametrize("names", [(b"a", b"b", b"c", b"a"), (b"a", b"nowhere", b"b")])
def test_get_many_is_merged_on_the_short_path(names: tuple[bytes, ...]) -> None:
    held = {b"a": b"1", b"b": b"2", b"c": b"3"}
    plan = divide(
        (("MGET", *names),), each({b"a": 0, b"b": 1, b"c": 2}.get), lambda owner_id: owner_id, (0, 1, 2), apart=True
    )
    replies = {owner_id: [held.get(key) for _, key in commands] for owner_id, commands in plan.parts.items()}
    assert gathered(plan, replies) == unite(plan, replies) == [[held.get(key) for key in names]]


@pytest.mark.parametrize("answer", [WrongTypeError("not a string"), ConnectionLost("gone")])
def test_unusual_replies_take_the_long_path(answer: CacheError) -> None:
    plan = divide((("MGET", b"a", b"b"),), each({b"a": 0, b"b": 1}.get), lambda owner_id: owner_id, (0, 1), apart=True)
    assert gathered(plan, {0: [b"1"], 1: [answer]}) is None
    assert gathered(plan, {0: [b"1"], 1: ConnectionLost("gone")}) is None
    assert gathered(plan, {0: [b"1"]}) is None


def test_read_without_keys_goes_to_one_owner_and_is_refused() -> None:
    plan = divide((("MGET",),), each(owner_among(3)), int, range(3), apart=True)
    assert plan.parts == {0: [("MGET",)]}


def test_empty_batch_goes_to_no_owner() -> None:
    plan = divide((), each(owner_among(3)), int, range(3))
    assert plan.parts == {}
    assert unite(plan, {}) == []


def test_indivisible_command_is_refused_with_the_keys_and_the_remedy() -> None:
    with pytest.raises(NotSupportedError, match=r"RENAME.*:1:a.*:1:b.*braces"):
        divide((("RENAME", b":1:a", b":1:b"),), each({b":1:a": 1, b":1:b": 2}.__getitem__), int, (1, 2))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("GET", b"k"), (b"k",)),
        (("SET", b"k", b"v", "PX", 5), (b"k",)),
        (("MSET", b"k", b"v", b"l", b"w"), (b"k", b"l")),
        (("EVALSHA", "sha", 2, b"k", b"l", b"argument"), (b"k", b"l")),
        (("EVAL", "text", "0", b"argument"), ()),
        (("SCAN", 0, "MATCH", b"*"), ()),
        (("RENAME", b"k", b"l"), (b"k", b"l")),
        (("UNHEARDOF", b"k", b"x"), (b"k",)),
    ],
)
def test_keys_of_a_command_are_known(command: Command, expected: tuple[bytes, ...]) -> None:
    assert keys(command) == expected


def test_reads_alone_go_to_replicas_and_safe_commands_alone_are_repeated() -> None:
    assert only_reads((("GET", b"k"), ("PTTL", b"k")))
    assert not only_reads((("GET", b"k"), ("SET", b"k", b"v")))
    assert not only_reads((("UNHEARDOF", b"k"),))
    assert is_repeatable((("SET", b"k", b"v", "PX", 5), ("UNLINK", b"k")))
    assert not is_repeatable((("SET", b"k", b"v", "NX"),))
    assert not is_repeatable((("INCRBY", b"k", 1),))
    assert not is_repeatable((("EVALSHA", "sha", 1, b"k"),))
    assert all(rule.repeatable for rule in RULES.values() if rule.reads)
