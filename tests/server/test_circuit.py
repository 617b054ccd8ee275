"""Test IGNORE_EXCEPTIONS on a hung server: the first caller waits alone, and an answering server is used again."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Self

import pytest

from dvcache import Container, Settings
from dvcache.errors import CircuitOpenError, ReplyTimeout
from dvcache.pools.circuit_breaker import REST, CircuitBreaker
from dvcache.pools.factory import Pools
from dvcache.types import Batch
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.servers import DelayProxy, Server, wait_until

DEADLINE = 1.0


@contextmanager
def getter(server: Server, mode: str) -> Iterator[tuple[Container, Callable[[str], object]]]:
    """Yield a container on the server, and a function that gets one entry."""
    options = {"IGNORE_EXCEPTIONS": True, "SOCKET_TIMEOUT": DEADLINE}
    with Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options})) as container:
        server.raw("SET", ":1:k", 7)
        if mode == "sync":
            yield container, container.cache().get
            return
        with asyncio.Runner() as runner:
            yield container, lambda key: runner.run(container.async_cache().get(key))


@pytest.mark.full("waits for slow and hung servers")
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "unconnected"])
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_circuit_breaker_limits_twenty_gets_to_two_deadlines(own_server: Server, mode: str, connected: bool) -> None:
    with getter(own_server, mode) as (container, get):
        if connected:
            assert get("k") == 7
        else:
            container.cache()._client.client.routing.only._drop_free()  # type: ignore[attr-defined]  # as after a rest
        with own_server.paused():
            began = time.monotonic()
            assert [get("k") for _ in range(20)] == [None] * 20
            assert time.monotonic() - began < 2 * DEADLINE
        wait_until(lambda: get("k") == 7, REST + 5)
    errors: dict[str, Any] = {name: count for (_, name), count in container.ignored_errors().items()}
    assert errors.pop("CircuitOpenError") >= 19
    assert sum(errors.values()) == 1


CONNECTIONS = 6


@contextmanager
def crowding(proxy: DelayProxy, mode: str) -> Iterator[tuple[Container, Callable[[int], list[object]]]]:
    """Yield a container behind a proxy, and a function that gets one entry in many concurrent calls."""
    own = {"own pool": OwnPool, "own async pool": OwnAsyncPool}
    options = {"IGNORE_EXCEPTIONS": True, "SOCKET_TIMEOUT": DEADLINE}
    if mode in own:
        options["CONNECTION_POOL_CLASS"] = own[mode]
    entry = {"LOCATION": f"valkey://127.0.0.1:{proxy.port}", "OPTIONS": options}
    with Container(Settings.parse(entry)) as container:
        if mode == "own async pool":

            async def gets(count: int) -> list[object]:
                return await asyncio.gather(*(container.async_cache().get("k") for _ in range(count)))

            with asyncio.Runner() as runner:
                yield container, lambda count: runner.run(gets(count))
            return
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            yield container, lambda count: list(threads.map(container.cache().get, ["k"] * count))


@pytest.mark.parametrize("mode", ["sync", "own pool", "own async pool"])
def test_connections_that_died_idle_cost_a_circuit_breaker_one_timeout(
    server: Server, proxy: DelayProxy, mode: str
) -> None:
    server.raw("SET", ":1:k", 7)
    with crowding(proxy, mode) as (container, gets):
        proxy.delay = 0.1  # long enough for the calls to run concurrently
        assert gets(CONNECTIONS) == [7] * CONNECTIONS
        assert proxy.open == CONNECTIONS
        time.sleep(0.05)  # a connection used just now is not idle
        proxy.black_hole()
        wait_until(lambda: gets(1) == [7], 30)
        assert gets(CONNECTIONS) == [7] * CONNECTIONS
    counts = {name: count for (_, name), count in container.ignored_errors().items()}
    assert counts.pop("CircuitOpenError") > 0
    assert counts == {"ReplyTimeout": 1}


PING: Batch = (("PING",),)


class Behind:
    """A pool on a server behind a proxy, with a circuit breaker on a manual clock."""

    def __init__(self, proxy: DelayProxy, way: str) -> None:
        self.way, _, own = way.partition(" of ")
        options: dict[str, object] = {"SOCKET_TIMEOUT": 0.3}
        if own:
            options["CONNECTION_POOL_CLASS"] = OwnAsyncPool if self.way == "async" else OwnPool
        [endpoint] = Settings.parse({"LOCATION": f"valkey://127.0.0.1:{proxy.port}", "OPTIONS": options}).endpoints
        self.now = 100.0
        self.circuit = CircuitBreaker(endpoint, lambda: self.now)
        pools = Pools(lambda _: self.circuit)
        self.pool: Any = pools.async_pool(endpoint) if self.way == "async" else pools.pool(endpoint)
        self.runner = asyncio.Runner()

    def ping(self) -> object:
        if self.way == "async":
            return self.runner.run(self.pool.execute(PING))
        return self.pool.begin(PING).replies() if self.way == "written" else self.pool.execute(PING)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()
        self.runner.close()


@pytest.mark.parametrize("own", ["", " of users"], ids=["", "of users"])
@pytest.mark.parametrize("way", ["sync", "written", "async"])
def test_each_pool_asks_its_circuit_and_reports_to_it(proxy: DelayProxy, way: str, own: str) -> None:
    with Behind(proxy, way + own) as behind:
        assert behind.ping() == [b"PONG"]
        proxy.black_hole()
        with pytest.raises(ReplyTimeout):
            behind.ping()
        assert behind.circuit.failures == 1
        with pytest.raises(CircuitOpenError):
            behind.ping()
        behind.now += REST
        assert behind.ping() == [b"PONG"]
        assert behind.circuit.failures == 0


@pytest.mark.parametrize("own", ["", " of users"], ids=["", "of users"])
def test_abandoned_trial_of_a_circuit_breaker_counts_as_failed(proxy: DelayProxy, own: str) -> None:
    with Behind(proxy, f"sync{own}") as behind:
        behind.circuit.fail(ReplyTimeout("late"), behind.circuit.begin())
        behind.now += REST
        behind.pool.begin(PING).abandon()
        with pytest.raises(CircuitOpenError):
            behind.ping()
        behind.now += REST
        assert behind.ping() == [b"PONG"]
