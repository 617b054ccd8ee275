"""Test that custom pools are replaced after an exception at an unlucky instruction, without a wait."""

import gc
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from dvcache import pools
from dvcache.errors import PoolExhausted
from dvcache.pools.custom.sync_pool import CustomPool
from dvcache.pools.factory import Pools
from tests.support.custom_pools import OwnBlockingPool, OwnPool, endpoint_of, pools_of
from tests.support.servers import Server, wait_until

pytestmark = pytest.mark.full("strikes at every instruction of a call: 7 s")

_POOLS = str(Path(pools.__file__).parent)
PING = (("PING",),)


@pytest.fixture(params=[OwnPool, OwnBlockingPool])
def make(request: pytest.FixtureRequest, server: Server) -> Iterator[Any]:
    with pools_of(request.param, CustomPool, Pools().pool, server.url()) as make:
        yield make


def struck(pool: CustomPool, number: int) -> bool:
    """Run a batch and raise at the instruction of this number; return False if there are fewer."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(_POOLS):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            count += 1
            if count == number:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with suppress(KeyboardInterrupt):
            pool.execute((("GET", "struck"),))
    finally:
        sys.settrace(before)
    return count >= number


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of an unreferenced socket
@pytest.mark.parametrize("rested", [False, True], ids=["at first", "later"])
def test_exception_at_any_instruction_loses_no_connection(make: Any, server: Server, *, rested: bool) -> None:
    server.raw("SET", "struck", "wrong")
    before = server.connections()
    number, again = 0, True
    with ThreadPoolExecutor(1) as thread:
        while again:
            number += 5
            pool = make(max_connections=1)
            if rested:
                pool.execute(PING)
            again = struck(pool, number)
            assert thread.submit(pool.execute, PING).result(10) == [b"PONG"], number
            pool.close()
    assert number > 500
    gc.collect()
    wait_until(lambda: server.connections() <= before, 5)


def test_pool_with_an_abandoned_lock_does_not_block_threads(server: Server) -> None:
    options = {"CONNECTION_POOL_CLASS": OwnBlockingPool, "CONNECTION_POOL_KWARGS": {"max_connections": 2}}
    pool: Any = Pools().pool(endpoint_of(server.url(), **options))
    pool.execute(PING)
    use = pool._use(PING, None)
    pool._made().pool.pool.mutex.acquire()  # as `Condition.__enter__` does
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(pool.execute, PING)
        wait_until(lambda: any(each.number > use.number for each in pool._living.alive()), 5)
        use.lost = True  # the caller has its exception and does not call again
        assert waits.result(10) == [b"PONG"]
    assert pool.execute(PING) == [b"PONG"]
    pool.close()


def test_wait_for_connections_held_by_others_ends_at_the_deadline(server: Server) -> None:
    with pools_of(OwnBlockingPool, CustomPool, Pools().pool, server.url()) as make:
        pool = make(max_connections=1)
        users = pool._made().pool
        connection = users.get_connection("PING")
        started = time.monotonic()
        with pytest.raises(PoolExhausted, match="the deadline"):
            pool.execute(PING, started + 0.3)
        assert 0.25 < time.monotonic() - started < 3
        users.release(connection)
        assert pool.execute(PING) == [b"PONG"]


def test_retired_pool_is_made_once_for_all_threads(make: Any) -> None:
    pool = make()
    pool.execute(PING)
    for _ in range(20):
        pool.retire()
        with ThreadPoolExecutor(8) as threads:
            found = set(threads.map(lambda _: id(pool._made()), range(16)))
        assert len(found) == 1


def test_pool_that_one_thread_makes_forever_is_made_by_another(server: Server) -> None:
    hangs, first = threading.Event(), threading.Event()

    class Hanging(OwnPool):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if not first.is_set():
                first.set()
                hangs.wait()
            super().__init__(*args, **kwargs)

    pool: Any = Pools().pool(endpoint_of(server.url(), CONNECTION_POOL_CLASS=Hanging))
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(pool.execute, PING)
        assert first.wait(10)
        assert pool.execute(PING) == [b"PONG"]
        hangs.set()
        assert hanging.result(10) == [b"PONG"]
    pool.close()


def test_connection_in_the_middle_of_its_greeting_is_not_used(server: Server) -> None:
    with pools_of(OwnPool, CustomPool, Pools().pool, server.url()) as make:
        connection = make()._made().pool.make_connection()
        connection.connect()
        ready, connection._is_ready = connection._sock, False
        connection.connect()
        assert connection._sock is not ready
        connection.disconnect()


def test_recursion_limit_of_a_deep_caller_is_no_error_of_the_server(make: Any) -> None:
    pool = make()
    raised: set[type[BaseException]] = set()

    def deeper(frames: int) -> None:
        if frames:
            deeper(frames - 1)
        else:
            pool.execute(PING)

    def strikes() -> None:
        for depth in range(sys.getrecursionlimit() - 100, sys.getrecursionlimit()):
            pool.release()
            try:
                deeper(depth)
            except BaseException as error:  # noqa: BLE001  # looked at below
                raised.add(type(error))

    thread = threading.Thread(target=strikes)
    thread.start()
    thread.join()
    assert raised == {RecursionError}
    assert pool.execute(PING) == [b"PONG"]
