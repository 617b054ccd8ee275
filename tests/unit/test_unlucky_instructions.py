"""Test single flight and lock queue, re-entered by a handler or left by an exception at every instruction."""

import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import FrameType
from typing import Any, Final

import pytest

from dvcache import Cache, CacheError, Container, Settings
from dvcache.process.ignored_errors import IgnoredErrors
from tests.support.servers import free_port

pytestmark = pytest.mark.full("strikes at every instruction of a call")

MODULES: Final = (
    "process/single_flight",
    "process/lock_queue",
    "process/liveness",
    "process/ignored_errors",
    "herd/get_or_set",
    "operations/locks",
    "dvcache/locks",
    "process/lock_tokens",
)
PATIENCE: Final = 30.0
"""Seconds that callers wait for another's value: longer than a test takes, since no test waits."""


def container(**options: Any) -> Container:
    herd = {"timeout": 60, "lease": 60, "wait": PATIENCE}
    return Container(Settings.parse({"LOCATION": "memory://unlucky", "OPTIONS": {"HERD": herd, **options}}))


def at(number: int, strike: Callable[[], object], work: Callable[[], object]) -> int:
    """Run the work and call `strike` at the instruction of this number; return the number of instructions."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        path = frame.f_code.co_filename
        if "dvcache" not in path or not path.removesuffix(".py").endswith(MODULES):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            count += 1
            if count == number:
                strike()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def within(seconds: float, work: Callable[[], object]) -> None:
    """Run the work in a thread; fail if it does not end."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # raised below
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it waits for itself"
    if failures:
        raise failures[0]


def works(cache: Cache) -> dict[str, Callable[[], object]]:
    def locked() -> None:
        lock = cache.get_lock("l", timeout=60, blocking_timeout=0.01)
        if lock.acquire():
            lock.release()

    def computed() -> None:
        cache.delete("k")
        assert cache.get_or_set("k", lambda: "value") == "value"

    return {"lock": locked, "get_or_set": computed}


@pytest.mark.parametrize("outer", ["lock", "get_or_set"])
@pytest.mark.parametrize("inner", ["lock", "get_or_set"])
def test_handlers_may_reenter_at_every_instruction(outer: str, inner: str) -> None:
    with container() as made:
        each = works(made.cache())

        def scenario() -> None:
            total = at(0, lambda: None, each[outer])
            assert total > 300
            for number in range(1, total + 1, 3):
                at(number, each[inner], each[outer])

        within(100, scenario)


class Interrupted(BaseException):
    """An exception like KeyboardInterrupt that does not end the test run."""


@pytest.mark.parametrize("kind", [Interrupted, RecursionError, MemoryError])
def test_single_flight_left_at_any_instruction_is_led_by_the_next(kind: type[BaseException]) -> None:
    def strike() -> None:
        raise kind

    with container() as made, ThreadPoolExecutor(1) as threads:
        cache = made.cache()
        work = works(cache)["get_or_set"]

        def scenario() -> None:
            total = at(0, lambda: None, work)
            assert total > 300
            kept: list[BaseException] = []
            for number in range(1, total + 1):
                try:
                    at(number, strike, work)
                except kind as error:
                    kept.append(error.with_traceback(None))
                threads.submit(work).result(20)

        within(100, scenario)


@pytest.mark.parametrize("kind", [Interrupted, RecursionError, MemoryError])
def test_lock_queue_left_at_any_instruction_is_headed_by_the_next(kind: type[BaseException]) -> None:
    def strike() -> None:
        raise kind

    with container() as made, ThreadPoolExecutor(1) as threads:
        cache = made.cache()

        def work() -> None:
            with cache.get_lock("l", timeout=60):
                pass

        def scenario() -> None:
            for number in range(1, at(0, lambda: None, work) + 1):
                with suppress(kind):
                    at(number, strike, work)
                cache.delete("l")
                threads.submit(work).result(20)

        within(100, scenario)


def test_single_flight_without_a_living_leader_is_not_waited_for() -> None:
    with container() as made:
        cache, depth = made.cache(), [0]

        def deep() -> None:
            depth[0] += 1
            cache.get_or_set(f"d{depth[0] % 3}", lambda: "value")
            cache.delete(f"d{depth[0] % 3}")
            deep()

        def scenario() -> None:
            for _ in range(20):
                with pytest.raises(RecursionError):
                    deep()
                for number in range(3):
                    assert cache.get_or_set(f"d{number}", lambda: "value") == "value"

        within(100, scenario)


def test_log_of_ignored_errors_may_be_reentered_at_every_instruction() -> None:
    ignored = IgnoredErrors(logging.getLogger("unlucky"))

    def note() -> None:
        ignored.note("default", "get", CacheError("no answer"), 0.0)

    def scenario() -> None:
        total = at(0, lambda: None, note)
        assert total > 30
        for number in range(1, total + 1):
            at(number, note, note)
        assert ignored.counts()["get", "CacheError"] > total

    within(60, scenario)


def test_log_handlers_may_use_the_cache_whose_errors_they_log() -> None:
    class Caching(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            cache.get("again")

    logger, handler = logging.getLogger("dvcache.ignored"), Caching()
    options = {"IGNORE_EXCEPTIONS": True, "LOG_IGNORE_EXCEPTIONS": True, "LOGGER": "dvcache.ignored"}
    logger.addHandler(handler)
    try:
        entry = {"LOCATION": f"valkey://127.0.0.1:{free_port()}", "OPTIONS": options}
        with Container(Settings.parse(entry)) as made:
            cache = made.cache()
            within(60, lambda: cache.get("k"))
            assert made.ignored_errors()["get", "ConnectError"] == 2
    finally:
        logger.removeHandler(handler)
