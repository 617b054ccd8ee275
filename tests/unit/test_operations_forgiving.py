"""IGNORE_EXCEPTIONS: transport errors only, a typed empty value for each operation, a line in the log."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import pytest

from dvcache.cache import AsyncCache, Cache
from dvcache.errors import (
    ConnectError,
    ConnectionLost,
    SerializationError,
    ServerError,
    TransportError,
    UnavailableError,
    WrongTypeError,
)
from dvcache.operations import counters, expiry, many, scan, sets, values, versions
from dvcache.operations.forgiving import EMPTY, IN_PARTS, forgiving
from dvcache.operations.plain import PLAIN
from dvcache.testing.replay import replay
from dvcache.types import Batch, Call, Fresh
from tests.unit.operations_context import CX, context

LOGGER = logging.getLogger("tests.forgiving")
FORGIVING = context(policy=forgiving(PLAIN, LOGGER), version=3)
MODULES = (values, many, counters, versions, expiry, scan, sets)
OPERATIONS = {
    name: op
    for module in MODULES
    for name, op in inspect.getmembers(module, inspect.isfunction)
    if op.__module__ == module.__name__ and not name.startswith("_")
}


class Down:
    """A client whose server is gone."""

    def __init__(self, error: type[Exception] = ConnectionLost) -> None:
        self.error = error
        self.asked = 0

    def execute(self, _: Batch, /) -> Sequence[Any]:
        self.asked += 1
        raise self.error("gone")

    def close(self) -> None:
        pass


class AsyncDown(Down):
    async def execute(self, batch: Batch, /) -> Sequence[Any]:  # type: ignore[override]  # the other colour
        await asyncio.sleep(0)
        return super().execute(batch)


EXAMPLES: dict[str, tuple[Callable[[Any], Any], object]] = {
    "get": (lambda cache: cache.get("k", "d"), "d"),
    "set": (lambda cache: cache.set("k", 1), False),
    "add": (lambda cache: cache.add("k", 1), False),
    "delete": (lambda cache: cache.delete("k"), False),
    "touch": (lambda cache: cache.touch("k"), False),
    "has_key": (lambda cache: cache.has_key("k"), False),
    "get_or_set": (lambda cache: cache.get_or_set("k", lambda: 5), 5),
    "get_many": (lambda cache: cache.get_many(["k"]), {}),
    "mget": (lambda cache: cache.mget(["k"]), {}),
    "set_many": (lambda cache: cache.set_many({"a": 1, "b": 2}), ["a", "b"]),
    "mset": (lambda cache: cache.mset({"a": 1}), False),
    "delete_many": (lambda cache: cache.delete_many(["k"]), 0),
    "incr": (lambda cache: cache.incr("k"), 0),
    "decr": (lambda cache: cache.decr("k", default=1), 0),
    "incr_version": (lambda cache: cache.incr_version("k"), 3),
    "decr_version": (lambda cache: cache.decr_version("k", 1, 5), 5),
    "ttl": (lambda cache: cache.ttl("k"), 0),
    "pttl": (lambda cache: cache.pttl("k"), 0),
    "persist": (lambda cache: cache.persist("k"), False),
    "expire": (lambda cache: cache.expire("k", 1), False),
    "expire_at": (lambda cache: cache.expire_at("k", 1), False),
    "pexpire": (lambda cache: cache.pexpire("k", 1), False),
    "pexpire_at": (lambda cache: cache.pexpire_at("k", 1), False),
    "keys": (lambda cache: cache.keys("*"), []),
    "scan_page": (lambda cache: cache.scan_page("*"), (0, [])),
    "delete_pattern": (lambda cache: cache.delete_pattern("*"), 0),
    "clear": (lambda cache: cache.clear(), False),
    "sadd": (lambda cache: cache.sadd("k", 1), 0),
    "srem": (lambda cache: cache.srem("k", 1), 0),
    "scard": (lambda cache: cache.scard("k"), 0),
    "sismember": (lambda cache: cache.sismember("k", 1), False),
    "smismember": (lambda cache: cache.smismember("k", 1, 2), [False, False]),
    "smembers": (lambda cache: cache.smembers("k"), set()),
    "smove": (lambda cache: cache.smove("k", "l", 1), False),
    "spop": (lambda cache: cache.spop("k", 1), set()),
    "srandmember": (lambda cache: cache.srandmember("k", 1), []),
    "sdiff": (lambda cache: cache.sdiff("k", "l"), set()),
    "sinter": (lambda cache: cache.sinter("k", "l"), set()),
    "sunion": (lambda cache: cache.sunion("k", "l"), set()),
    "sdiffstore": (lambda cache: cache.sdiffstore("k", "l"), 0),
    "sinterstore": (lambda cache: cache.sinterstore("k", "l"), 0),
    "sunionstore": (lambda cache: cache.sunionstore("k", "l"), 0),
    "sscan": (lambda cache: cache.sscan("k"), set()),
    "sscan_page": (lambda cache: cache.sscan_page("k"), (0, [])),
}

STREAMS: dict[str, Callable[[Any], Any]] = {
    "iter_keys": lambda cache: cache.iter_keys("*"),
    "sscan_iter": lambda cache: cache.sscan_iter("k"),
}

each_operation = pytest.mark.parametrize("name", sorted(EXAMPLES))


def _fits(value: object, annotation: Any) -> bool:
    if annotation is object:
        return True
    if annotation is None or annotation is type(None):
        return value is None
    if isinstance(annotation, TypeVar):
        return type(value) in annotation.__constraints__
    if isinstance(annotation, UnionType):
        return any(_fits(value, part) for part in get_args(annotation))
    if get_origin(annotation) is tuple:
        parts = get_args(annotation)
        return isinstance(value, tuple) and all(map(_fits, value, parts)) and len(value) == len(parts)
    return type(value) is (get_origin(annotation) or annotation)


def test_the_table_has_every_operation_of_the_facades() -> None:
    public = {name for name in vars(Cache) if not name.startswith("_")}
    assert EMPTY.keys() | IN_PARTS == public | {"publish", "seek"}
    assert EXAMPLES.keys() == public - STREAMS.keys()
    assert OPERATIONS.keys() == public


@each_operation
def test_an_operation_whose_server_is_gone_returns_its_empty_value(name: str) -> None:
    call, expected = EXAMPLES[name]
    assert call(Cache(FORGIVING, Down())) == expected
    assert asyncio.run(call(AsyncCache(FORGIVING, AsyncDown()))) == expected


@each_operation
def test_the_empty_value_has_the_type_that_the_operation_returns(name: str) -> None:
    call, _ = EXAMPLES[name]
    annotation = get_args(inspect.signature(OPERATIONS[name]).return_annotation)[-1]
    assert _fits(call(Cache(FORGIVING, Down())), annotation)


def test_one_member_that_is_asked_for_is_none() -> None:
    assert Cache(FORGIVING, Down()).spop("k") is None
    assert Cache(FORGIVING, Down()).srandmember("k") is None


def test_set_with_get_returns_no_previous_value() -> None:
    assert Cache(FORGIVING, Down()).set("k", 1, get=True) is None


@pytest.mark.parametrize("call", STREAMS.values(), ids=STREAMS)
def test_iterating_ends(call: Callable[[Any], Any]) -> None:
    async def items() -> list[object]:
        return [item async for item in call(AsyncCache(FORGIVING, AsyncDown()))]

    assert list(call(Cache(FORGIVING, Down()))) == []
    assert asyncio.run(items()) == []


@pytest.mark.parametrize("error", [ConnectError, UnavailableError, TransportError])
def test_every_transport_error_is_covered(error: type[Exception]) -> None:
    assert Cache(FORGIVING, Down(error)).get("k") is None


@pytest.mark.parametrize("error", [WrongTypeError, ServerError, ValueError, OSError])
def test_no_other_error_is_covered(error: type[Exception]) -> None:
    with pytest.raises(error):
        Cache(FORGIVING, Down(error)).get("k")


def test_what_cannot_be_stored_is_raised() -> None:
    with pytest.raises(SerializationError):
        Cache(FORGIVING, Down()).set("k", lambda: None)
    with pytest.raises(ValueError, match="pattern"):
        Cache(FORGIVING, Down()).delete_pattern("")


def test_the_function_of_get_or_set_is_called_once_if_storing_fails_after_it() -> None:
    script = (
        (Fresh((("GET", b"p:1:k"),)), [None]),
        (Call, 5),
        ((("SET", b"p:1:k", b"5", "PX", 1000, "NX"),), ConnectionLost("gone")),
    )
    op = values.get_or_set(FORGIVING, "k", lambda: 5, 1)
    assert replay(FORGIVING.policy.guard(FORGIVING, "get_or_set", op, ("k", 5, 1), {}), *script) == 5  # type: ignore[misc]  # it has a guard


def test_a_transport_error_of_the_function_of_get_or_set_is_its_callers_own() -> None:
    def other_cache() -> object:
        raise ConnectionLost("another server")

    with pytest.raises(ConnectionLost, match="another server"):
        Cache(FORGIVING, Down()).get_or_set("k", other_cache)


def test_each_ignored_error_is_logged_without_values(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger=LOGGER.name):
        Cache(FORGIVING, Down()).set("key", "a secret")
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "Exception ignored")
    assert record.exc_info is not None
    assert "secret" not in caplog.text


def test_without_a_logger_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    silent = context(policy=forgiving(PLAIN))
    with caplog.at_level(logging.DEBUG):
        assert Cache(silent, Down()).get("k") is None
    assert caplog.records == []


def test_without_the_policy_the_error_is_raised() -> None:
    with pytest.raises(ConnectionLost):
        Cache(CX, Down()).get("k")
