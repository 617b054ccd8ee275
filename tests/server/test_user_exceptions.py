"""Test that exceptions of a caller's functions are raised unchanged and leave no lease behind."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from dvcache import AsyncCache, Cache, Container, Settings
from tests.support.servers import Server


class Own(BaseException):
    """An exception of a project."""


KINDS: Final = (
    *(StopIteration, StopAsyncIteration, GeneratorExit, KeyboardInterrupt, SystemExit, asyncio.CancelledError),
    *(Own, RuntimeError, RecursionError, TimeoutError, EOFError, MemoryError),
)
HERD: Final = {"HERD": {"timeout": 60, "lease": 60, "wait": 30}}

every_kind = pytest.mark.parametrize("kind", KINDS)
every_policy = pytest.mark.parametrize(
    "options", [{}, HERD, {"IGNORE_EXCEPTIONS": True}], ids=["plain", "herd", "ignore"]
)


def failing(error: BaseException) -> Callable[..., Any]:
    def function(*_: object) -> Any:
        raise error

    return function


def container(server: Server, options: dict[str, Any], **entry: Any) -> Container:
    return Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options, **entry}))


def keys(server: Server) -> list[bytes]:
    found: list[bytes] = server.raw("KEYS", "*")
    return found


@pytest.fixture
def server(server: Server) -> Iterator[Server]:
    yield server
    assert keys(server) == []


@every_kind
@every_policy
def test_get_or_set_raises_the_error_of_its_function(
    server: Server, kind: type[BaseException], options: dict[str, Any]
) -> None:
    error = kind("the function's")
    with container(server, options) as made:
        for _ in range(2):
            with pytest.raises(kind) as caught:
                made.cache().get_or_set("k", failing(error))
            assert caught.value is error


@every_kind
@every_policy
@pytest.mark.parametrize("awaited", [False, True])
def test_async_get_or_set_raises_the_error_of_its_function(
    server: Server, kind: type[BaseException], options: dict[str, Any], awaited: bool
) -> None:
    error = kind("the function's")

    async def function() -> Any:
        raise error

    async def scenario(cache: AsyncCache) -> BaseException:
        try:
            await cache.get_or_set("k", function if awaited else failing(error))
        except BaseException as caught:  # noqa: BLE001  # compared below
            return caught
        raise AssertionError

    async def main() -> BaseException:
        async with container(server, options) as made:
            await scenario(made.async_cache())
            return await scenario(made.async_cache())

    caught = asyncio.run(main())
    if kind is StopIteration:  # Python lets no StopIteration out of a coroutine
        assert type(caught) is RuntimeError
        assert isinstance(caught.__cause__, StopIteration) or isinstance(caught.__context__, StopIteration)
    else:
        assert caught is error


def test_error_of_the_callers_generator_is_unchanged(server: Server) -> None:
    def broken() -> Iterator[int]:
        yield next(iter(()))

    for options in ({}, HERD):
        with container(server, options) as made, pytest.raises(RuntimeError, match="generator raised StopIteration"):
            made.cache().get_or_set("k", lambda: list(broken()))


CALLS: Final[dict[str, Callable[[Cache], object]]] = {
    "get": lambda cache: cache.get("k"),
    "set": lambda cache: cache.set("k", 1),
    "add": lambda cache: cache.add("k", 1),
    "get_or_set": lambda cache: cache.get_or_set("k", 1),
    "delete": lambda cache: cache.delete("k"),
    "touch": lambda cache: cache.touch("k"),
    "get_many": lambda cache: cache.get_many(["k"]),
    "set_many": lambda cache: cache.set_many({"k": 1}),
    "delete_many": lambda cache: cache.delete_many(["k"]),
    "incr": lambda cache: cache.incr("k"),
    "ttl": lambda cache: cache.ttl("k"),
    "sadd": lambda cache: cache.sadd("k", 1),
    "lpush": lambda cache: cache.lpush("k", 1),
    "hset": lambda cache: cache.hset("k", "f", 1),
    "zadd": lambda cache: cache.zadd("k", {"a": 1}),
    "delete_pattern": lambda cache: cache.delete_pattern("k*"),
    "get_lock": lambda cache: cache.get_lock("k"),
}


@every_kind
@pytest.mark.parametrize("options", [{}, HERD], ids=["plain", "herd"])
def test_key_function_error_is_raised(server: Server, kind: type[BaseException], options: dict[str, Any]) -> None:
    error = kind("the function's")
    with container(server, options, KEY_FUNCTION=failing(error)) as made:
        for call in CALLS.values():
            with pytest.raises(kind) as caught:
                call(made.cache())
            assert caught.value is error


class Unpicklable:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        raise self.error


@pytest.mark.parametrize("kind", [each for each in KINDS if not issubclass(each, Exception)])
@pytest.mark.parametrize("options", [{}, HERD], ids=["plain", "herd"])
def test_serializer_interrupted_leaves_no_lease(
    server: Server, kind: type[BaseException], options: dict[str, Any]
) -> None:
    error = kind("the value's")
    with container(server, options) as made:
        for call in (
            lambda cache: cache.set("k", Unpicklable(error)),
            lambda cache: cache.get_or_set("k", lambda: Unpicklable(error)),
            lambda cache: cache.set_many({"k": Unpicklable(error)}),
        ):
            with pytest.raises(kind) as caught:
                call(made.cache())
            assert caught.value is error


@every_kind
def test_lock_body_error_is_raised(server: Server, kind: type[BaseException]) -> None:
    error = kind("the body's")
    with container(server, {}) as made:
        with pytest.raises(kind) as caught, made.cache().get_lock("l"):
            failing(error)()
        assert caught.value is error

    async def main() -> BaseException | None:
        async with container(server, {}) as made:
            try:
                async with made.async_cache().get_lock("l"):
                    failing(error)()
            except BaseException as caught:  # noqa: BLE001  # compared below
                return caught

    assert asyncio.run(main()) is error


def test_closed_coroutine_cancels_its_function_and_ends(server: Server) -> None:
    async def main() -> None:
        async with container(server, {}) as made:
            began = asyncio.Event()

            async def function() -> None:
                began.set()
                await asyncio.sleep(60)

            task = asyncio.create_task(made.async_cache().get_or_set("k", function))  # type: ignore[arg-type]
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            coroutine: Any = made.async_cache().get_or_set("k", function)
            coroutine.send(None)
            coroutine.close()

    asyncio.run(main())
