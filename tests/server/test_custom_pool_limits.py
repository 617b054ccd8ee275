"""Test the limits of custom pools in sync code: timeout, deadline, and places."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dvcache.errors import (
    PoolExhausted,
    ReplyTimeout,
)
from dvcache.pools.custom.sync_pool import CustomPool
from dvcache.pools.factory import Pools
from tests.support.custom_pools import (
    OwnBlockingPool,
    OwnPool,
    pools_of,
)
from tests.support.servers import Server

Make = Callable[..., CustomPool]
PING = (("PING",),)


@pytest.fixture(params=[OwnPool, OwnBlockingPool])
def make(request: pytest.FixtureRequest, server: Server) -> Iterator[Make]:
    with pools_of(request.param, CustomPool, Pools().pool, server.url()) as make:
        yield make


@pytest.mark.full("waits for slow and hung servers")
def test_hung_server_ends_a_call_at_the_deadline(make: Make, server: Server) -> None:
    pool = make(timeout=20)
    pool.execute(PING)
    for call in (
        lambda until: pool.execute(PING, until),
        lambda until: pool.begin(PING, until).replies(),
    ):
        with server.paused():
            started = time.monotonic()
            with pytest.raises(ReplyTimeout, match="deadline has passed"):
                call(started + 0.3)
            assert 0.28 <= time.monotonic() - started < 10
        assert pool.execute(PING) == [b"PONG"]


def test_wait_for_a_permit_ends_at_the_deadline(make: Make) -> None:
    pool = make(max_connections=1, timeout=20)
    pending = pool.begin(PING)
    started = time.monotonic()
    with pytest.raises(PoolExhausted, match="deadline has passed"):
        pool.execute(PING, started + 0.2)
    assert 0.18 <= time.monotonic() - started < 10
    assert pending.replies() == [b"PONG"]


def test_permit_is_free_again_when_its_holder_dies(make: Make, server: Server) -> None:
    """The state after an exception at an unlucky instruction: nobody returns the connection."""
    before = server.connections()
    pool = make(max_connections=2, timeout=5)
    for _ in range(10):
        pending = pool.begin(PING)
        del pending
    pending, other = pool.begin(PING), pool.begin(PING)
    assert [pending.replies(), other.replies()] == [[b"PONG"]] * 2
    server.wait_until(lambda: server.connections() <= before + 2)


def test_timeout_closes_idle_connections(make: Make, server: Server) -> None:
    pool = make(timeout=0.3)
    pending = [pool.begin(PING) for _ in range(4)]
    assert [each.replies() for each in pending] == [[b"PONG"]] * 4
    before = server.connections()
    with server.paused(), pytest.raises(ReplyTimeout):
        pool.execute(PING)
    server.wait_until(lambda: server.connections() <= before - 4)


@pytest.mark.full("waits for slow and hung servers")
def test_queue_with_an_abandoned_lock_blocks_nobody(server: Server) -> None:
    """The state after KeyboardInterrupt between `Condition.__enter__` and the block that releases the lock."""
    with pools_of(OwnBlockingPool, CustomPool, Pools().pool, server.url()) as make:
        pool = make(max_connections=2, timeout=5)
        pending = pool.begin(PING)
        custom: Any = pool._made().pool
        custom.pool.mutex.acquire()
        with ThreadPoolExecutor(1) as thread:
            stuck = thread.submit(pool.execute, PING)
            server.wait_until(lambda: len(pool._living) == 2)
            del pending
            assert pool.execute(PING) == [b"PONG"]
            assert stuck.result() == [b"PONG"]
