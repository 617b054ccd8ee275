"""Test commands of the in-memory server, one guarantee each; test_memory_agrees.py compares them with Valkey."""

import pickle

import pytest

from dvcache.errors import NoScriptError, ServerError, WrongTypeError
from dvcache.memory import MemoryPool
from dvcache.memory.script_table import SCRIPTS
from dvcache.memory.store import COMMANDS, MemoryStore
from dvcache.scripts import counting, entries, herd, locks
from dvcache.scripts.counting import INCREMENT
from dvcache.scripts.script import Script
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
    ([("PING", "hello")], b"hello"),
    ([("ECHO", b"\x00")], b"\x00"),
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
    ([("SETNX", "k", b"v")], 1),
    ([("SETEX", "k", 3, b"v"), ("TTL", "k")], 3),
    ([("PSETEX", "k", 3, b"v"), ("PTTL", "k")], 3),
    ([("SET", "k", b"v"), ("GETSET", "k", b"w")], b"v"),
    ([("SET", "k", b"v"), ("GETDEL", "k"), ("EXISTS", "k")], 0),
    ([("SET", "k", b"v"), ("GETEX", "k", "PX", 7), ("PTTL", "k")], 7),
    ([("SET", "k", b"v", "EX", 2), ("GETEX", "k", "PERSIST"), ("PTTL", "k")], -1),
    ([("MSET", "a", 1, "b", 2), ("MGET", "b", "missing", "a")], [b"2", None, b"1"]),
    ([("MSETEX", 2, "a", 1, "b", 2, "PX", 5), ("PTTL", "b")], 5),
    ([("SET", "a", 1), ("MSETEX", 2, "a", 2, "b", 2, "NX"), ("MGET", "a", "b")], [b"1", None]),
    ([("APPEND", "k", b"ab"), ("APPEND", "k", b"c")], 3),
    ([("SET", "k", b"abc"), ("STRLEN", "k")], 3),
    ([("SET", "k", b"v"), ("DELIFEQ", "k", b"w"), ("DELIFEQ", "k", b"v")], 1),
    ([("MSET", "a", 1, "b", 2), ("DEL", "a", "b", "c")], 2),
    ([("SET", "a", 1), ("UNLINK", "a", "a")], 1),
    ([("SET", "a", 1), ("EXISTS", "a", "a", "b")], 2),
    ([("SET", "a", 1), ("TOUCH", "a", "b")], 1),
    ([("SET", "a", 1), ("TYPE", "a")], b"string"),
    ([("TYPE", "a")], b"none"),
    ([("INCR", "n"), ("INCRBY", "n", 41)], 42),
    ([("DECR", "n"), ("DECRBY", "n", 41), ("GET", "n")], b"-42"),
    ([("SET", "n", 1, "EX", 9), ("INCR", "n"), ("TTL", "n")], 9),
    ([("SET", "n", "3.1"), ("INCRBYFLOAT", "n", 0.1)], b"3.2"),
    ([("SET", "n", "10"), ("INCRBYFLOAT", "n", "1e20")], b"100000000000000000008"),
    ([("SET", "a", 1), ("EXPIRE", "a", 5), ("TTL", "a")], 5),
    ([("EXPIRE", "a", 5)], 0),
    ([("SET", "a", 1), ("PEXPIRE", "a", -1), ("EXISTS", "a")], 0),
    ([("SET", "a", 1), ("EXPIREAT", "a", NOW + 3), ("PTTL", "a")], 3000),
    ([("SET", "a", 1), ("PEXPIREAT", "a", NOW * 1000 + 3), ("PTTL", "a")], 3),
    ([("SET", "a", 1, "EX", 10), ("EXPIRE", "a", 20, "LT"), ("TTL", "a")], 10),
    ([("SET", "a", 1, "EX", 10), ("EXPIRE", "a", 20, "GT"), ("TTL", "a")], 20),
    ([("SET", "a", 1, "EX", 10), ("PERSIST", "a"), ("TTL", "a")], -1),
    ([("TTL", "a")], -2),
    ([("SET", "a", 1, "PX", 1499), ("TTL", "a")], 1),
    ([("SET", "a", 1, "PX", 1500), ("TTL", "a")], 2),
    ([("SET", "a", 1, "EX", 5), ("EXPIRETIME", "a")], NOW + 5),
    ([("SET", "a", 1, "EX", 5), ("PEXPIRETIME", "a")], (NOW + 5) * 1000),
    ([("SET", "a", 1, "EX", 5), ("RENAME", "a", "b"), ("TTL", "b")], 5),
    ([("MSET", "a", 1, "b", 2), ("RENAMENX", "a", "b")], 0),
    ([("SET", "a", 1, "EX", 5), ("COPY", "a", "b"), ("TTL", "b")], 5),
    ([("MSET", "a", 1, "b", 2), ("COPY", "a", "b")], 0),
    ([("MSET", "a", 1, "b", 2), ("COPY", "a", "b", "REPLACE"), ("GET", "b")], b"1"),
    ([("MSET", "a", 1, "b", 2), ("KEYS", "[a]")], [b"a"]),
    ([("DUMP", "a")], None),
    ([("RESTORE", "a", 0, pickle.dumps(b"1"), "REPLACE", "ABSTTL"), ("GET", "a")], b"1"),
    ([("MSET", "a", 1, "b", 2), ("SCAN", 0)], [b"0", [b"a", b"b"]]),
    ([("SET", "a", 1), ("SCAN", 0, "TYPE", "hash")], [b"0", []]),
    ([("MSET", "a", 1, "b", 2), ("DBSIZE",)], 2),
    ([("SET", "a", 1), ("RANDOMKEY",)], b"a"),
    ([("RANDOMKEY",)], None),
    ([("SET", "a", 1), ("FLUSHDB", "ASYNC"), ("DBSIZE",)], 0),
    ([("SELECT", 0)], b"OK"),
    ([("TIME",)], [b"%d" % NOW, b"0"]),
    ([("SCRIPT", "LOAD", INCREMENT.text)], INCREMENT.sha.encode()),
    ([("SCRIPT", "LOAD", INCREMENT.text), ("SCRIPT", "EXISTS", INCREMENT.sha, "0" * 40)], [1, 0]),
    ([("SCRIPT", "LOAD", INCREMENT.text), ("SCRIPT", "FLUSH"), ("SCRIPT", "EXISTS", INCREMENT.sha)], [0]),
    ([("SET", "n", 41), ("EVAL", INCREMENT.text, 1, "n", 1), ("EVALSHA", INCREMENT.sha, 1, "n", 1)], b"43"),
]


@pytest.mark.parametrize(("commands", "reply"), CASES, ids=[" ".join(map(str, case[0][-1]))[:40] for case in CASES])
def test_command_replies_as_valkey_does(pool: MemoryPool, commands: list[Command], reply: object) -> None:
    assert pool.execute(tuple(commands))[-1] == reply


def test_every_command_of_the_table_is_called_here() -> None:
    called = {str(command[0]).upper() for commands, _ in CASES + COLLECTIONS for command in commands}
    assert {name.decode() for name in COMMANDS} - called == {"FLUSHALL", "INFO"}


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (("NONSENSE", "secret"), "ERR unknown command 'NONSENSE'"),
        (("GET",), "ERR wrong number of arguments for 'get' command"),
        (("GET", "a", "b"), "ERR wrong number of arguments for 'get' command"),
        (("MSET", "a", "b", "c"), "ERR wrong number of arguments for 'mset' command"),
        (("SCRIPT", "LOAD"), "ERR wrong number of arguments for 'script|load' command"),
        (("INCRBY", "text", 1), "ERR value is not an integer or out of range"),
        (("INCRBY", "most", 1), "ERR increment or decrement would overflow"),
        (("DECRBY", "most", -(2**63)), "ERR decrement would overflow"),
        (("INCRBYFLOAT", "text", 1), "ERR value is not a valid float"),
        (("INCRBYFLOAT", "most", "inf"), "ERR increment would produce NaN or Infinity"),
        (("SET", "a", 1, "NX", "XX"), "ERR syntax error"),
        (("SET", "a", 1, "EX"), "ERR syntax error"),
        (("SET", "a", 1, "IFEQ", 1, "IFEQ", 1), "ERR syntax error"),
        (("SET", "a", 1, "EX", 0), "ERR invalid expire time in 'set' command"),
        (("SET", "a", 1, "EX", 2**62), "ERR invalid expire time in 'set' command"),
        (("EXPIRE", "a", 2**62), "ERR invalid expire time in 'expire' command"),
        (("EXPIRE", "a", 1, "NX", "GT"), "ERR NX and XX, GT or LT options at the same time are not compatible"),
        (("RENAME", "missing", "b"), "ERR no such key"),
        (("COPY", "a", "a"), "ERR source and destination objects are the same"),
        (("SCAN", "x"), "ERR invalid cursor"),
        (("SCAN", 0, "TYPE", "x"), "ERR unknown type name 'x'"),
        (("FLUSHDB", "NOW"), "ERR syntax error"),
        (("SELECT", 16), "ERR DB index is out of range"),
        (("SELECT", 1), "ERR this in-memory pool uses database 0; create a pool for the other one"),
        (("EVALSHA", "0" * 40, 0), "NOSCRIPT No matching script."),
        (("EVAL", "return 1", 2, "a"), "ERR Number of keys can't be greater than number of args"),
        (("GET", "collection"), WRONG_TYPE),
        (("INCR", "collection"), WRONG_TYPE),
        (("SET", "collection", 1, "GET"), WRONG_TYPE),
        (("EVAL", INCREMENT.text, 1, "collection", 1), WRONG_TYPE),
    ],
)
def test_refused_command_gets_the_servers_error(store: MemoryStore, command: Command, text: str) -> None:
    store._database.put(b"collection", {b"member"})
    pool = MemoryPool(store, Endpoint(alias="tested", host="example.org"))
    pool.execute((("MSET", "text", "x", "most", 2**63 - 1),))
    [error] = pool.execute((command,))
    assert isinstance(error, ServerError)
    assert error.message == text
    assert (error.alias, error.endpoint) == ("tested", "valkey://example.org:6379/0")


def test_errors_have_the_class_of_their_code(store: MemoryStore, pool: MemoryPool) -> None:
    store._database.put(b"collection", {b"member"})
    wrong, missing = pool.execute((("GET", "collection"), ("EVALSHA", "0" * 40, 0)))
    assert (type(wrong), type(missing)) == (WrongTypeError, NoScriptError)


def test_refused_command_changes_nothing_and_the_others_are_performed(pool: MemoryPool) -> None:
    first, error, last = pool.execute((("SET", "k", b"v"), ("INCR", "k"), ("GET", "k")))
    assert (first, type(error), last) == (b"OK", ServerError, b"v")


def test_script_without_a_python_version_says_what_to_pass(pool: MemoryPool) -> None:
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


def test_copy_reaches_another_database_of_the_same_server(store: MemoryStore) -> None:
    first, second = MemoryPool(store, Endpoint(db=0)), MemoryPool(store, Endpoint(db=1))
    assert first.execute((("SET", "k", b"v"), ("COPY", "k", "k", "DB", 1))) == [b"OK", 1]
    assert second.execute((("GET", "k"),)) == [b"v"]


def test_info_says_that_this_is_no_valkey_and_counts_its_keys(pool: MemoryPool) -> None:
    [_, _, text, keyspace] = pool.execute((("SET", "a", 1), ("SET", "b", 1, "EX", 5), ("INFO",), ("INFO", "keyspace")))
    assert b"valkey_version:memory" in text
    assert keyspace == b"# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=0\r\n"


def test_every_script_of_the_library_has_a_python_version() -> None:
    modules = (counting, entries, herd, locks)
    texts = {value.text for module in modules for value in vars(module).values() if isinstance(value, Script)}
    assert texts == set(SCRIPTS)
