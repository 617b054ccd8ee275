"""Test arguments that a server refuses: only their caller fails, and no circuit breaker opens."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache import CacheError, Container, Settings, TooLargeError
from dvcache.pools import packing
from tests.support.servers import Server

LIMIT = 2 * 1024 * 1024
LARGE = b"x" * (40 * 1024 * 1024)

CALLS: dict[str, Any] = {
    "a value": lambda cache: cache.set("large", LARGE),
    "a value of several": lambda cache: cache.set_many({"a": 1, "large": LARGE}),
    "a key": lambda cache: cache.get("k" * (3 * 1024 * 1024)),
    "a member": lambda cache: cache.sadd("s", LARGE),
    "a value where there is none": lambda cache: cache.add("large", LARGE),
}
OPTIONS: dict[str, Any] = {
    "plain": {},
    "herd": {"HERD": True},
    "ignoring errors": {"IGNORE_EXCEPTIONS": True},
}


def each_call(first: str) -> pytest.MarkDecorator:
    """Parametrize `call` and `options`: each call once, the options in turn."""
    kinds = itertools.dropwhile(lambda kind: kind != first, itertools.cycle(OPTIONS))
    pairs = dict(zip(CALLS, kinds, strict=False))
    values = [(CALLS[name], OPTIONS[kind]) for name, kind in pairs.items()]
    return pytest.mark.parametrize(("call", "options"), values, ids=map("-".join, pairs.items()))


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A server with lower limits than usual."""
    with Server("--proto-max-bulk-len", str(LIMIT)) as server:
        yield server


def container(server: Server, options: dict[str, Any]) -> Container:
    return Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options}))


@pytest.mark.full("sends 280 megabytes: 2 s")
@each_call("plain")
def test_refused_argument_leaves_the_next_caller_answered(strict: Server, options: dict[str, Any], call: Any) -> None:
    with container(strict, options) as made:
        cache = made.cache()
        cache.set("n", 0)
        for n in range(1, 8):
            try:
                failed = not call(cache) or bool(options.get("IGNORE_EXCEPTIONS"))
            except CacheError:
                failed = True
            assert failed
            assert cache.incr("n") == n


@pytest.mark.full("large data, or many random ones")
@each_call("herd")
def test_refused_argument_costs_other_tasks_on_the_loop_no_call(
    strict: Server, options: dict[str, Any], call: Any
) -> None:
    async def main() -> None:
        async with container(strict, options) as made:
            cache = made.async_cache()
            await cache.set("n", 0)
            for n in range(1, 4):
                neighbours = [cache.incr("n") for _ in range(5)]
                failed, *counts = await asyncio.gather(call(cache), *neighbours, return_exceptions=True)
                assert isinstance(failed, CacheError) or options
                assert sorted(counts) == list(range(5 * n - 4, 5 * n + 1))

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_oversized_argument_is_refused_before_it_is_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(packing, "LARGEST", LIMIT)
    monkeypatch.setattr("dvcache.pools.blocking_exchange.LARGEST", LIMIT)
    value = bytes(range(256)) * (4 * 4096)
    with container(server, {}) as made:

        def stored() -> object:
            if mode == "sync":
                return made.cache().set("large", value)
            return asyncio.run(made.async_cache().set("large", value))

        with pytest.raises(TooLargeError, match=r"SET: an argument of \d+ bytes"):
            stored()
        assert made.cache().get("large") is None
