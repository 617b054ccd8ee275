"""Test error replies of any class from a custom parser or pool: raised, never returned as values."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typing_extensions import override
from valkey.cluster import ClusterParser

from dvcache import Container, ServerError, Settings
from dvcache.error_replies import reply_error
from dvcache.errors import CacheError, ReadOnlyError, RedirectError
from dvcache.pools.custom import replies
from dvcache.protocols import PoolFactory
from dvcache.testing import MemoryPoolFactory
from dvcache.types import Batch, Endpoint
from tests.support.custom_pools import OwnAsyncParser, OwnParser
from tests.support.servers import Server


class ForeignError(Exception):
    """An error of another library: neither valkey-py's nor ours."""


def foreign(error: Exception) -> Exception:
    """Convert the error to a class of the same name, without the code in its text, as other libraries do."""
    cls: type[Exception] = type(type(error).__name__, (ForeignError,), {})
    return cls(*error.args)


class ReturningParser(OwnParser):
    """A parser that returns error replies at any depth, as another library's does."""

    @override
    def read_response(self, disable_decoding: bool = False) -> Any:
        try:
            return exchanged(super().read_response(disable_decoding))
        except Exception as error:
            if isinstance(error, OSError) or "onnection" in type(error).__name__:
                raise
            return foreign(error)


class AsyncReturningParser(OwnAsyncParser):
    @override
    async def read_response(self, disable_decoding: bool = False) -> Any:
        try:
            return exchanged(await super().read_response(disable_decoding))
        except Exception as error:
            if isinstance(error, OSError) or "onnection" in type(error).__name__:
                raise
            return foreign(error)


def exchanged(reply: Any) -> Any:
    if isinstance(reply, list):
        return [exchanged(each) for each in reply]
    return foreign(reply) if isinstance(reply, Exception) else reply


class ReturningFactory(PoolFactory):
    """A custom factory of pools with errors of another class."""

    def __init__(self) -> None:
        self._inner = MemoryPoolFactory()

    @override
    def pool(self, endpoint: Endpoint, /) -> Any:
        return _Returning(self._inner.pool(endpoint))

    @override
    def async_pool(self, endpoint: Endpoint, /) -> Any:
        return _AsyncReturning(self._inner.async_pool(endpoint))


class _Returning:
    def __init__(self, pool: Any) -> None:
        self._pool, self.close = pool, pool.close

    def execute(self, batch: Batch, /) -> list[Any]:
        return [exchanged(reply) for reply in self._pool.execute(batch)]


class _AsyncReturning(_Returning):
    async def execute(self, batch: Batch, /) -> list[Any]:  # type: ignore[override]  # the asynchronous one
        return [exchanged(reply) for reply in await self._pool.execute(batch)]


Call = Callable[..., Any]


def caller(container: Container, kind: str) -> Call:
    if kind == "sync":
        return lambda name, *args, **more: getattr(container.cache(), name)(*args, **more)

    def call(name: str, *args: object, **more: object) -> Any:
        async def run() -> Any:
            return await getattr(container.async_cache(), name)(*args, **more)

        return asyncio.run(run())

    return call


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["plain", "herd"])
def call(request: pytest.FixtureRequest, kind: str, server: Server) -> Iterator[Call]:
    options: dict[str, Any] = {"PARSER_CLASS": ReturningParser, "PARSER_CLS": AsyncReturningParser}
    if request.param == "herd":
        options["HERD"] = True
    with Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options})) as container:
        yield caller(container, kind)


WRITES = {
    "set": ("k", 1),
    "set_many": ({"a": 1, "b": 2},),
    "add": ("k", 1),
    "get_or_set": ("k", 1),
    "incr": ("n",),
    "hset": ("h", "f", 1),
    "sadd": ("s", 1),
    "rpush": ("l", 1),
    "zadd": ("z", {"a": 1}),
}


@pytest.mark.parametrize("name", WRITES)
def test_full_server_error_is_raised_by_each_write(call: Call, name: str, server: Server) -> None:
    server.raw("SET", ":1:n", 1)
    server.raw("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(CacheError) as caught:
            call(name, *WRITES[name])
    finally:
        server.raw("CONFIG", "SET", "maxmemory", "0")
    assert str(caught.value).startswith("OOM")


@pytest.mark.parametrize(
    ("name", "arguments"), [("get", ("k",)), ("get_many", (["k"],)), ("incr", ("k",)), ("sadd", ("k", 1))]
)
def test_wrong_type_error_is_raised_by_each_operation(
    call: Call, name: str, arguments: tuple[Any, ...], server: Server
) -> None:
    server.raw("RPUSH", ":1:k", "x")
    if name == "get_many":
        assert call(name, *arguments) == {}  # MGET answers nil for it
        return
    with pytest.raises(ServerError, match="WRONGTYPE"):
        call(name, *arguments)


def test_error_of_a_custom_pool_is_raised(kind: str) -> None:
    with Container(Settings.parse({"LOCATION": "valkey://h"}), pool_factory=ReturningFactory()) as container:
        call = caller(container, kind)
        call("rpush", "k", 1)
        for name, arguments in (("get", ("k",)), ("incr", ("k",)), ("hset", ("k", "f", 1)), ("sadd", ("k", 1))):
            with pytest.raises(ServerError, match="WRONGTYPE"):
                call(name, *arguments)


def test_error_text_of_a_foreign_class_keeps_its_code(server: Server) -> None:
    options = {"PARSER_CLASS": ReturningParser}
    with Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options})) as container:
        [reply] = container.client().execute((("REPLICAOF", "NO"),))
        assert isinstance(reply, ServerError)
        assert not isinstance(reply, ReadOnlyError)
        assert str(reply).startswith("ERR ")


@pytest.mark.parametrize("code", sorted(ClusterParser.EXCEPTION_CLASSES))
def test_error_reply_read_by_a_parser_is_the_same_as_of_the_built_in_pool(code: str) -> None:
    text = f"{code} 1234 127.0.0.1:7001" if code in {"MOVED", "ASK"} else f"{code} some text"
    theirs, ours = ClusterParser.parse_error(text), reply_error(text)
    for error in (theirs, foreign(theirs)):
        [read] = replies.read((("GET", "k"),), [error], Endpoint())
        assert type(read) is type(ours)
        assert isinstance(read, RedirectError) is (code in {"MOVED", "ASK"})
        if isinstance(read, RedirectError):
            assert (read.slot, read.address) == (1234, ("127.0.0.1", 7001))
