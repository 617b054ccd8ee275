"""Test operations on many entries: chunks, duplicates, generators, failures."""

from typing import Any

import pytest

from dvcache.effects import Partial, Unchecked
from dvcache.errors import ConnectionLost, NotSupportedError, SerializationError, ServerError, reply_error
from dvcache.operations import many
from dvcache.testing.replays import replay
from tests.support.operation_contexts import CX, context


def test_get_many_omits_missing_and_undecodable_entries() -> None:
    asked = (("MGET", b"p:1:a", b"p:1:b", b"p:1:c"),)
    assert replay(many.get_many(CX, ["a", "b", "c"]), (asked, [[b"1", None, b"\x80\xff"]])) == {"a": 1}


def test_get_many_accepts_a_generator_and_asks_for_a_duplicate_once() -> None:
    asked = (("MGET", b"p:1:a", b"p:1:b"),)
    assert replay(many.get_many(CX, (k for k in "aab")), (asked, [[b"1", b"2"]])) == {"a": 1, "b": 2}


def test_get_many_keeps_empty_bytes_apart_from_a_miss() -> None:
    asked = (("MGET", b"p:1:a"),)
    empty = CX.codec.dumps(b"")
    assert replay(many.mget(CX, ["a"]), (asked, [[empty]])) == {"a": b""}


def test_bulk_operations_are_chunked() -> None:
    cx = context(chunk=2)
    first, second = (("MGET", b"p:1:a", b"p:1:b"),), (("MGET", b"p:1:c"),)
    assert replay(many.get_many(cx, "abc"), (first, [[b"1", b"2"]]), (second, [[b"3"]])) == {"a": 1, "b": 2, "c": 3}
    removed = ((("UNLINK", b"p:1:a", b"p:1:b"),), [2]), ((("UNLINK", b"p:1:c"),), [0])
    assert replay(many.delete_many(cx, "abc"), *removed) == 2
    stored = Unchecked((("MSETEX", 2, b"p:1:a", b"1", b"p:1:b", b"2"),)), Unchecked((("SET", b"p:1:c", b"3"),))
    data = {"a": 1, "b": 2, "c": 3}
    assert replay(many.set_many(cx, data, None), (stored[0], [1]), (stored[1], [b"OK"])) == []


def test_empty_batches_send_nothing() -> None:
    assert replay(many.get_many(CX, [])) == {}
    assert replay(many.set_many(CX, {})) == []
    assert replay(many.set_many(CX, {}, 0)) == []
    assert replay(many.delete_many(CX, iter(()))) == 0
    assert replay(many.mset(CX, {})) is True


def test_set_many_returns_the_keys_that_were_not_stored() -> None:
    cx = context(refusals={"MSETEX"})
    asked = Unchecked((("SET", b"p:1:a", b"1", "PX", 5000), ("SET", b"p:1:b", b"2", "PX", 5000)))
    replies = [b"OK", ServerError("OOM command not allowed")]
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 5), (asked, replies)) == ["b"]
    assert replay(many.mset(cx, {"a": 1, "b": 2}, 5), (asked, replies)) is False


def test_set_many_raises_the_servers_error_if_it_stored_nothing() -> None:
    asked = Unchecked((("SET", b"p:1:a", b"1", "PX", 300_000),))
    with pytest.raises(ServerError, match="command SET"):
        replay(many.set_many(CX, {"a": 1}), (asked, [ServerError("OOM command not allowed")]))


def test_set_many_serializes_every_value_before_it_sends_any() -> None:
    with pytest.raises(SerializationError):
        replay(many.set_many(context(chunk=1), {"a": 1, "b": lambda: None}))


def test_set_many_with_a_timeout_of_zero_deletes() -> None:
    assert replay(many.set_many(CX, {"a": 1, "b": 2}, 0), ((("UNLINK", b"p:1:a", b"p:1:b"),), [1])) == []


TOGETHER = Unchecked((("MSETEX", 2, b"p:1:a", b"1", b"p:1:b", b"2", "PX", 5000),))
OLD = reply_error("ERR unknown command 'MSETEX', with args beginning with: '2'")
ONE_BY_ONE = Unchecked((("SET", b"p:1:a", b"1", "PX", 5000), ("SET", b"p:1:b", b"2", "PX", 5000)))


@pytest.mark.parametrize(
    "refusal",
    [
        [OLD],
        [reply_error("NOPERM User cache has no permissions to run the 'msetex' command")],
        NotSupportedError("MSETEX: the keys are on different servers"),
    ],
)
def test_set_many_stores_singly_if_the_bulk_command_is_refused(refusal: Any) -> None:
    cx = context(refusals=set())
    refused = (TOGETHER, refusal), (ONE_BY_ONE, [b"OK", b"OK"])
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 5), *refused) == []
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 5), (ONE_BY_ONE, [b"OK", b"OK"])) == []


def test_set_many_asks_for_each_key_if_some_are_refused() -> None:
    cx = context(refusals=set())
    some = reply_error("NOPERM No permissions to access a key")
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 5), (TOGETHER, [some]), (ONE_BY_ONE, [b"OK", some])) == ["b"]
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 5), (TOGETHER, [1])) == []


def test_set_many_stores_singly_if_one_of_several_servers_refuses() -> None:
    cx = context(refusals=set())
    refused = (TOGETHER, [Partial([1, OLD])]), (Unchecked((ONE_BY_ONE.batch[1],)), [b"OK"])
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 5), *refused) == []
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 5), (ONE_BY_ONE, [b"OK", b"OK"])) == []


def test_set_many_returns_the_keys_of_a_server_without_an_answer() -> None:
    cx = context(refusals=set())
    lost = ConnectionLost("gone")
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 5), (TOGETHER, [Partial([lost, 1])])) == ["a"]
    with pytest.raises(ConnectionLost):
        replay(many.set_many(cx, {"a": 1, "b": 2}, 5), (TOGETHER, [Partial([lost, lost])]))


def test_set_many_raises_an_error_that_concerns_all_keys() -> None:
    cx = context(refusals=set())
    with pytest.raises(ServerError, match="OOM"):
        replay(many.set_many(cx, {"a": 1, "b": 2}, 5), (TOGETHER, [ServerError("OOM command not allowed")]))


def test_set_many_gives_each_entry_its_own_jitter() -> None:
    numbers = iter([0.0, 1.0])
    cx = context(refusals=set(), jitter=0.5, random=lambda: next(numbers))
    asked = Unchecked((("SET", b"p:1:a", b"1", "PX", 1000), ("SET", b"p:1:b", b"2", "PX", 500)))
    assert replay(many.set_many(cx, {"a": 1, "b": 2}, 1), (asked, [b"OK", b"OK"])) == []


@pytest.mark.parametrize("operation", [many.set_many, many.mset])
@pytest.mark.parametrize("data", [[("a", 1)], {"a"}, None])
def test_set_many_takes_a_mapping(operation: Any, data: object) -> None:
    with pytest.raises(
        TypeError, match=r"a mapping of keys to values is needed, not a (list|set|NoneType); write dict"
    ):
        replay(operation(CX, data))


def test_get_many_names_the_command_that_lost_a_part_of_its_keys() -> None:
    asked = (("MGET", b"p:1:a", b"p:1:b"),)
    with pytest.raises(ConnectionLost, match="command MGET"):
        replay(many.get_many(CX, ["a", "b"]), (asked, [Partial([b"1", ConnectionLost("gone")])]))
