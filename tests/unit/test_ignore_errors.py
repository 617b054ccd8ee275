"""IGNORE_EXCEPTIONS: transport errors only, a typed empty value for each operation, a line in the log."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import pytest

from dvcache._methods.all_operations import OPERATIONS
from dvcache.cache import AsyncCache, Cache, sync
from dvcache.context import Context
from dvcache.effects import Call, OnPrimary, Op
from dvcache.errors import (
    ConnectError,
    ConnectionLost,
    SerializationError,
    ServerError,
    TransportError,
    UnavailableError,
    WrongTypeError,
)
from dvcache.operations import clusters, values
from dvcache.policies.empty_values import EMPTY
from dvcache.policies.ignore_errors import forgiving
from dvcache.policies.plain import PLAIN
from dvcache.process.ignored_errors import INTERVAL, IgnoredErrors
from dvcache.testing import ManualClock
from dvcache.testing.replays import replay
from dvcache.types import Batch
from tests.support.empty_values import EXAMPLES, STREAMS
from tests.support.operation_contexts import CX, context

LOGGER = logging.getLogger("tests.forgiving")
FORGIVING = context(policy=forgiving(PLAIN), version=3)


class Down:
    """A client whose server is gone."""

    def __init__(self, error: type[Exception] = ConnectionLost) -> None:
        self.error = error
        self.asked = 0

    def execute(self, _: Batch, _until: float | None = None, /) -> Sequence[Any]:
        self.asked += 1
        raise self.error("gone")

    def close(self) -> None:
        pass


class AsyncDown(Down):
    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:  # type: ignore[override]  # the other mode
        await asyncio.sleep(0)
        return super().execute(batch)


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


def test_every_operation_has_an_empty_value() -> None:
    silent = {"get_lock", "lock", "make_key", "original_key", "with_options"}
    public = {name for name in dir(Cache) if not name.startswith("_")} - silent
    assert OPERATIONS.keys() == public
    assert EMPTY.keys() >= public - {"get_or_set", "get_or_set_many"}
    assert EXAMPLES.keys() == public - STREAMS.keys()


def test_every_cluster_operation_that_sends_has_an_empty_value() -> None:
    found = {name for name, each in vars(clusters).items() if getattr(each, "__module__", "") == clusters.__name__}
    public = {name for name in found if not name.startswith("_")}
    assert public - EMPTY.keys() == {"keyslot", "invalidate_key_from_cache"}


def test_empty_value_is_a_new_object_for_each_call() -> None:
    cache = Cache(FORGIVING, Down())
    cursor, items = cache.scan_page("*")
    items.append("mine")
    cache.hgetall("k")["mine"] = 1
    assert (cursor, cache.scan_page("*"), cache.hgetall("k")) == (0, (0, []), {})


def test_empty_value_is_found_by_the_arguments_of_any_form() -> None:
    cache = Cache(FORGIVING, Down())
    assert cache.get(key="k", default=1) == cache.get("k", 1) == cache.get("k", 1, 2) == 1
    assert EMPTY["get"](None, "k", 1, None, "added by a host", client=object()) == 1
    assert EMPTY["spop"](None, "k", client=object()) is None


def test_operation_without_an_empty_value_raises_its_error() -> None:
    def raw(cx: Context, key: str) -> Op[object]:
        return (yield (("GET", cx.keys.key(key)),))

    class Own(Cache):
        get_raw = sync(raw)

    with pytest.raises(ConnectionLost):
        Own(FORGIVING, Down()).get_raw("k")


@each_operation
def test_operation_without_a_server_returns_its_empty_value(name: str) -> None:
    call, expected = EXAMPLES[name]
    assert call(Cache(FORGIVING, Down())) == expected
    assert asyncio.run(call(AsyncCache(FORGIVING, AsyncDown()))) == expected


NUMBERS = {"incr", "decr", "incr_version", "decr_version", "hincrby", "hincrbyfloat", "zincrby"}
NUMBERS |= {"llen", "lpush", "rpush", "linsert", "scard", "hlen", "zcard", "zcount"}
"""Operations whose result a caller compares with a limit."""


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_counter_without_an_answer_is_none(name: str) -> None:
    call, _ = EXAMPLES[name]
    for value in (call(Cache(FORGIVING, Down())), asyncio.run(call(AsyncCache(FORGIVING, AsyncDown())))):
        with pytest.raises(TypeError):
            assert value <= 5


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - NUMBERS))
def test_empty_value_has_the_return_type_of_the_operation(name: str) -> None:
    call, _ = EXAMPLES[name]
    annotation = get_args(inspect.signature(OPERATIONS[name]).return_annotation)[-1]
    assert _fits(call(Cache(FORGIVING, Down())), annotation)


def test_requested_single_member_is_none() -> None:
    assert Cache(FORGIVING, Down()).spop("k") is None
    assert Cache(FORGIVING, Down()).srandmember("k") is None


def test_set_with_get_returns_no_previous_value() -> None:
    assert Cache(FORGIVING, Down()).set("k", 1, get=True) is None


@pytest.mark.parametrize("call", STREAMS.values(), ids=STREAMS)
def test_iteration_ends(call: Callable[[Any], Any]) -> None:
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


def test_unstorable_value_is_raised() -> None:
    with pytest.raises(SerializationError):
        Cache(FORGIVING, Down()).set("k", lambda: None)
    with pytest.raises(ValueError, match="pattern"):
        Cache(FORGIVING, Down()).delete_pattern("")


def test_get_or_set_calls_its_function_once_if_storing_fails_afterwards() -> None:
    script = (
        (OnPrimary((("GET", b"p:1:k"),)), [None]),
        (Call, 5),
        ((("SET", b"p:1:k", b"5", "PX", 1000, "NX"),), ConnectionLost("gone")),
    )
    op = values.get_or_set(FORGIVING, "k", lambda: 5, 1)
    assert replay(FORGIVING.policy.guard(FORGIVING, "get_or_set", op, ("k", 5, 1), {}), *script) == 5  # type: ignore[misc]  # it has a guard


def test_get_or_set_raises_a_transport_error_of_its_function() -> None:
    def other_cache() -> object:
        raise ConnectionLost("another server")

    with pytest.raises(ConnectionLost, match="another server"):
        Cache(FORGIVING, Down()).get_or_set("k", other_cache)


def logging_at(clock: ManualClock) -> tuple[Context, IgnoredErrors]:
    ignored = IgnoredErrors(LOGGER)
    return context(policy=forgiving(PLAIN, ignored), alias="pages", clock=clock), ignored


def test_ignored_error_is_logged_with_its_operation_and_without_values(caplog: pytest.LogCaptureFixture) -> None:
    cx, _ = logging_at(ManualClock())
    with caplog.at_level(logging.WARNING, logger=LOGGER.name):
        Cache(cx, Down()).set("key", "a secret")
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "Exception ignored: set of cache 'pages' returned an empty value"
    assert record.exc_info is not None
    assert "secret" not in caplog.text


def test_ignored_errors_of_a_class_are_logged_once_in_ten_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    cx, _ = logging_at(clock)
    cache = Cache(cx, Down())
    with caplog.at_level(logging.WARNING, logger=LOGGER.name):
        for _ in range(3):
            cache.get("k")
        Cache(cx, Down(ConnectError)).get("k")
        clock.advance(INTERVAL - 1)
        cache.set("k", 1)
        clock.advance(1)
        cache.get("k")
        clock.advance(INTERVAL)
        cache.get("k")
    logged = [(record.getMessage().partition("value")[2], vars(record)["suppressed"]) for record in caplog.records]
    assert logged == [("", 0), ("", 0), ("; 3 more since the last such line", 3), ("", 0)]


def test_ignored_errors_are_counted_logged_or_not() -> None:
    cx, ignored = logging_at(ManualClock())
    for _ in range(5):
        Cache(cx, Down()).get("k")
    Cache(cx, Down(ConnectError)).delete("k")
    assert ignored.counts() == {("get", "ConnectionLost"): 5, ("delete", "ConnectError"): 1}


def test_nothing_is_logged_without_a_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert Cache(FORGIVING, Down()).get("k") is None
    assert caplog.records == []


def test_error_is_raised_without_the_policy() -> None:
    with pytest.raises(ConnectionLost):
        Cache(CX, Down()).get("k")
