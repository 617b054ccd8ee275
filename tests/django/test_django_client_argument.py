"""Test `client=`: every method on a client of valkey-py, or queued in a pipeline."""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import valkey
import valkey.asyncio
from django.core.cache import caches

from django_valkey._methods.client_argument import SEVERAL
from django_valkey._methods.methods import AsyncMethods, Methods
from django_valkey.cache import ValkeyCache
from django_valkey.client import DefaultClient
from dvcache import Client, NotSupportedError, TransportError
from dvcache._methods.all_operations import OPERATIONS
from tests.django.conftest import Configure
from tests.support.servers import Server

ASYNC = "django_valkey.async_cache.cache.AsyncValkeyCache"
NOWHERE = "valkey://127.0.0.1:1/0"
STREAMS = [name for name in OPERATIONS if inspect.isgeneratorfunction(getattr(Methods, name))]

GIVEN: dict[str, object] = {
    "key": "k",
    "keys": ["k", "l"],
    "name": "n",
    "value": 1,
    "member": "m",
    "default": 1,
    "data": {"k": 1, "l": 2},
    "search": "*",
    "pattern": "*",
    "timeout": 60,
    "when": 2**33,
    "delta": 1,
    "dest": "d",
    "source": "k",
    "destination": "d",
    "mapping": {"m": 1},
    "scores": {"m": 1},
}


class Own(ValkeyCache):
    """A custom cache class."""

    def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:  # type: ignore[override]
        return f"own {super().get(key, default, version, client=client)}"  # type: ignore[call-arg]


class OwnClient(DefaultClient):
    """A custom client class."""

    def get(self, key: Any, default: Any = None, version: Any = None, client: Any = None) -> Any:  # type: ignore[override]
        return "client", super().get(key, default, version, client=client)  # type: ignore[call-arg]


MEANT: dict[tuple[str, str], object] = {
    ("linsert", "where"): "before",
    ("zmscore", "values"): ["m"],
    ("get_or_set_many", "default"): lambda keys: dict.fromkeys(keys, 1),
}
"""The value of a name in one operation."""


def arguments(name: str) -> tuple[list[Any], dict[str, Any]]:
    """Return the required arguments of an operation, from the names of its parameters."""
    positional: list[Any] = []
    for parameter in list(inspect.signature(getattr(Methods, name)).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.append("k" if parameter.name == "keys" else "m")
        elif parameter.default is parameter.empty:
            positional.append(MEANT.get((name, parameter.name), GIVEN.get(parameter.name, 1)))
    more: dict[str, Any] = {"hset": {"key": "f", "value": 1}}
    return positional, more.get(name, {})


@pytest.fixture
def raw(server: Server) -> Iterator[Any]:
    with valkey.Valkey.from_url(server.url(), client_name="borrowed") as client:
        yield client


@pytest.fixture
def nowhere(configured: Configure) -> Iterator[Any]:
    """A cache without a server."""
    with configured(NOWHERE, OPTIONS={"SOCKET_CONNECT_TIMEOUT": 1}):
        yield caches["default"]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("cls", [ValkeyCache, AsyncMethods])
def test_every_operation_takes_a_client(cls: type, name: str) -> None:
    assert inspect.signature(getattr(cls, name)).parameters["client"].default is None
    assert "client" in inspect.signature(getattr(ValkeyCache, f"a{name}")).parameters
    assert "client" not in inspect.signature(OPERATIONS[name]).parameters


def test_call_uses_the_client_argument(nowhere: Any, raw: Any, server: Server) -> None:
    assert nowhere.set("a", {"b": 1}, 60, client=raw) is True
    assert nowhere.get("a", client=raw) == nowhere.get("a", client=raw, as_=dict) == {"b": 1}
    assert nowhere.get("a", "default", client=raw, as_=int) == "default"
    assert nowhere.get("a", "default", version=2, client=raw) == "default"
    assert nowhere.add("a", 2, client=raw) is False
    assert nowhere.set_many({"n": 1, "m": [2]}, client=raw) == []
    assert nowhere.get_many(["n", "m", "o"], client=raw) == {"n": 1, "m": [2]}
    assert nowhere.incr("n", 2**70, client=raw) == 1 + 2**70
    assert 50 < nowhere.ttl("a", client=raw) <= 60
    assert sorted(nowhere.iter_keys("*", client=raw)) == ["a", "m", "n"]
    assert nowhere.client.get("m", client=raw) == [2]
    with pytest.raises(ValueError, match="not found"):
        nowhere.incr("missing", client=raw)
    with nowhere.get_lock("l", timeout=60, client=raw) as lock:
        assert lock.owned()
        assert server.raw("EXISTS", ":1:l") == 1
    assert nowhere.delete_pattern("*", client=raw) == 3
    with pytest.raises(TransportError):
        nowhere.get("a")
    assert b"name=borrowed" in server.raw("CLIENT", "LIST")


def test_lock_waiters_on_a_client_do_not_wait_for_those_on_the_default(
    server: Server, configured: Configure, raw: Any
) -> None:
    with configured(server.url(1)):
        cache: Any = caches["default"]
        cache._context.lock_queue.join(b":1:l")  # like a waiter for the lock of this name on the cache's own server
        with cache.get_lock("l", timeout=60, blocking_timeout=5, client=raw) as lock:
            assert lock.owned()
            assert cache.get_lock("l", client=raw)._context.lock_queue is lock._context.lock_queue


def test_async_call_uses_the_client_argument(server: Server, configured: Configure) -> None:
    async def scenario(spelling: str) -> None:
        cache = caches["default"]

        def method(name: str) -> Any:
            return getattr(cache, spelling + name)

        async with valkey.asyncio.Valkey.from_url(server.url()) as raw:
            assert await method("set")("a", {"b": 1}, 60, client=raw) is True
            assert await asyncio.gather(*(method("get")("a", client=raw) for _ in range(10))) == [{"b": 1}] * 10
            assert [name async for name in method("iter_keys")("*", client=raw)] == ["a"]
            async with method("get_lock")("l", timeout=60, client=raw) as lock:
                assert await lock.owned()
            async with raw.pipeline(transaction=False) as pipeline:
                assert await method("set")("p", 1, client=pipeline) is pipeline
                assert await method("incr")("p", client=pipeline) is pipeline
                assert await method("get")("p", client=pipeline) is pipeline
                assert await pipeline.execute() == [True, b"2", b"2"]
            assert await method("clear")(client=raw) is True

    for backend, spelling in (("django_valkey.cache.ValkeyCache", "a"), (ASYNC, "a"), (ASYNC, "")):
        with configured(NOWHERE, BACKEND=backend):
            asyncio.run(scenario(spelling))


def test_pipeline_queues_and_is_returned(nowhere: Any, raw: Any) -> None:
    with raw.pipeline() as pipeline:
        assert nowhere.set("a", 1, 60, client=pipeline) is pipeline
        assert nowhere.incr("a", client=pipeline) is pipeline
        assert nowhere.set_many({str(n): n for n in range(600)}, client=pipeline) is pipeline
        assert nowhere.get_many([str(n) for n in range(600)], client=pipeline) is pipeline
        assert nowhere.sadd("s", 1, 2, client=pipeline) is pipeline
        assert raw.dbsize() == 0
        replies = pipeline.execute()
    assert replies[:2] == [True, b"2"]
    assert replies[-2:] == [[str(n).encode() for n in range(600)], 2]
    assert nowhere.get("a", client=raw) == 2


class Prepared:
    """Store entries of several pages for operations to find."""

    many = range(1100)

    @staticmethod
    def values(cache: Any, name: str) -> None:
        cache.set_many({str(n): n for n in Prepared.many})
        if name != "get_or_set":
            cache.set("k", 1)

    @staticmethod
    def sets(cache: Any, _: str) -> None:
        cache.sadd("k", *Prepared.many)

    @staticmethod
    def hashes(cache: Any, _: str) -> None:
        cache.hset("n", mapping={str(n): n for n in Prepared.many})

    @staticmethod
    def sorted_sets(cache: Any, _: str) -> None:
        cache.zadd("k", {n: n for n in Prepared.many})


def nothing(*_: object) -> None:
    """Store nothing: operations on missing entries take as many round trips."""


PREPARED: dict[str, Any] = {
    "dvcache.operations.sets": Prepared.sets,
    "dvcache.operations.hashes": Prepared.hashes,
    "dvcache.operations.lists": nothing,
    "dvcache.operations.sorted_sets": Prepared.sorted_sets,
    "dvcache.operations.sorted_set_ranges": Prepared.sorted_sets,
}


class Counted:
    """A client that counts its round trips."""

    def __init__(self, client: Client) -> None:
        self.client, self.trips = client, 0

    def execute(self, batch: Any, _until: float | None = None, /) -> Any:
        self.trips += 1
        return self.client.execute(batch)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in STREAMS])
def test_pipeline_refuses_only_methods_of_several_round_trips(name: str, configured: Configure) -> None:
    positional, named = arguments(name)
    with configured("memory://pipelines"):
        cache: Any = caches["default"]
        cache.clear()
        PREPARED.get(OPERATIONS[name].__module__, Prepared.values)(cache, name)
        cache.incr("loaded", default=0)
        counted = cache._client = Counted(cache._client)
        getattr(cache, name)(*positional, **named)
        assert (counted.trips > 1) is (name in SEVERAL), counted.trips
    pipeline = valkey.Valkey().pipeline()
    if name in SEVERAL:
        with pytest.raises(NotSupportedError, match=name):
            getattr(cache, name)(*positional, client=pipeline, **named)
        assert pipeline.command_stack == []
    else:
        assert getattr(cache, name)(*positional, client=pipeline, **named) is pipeline
        assert pipeline.command_stack


@pytest.mark.parametrize("name", STREAMS)
def test_pipeline_refuses_methods_that_yield_pages(nowhere: Any, name: str) -> None:
    positional, _ = arguments(name)
    with pytest.raises(NotSupportedError, match=name):
        list(getattr(nowhere, name)(*positional, client=valkey.Valkey().pipeline()))


def test_client_argument_that_does_not_fit_the_call_is_refused_by_name(nowhere: Any) -> None:
    for client in (object(), valkey.asyncio.Valkey(), valkey.Valkey(decode_responses=True)):
        with pytest.raises(NotSupportedError, match="client="):
            nowhere.get("a", client=client)
    with pytest.raises(NotSupportedError, match="client="):
        nowhere.get_lock("a", client=valkey.Valkey().pipeline())
    with pytest.raises(NotSupportedError, match="incr"):
        nowhere.incr("a", 0.5, client=valkey.Valkey().pipeline())
    with pytest.raises(NotSupportedError, match="client="):
        asyncio.run(nowhere.aget("a", client=valkey.Valkey()))


def test_client_argument_without_a_server_is_ignored_with_ignored_errors(configured: Configure) -> None:
    with configured("memory://ignored", OPTIONS={"IGNORE_EXCEPTIONS": True}):
        client = valkey.Valkey(port=1)
        assert caches["default"].get("a", "default", client=client) == "default"
        assert caches["default"].set_many({"a": 1}, client=client) == ["a"]


def test_override_of_the_project_receives_the_client_argument(configured: Configure, raw: Any) -> None:
    with configured(NOWHERE, BACKEND=f"{__name__}.Own"):
        cache: Any = caches["default"]
        assert cache.set("a", 1, client=raw)
        assert cache.get("a", client=raw) == "own 1"
        assert cache.client.get("a", client=raw) == 1
    with configured(NOWHERE, OPTIONS={"CLIENT_CLASS": f"{__name__}.OwnClient"}):
        assert caches["default"].get("a", client=raw) == ("client", 1)


@pytest.mark.parametrize("name", ["get", "get_lock", "iter_keys"])
def test_client_of_another_library_is_refused(on_server: Server, name: str) -> None:
    assert on_server
    for kind in ("redis.client.Redis", "redis.client.Pipeline"):
        module, _, own = kind.rpartition(".")
        cls = type(own, (), {"__module__": module, "command_stack": (), "execute_command": print})
        with pytest.raises(NotSupportedError, match=f"not {own} of redis"):
            list(getattr(caches["default"], name)("k", client=cls()))
