"""Test commands of the in-memory server, one guarantee each; test_memory_agrees.py compares them with Valkey."""

import pickle

import pytest

from dvcache.errors import NoScriptError, ServerError, WrongTypeError
from dvcache.memory import MemoryPool
from dvcache.memory.store import COMMANDS, MemoryStore
from dvcache.scripts.counting import INCREMENT
from dvcache.testing import ManualClock
from dvcache.types import Command, Endpoint
from tests.unit.test_memory_collections import CASES as COLLECTIONS

NOW = 1_700_000_000
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(ManualClock(NOW))


@pytest.fixture
def pool(store: MemoryStore) -> MemoryPool:
    return MemoryPool(store, Endpoint())


CASES: list[tuple[list[Command], object]] = [
    ([("PING",)], b"PONG"),
    ([("GET", "k")], None),
    ([("SET", "k", b"v")], b"OK"),
    ([("SET", "k", b"v"), ("get", "k")], b"v"),
    ([("SET", "k", b"v"), ("SET", "k", b"w", "NX")], None),
    ([("SET", "k", b"v", "XX")], None),
    ([("SET", "k", b"v", "PX", 1500), ("PTTL", "k")], 1500),
    ([("SET", "k", b"v", "EX", 2), ("PTTL", "k")], 2000),
    ([("SET", "k", b"v", "EXAT", NOW + 2), ("PTTL", "k")], 2000),
    ([("SET", "k", b"v", "PXAT", NOW * 1000 + 5), ("PTTL", "k")], 5),
    ([("SET", "k", b"v", "EX", 2), ("SET", "k", b"w"), ("PTTL", "k")], -1),
    ([("SET", "k", b"v", "EX", 2), ("SET", "k", b"w", "KEEPTTL"), ("PTTL", "k")], 2000),
    ([("SET", "k", b"v"), ("SET", "k", b"w", "GET")], b"v"),
    ([("SET", "k", b"v"), ("SET", "k", b"w", "IFEQ", b"x"), ("GET", "k")], b"v"),
    ([("SET", "k", b"v"), ("SET", "k", b"w", "IFEQ", b"v"), ("GET", "k")], b"w"),
    ([("SET", "k", b"v"), ("GETDEL", "k"), ("EXISTS", "k")], 0),
    ([("MSETEX", 2, "a", 1, "b", 2), ("MGET", "b", "missing", "a")], [b"2", None, b"1"]),
    ([("MSET", "a", 1, "b", 2), ("MGET", "b", "a")], [b"2", b"1"]),
    ([("MSETEX", 2, "a", 1, "b", 2, "PX", 5), ("PTTL", "b")], 5),
    ([("MSETEX", 2, "a", 1, "b", 2), ("DEL", "a", "b", "c")], 2),
    ([("SET", "a", 1), ("UNLINK", "a", "a")], 1),
    ([("SET", "a", 1), ("EXISTS", "a", "a", "b")], 2),
    ([("INCRBY", "n", 1), ("INCRBY", "n", 41)], 42),
    ([("SET", "n", 1, "EX", 9), ("INCRBY", "n", 1), ("PTTL", "n")], 9000),
    ([("SET", "a", 1), ("PEXPIRE", "a", -1), ("EXISTS", "a")], 0),
    ([("SET", "a", 1), ("PEXPIREAT", "a", NOW * 1000 + 3), ("PTTL", "a")], 3),
    ([("SET", "a", 1, "EX", 10), ("PERSIST", "a"), ("PTTL", "a")], -1),
    ([("SET", "a", 1, "EX", 5), ("PEXPIRETIME", "a")], (NOW + 5) * 1000),
    ([("SET", "a", 1, "EX", 5), ("RENAME", "a", "b"), ("PTTL", "b")], 5000),
    ([("MSETEX", 2, "a", 1, "b", 2), ("KEYS", "[a]")], [b"a"]),
    ([("DUMP", "a")], None),
    ([("RESTORE", "a", 0, pickle.dumps(b"1"), "REPLACE", "ABSTTL"), ("GET", "a")], b"1"),
    ([("MSETEX", 2, "a", 1, "b", 2), ("SCAN", 0)], [b"0", [b"a", b"b"]]),
    ([("MSETEX", 2, "a", 1, "b", 2), ("DBSIZE",)], 2),
    ([("SET", "a", 1), ("FLUSHDB", "ASYNC"), ("DBSIZE",)], 0),
    ([("INFO", "keyspace")], b""),
    ([("SET", "n", 41), ("EVAL", INCREMENT.text, 1, "n", 1), ("EVALSHA", INCREMENT.sha, 1, "n", 1)], b"43"),
]


@pytest.mark.parametrize(("commands", "reply"), CASES, ids=[" ".join(map(str, case[0][-1]))[:40] for case in CASES])
def test_command_replies_as_valkey_does(pool: MemoryPool, commands: list[Command], reply: object) -> None:
    assert pool.execute(tuple(commands))[-1] == reply


def test_info_names_the_in_memory_server(pool: MemoryPool) -> None:
    replies = pool.execute((("INFO",), ("INFO", "server")))
    assert [b"valkey_version:memory" in each for each in replies] == [True, True]


def test_every_command_of_the_table_is_called_here() -> None:
    called = {str(command[0]).upper() for commands, _ in CASES + COLLECTIONS for command in commands}
    assert {name.decode() for name in COMMANDS} - called == {"FLUSHALL"}


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (("INCR", "a"), "ERR unknown command 'INCR': the in-memory server has those that operations send"),
        (("GET",), "ERR wrong number of arguments for 'get' command"),
        (("GET", "a", "b"), "ERR wrong number of arguments for 'get' command"),
        (("INCRBY", "text", 1), "ERR value is not an integer or out of range"),
        (("INCRBY", "most", 1), "ERR increment or decrement would overflow"),
        (("HSET", "a", "f", 1, "g"), "ERR wrong number of arguments for 'hset' command"),
        (("HINCRBYFLOAT", "a", "f", "one"), "ERR value is not a valid float"),
        (("HINCRBYFLOAT", "a", "f", "inf"), "ERR value is NaN or Infinity"),
        (("SET", "a", 1, "NX", "XX"), "ERR syntax error"),
        (("SET", "a", 1, "EX"), "ERR syntax error"),
        (("SET", "a", 1, "IFEQ", 1, "IFEQ", 1), "ERR syntax error"),
        (("SET", "a", 1, "EX", 0), "ERR invalid expire time in 'set' command"),
        (("SET", "a", 1, "EX", 2**62), "ERR invalid expire time in 'set' command"),
        (("PEXPIRE", "a", 2**63 - 1), "ERR invalid expire time in 'pexpire' command"),
        (("RENAME", "missing", "b"), "ERR no such key"),
        (("SCAN", "x"), "ERR invalid cursor"),
        (("FLUSHDB", "NOW"), "ERR syntax error"),
        (("EVALSHA", "0" * 40, 0), "NOSCRIPT No matching script."),
        (("EVAL", "return 1", 2, "a"), "ERR Number of keys can't be greater than number of args"),
        (("GET", "collection"), WRONG_TYPE),
        (("INCRBY", "collection", 1), WRONG_TYPE),
        (("SET", "collection", 1, "GET"), WRONG_TYPE),
        (("EVAL", INCREMENT.text, 1, "collection", 1), WRONG_TYPE),
    ],
)
def test_refused_command_gets_the_servers_error(store: MemoryStore, command: Command, text: str) -> None:
    store._database.put(b"collection", {b"member"})
    pool = MemoryPool(store, Endpoint(alias="tested", host="example.org"))
    pool.execute((("MSETEX", 2, "text", "x", "most", 2**63 - 1),))
    [error] = pool.execute((command,))
    assert isinstance(error, ServerError)
    assert error.message == text
    assert (error.alias, error.endpoint) == ("tested", "valkey://example.org:6379/0")


def test_errors_have_the_class_of_their_code(store: MemoryStore, pool: MemoryPool) -> None:
    store._database.put(b"collection", {b"member"})
    wrong, missing = pool.execute((("GET", "collection"), ("EVALSHA", "0" * 40, 0)))
    assert (type(wrong), type(missing)) == (WrongTypeError, NoScriptError)


def test_refused_command_changes_nothing_and_the_others_are_performed(pool: MemoryPool) -> None:
    first, error, last = pool.execute((("SET", "k", b"v"), ("INCRBY", "k", 1), ("GET", "k")))
    assert (first, type(error), last) == (b"OK", ServerError, b"v")


def test_script_without_a_python_version_names_the_argument(pool: MemoryPool) -> None:
    [error] = pool.execute((("EVAL", "return 1", 0),))
    assert "scripts={source: function}" in error.message


def test_flushall_empties_every_database_and_flushdb_one(store: MemoryStore) -> None:
    first, second = MemoryPool(store, Endpoint(db=0)), MemoryPool(store, Endpoint(db=1))
    for pool in (first, second):
        pool.execute((("SET", "k", 1),))
    first.execute((("FLUSHDB",),))
    assert [pool.execute((("DBSIZE",),)) for pool in (first, second)] == [[0], [1]]
    first.execute((("FLUSHALL",),))
    assert second.execute((("DBSIZE",),)) == [0]
