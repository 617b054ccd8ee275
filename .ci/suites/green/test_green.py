"""The conformance kit, and the limits of waiting, where greenlets stand for threads."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache import Cache, Container, Settings, TransportError
from dvcache.pools.server_process import ServerProcess
from dvcache.testing.conformance import CacheConformance, MakeCache, wired

LIMIT = 0.5
ALARM = 20 * LIMIT
"""Seconds after which a call that should have ended is ended by SIGALRM, which no patch delays."""


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    server = ServerProcess(["--port", "0"])
    yield server
    server.end()


@pytest.fixture
def location(server: ServerProcess) -> str:
    return f"unix://{server.path}?db=1"


@pytest.fixture
def alarm() -> Iterator[None]:
    def end(*_: object) -> None:
        raise AssertionError(f"no end after {ALARM:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, ALARM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def of_a_herd(make_cache: MakeCache) -> MakeCache:
    """Have the caches serve stale values for so short a time that lifetimes are what the kit expects."""

    def make(**settings: Any) -> Cache:
        return make_cache(**{**settings, "OPTIONS": {"HERD": {"timeout": 0.03}, **settings.get("OPTIONS", {})}})

    return make


class TestKit(CacheConformance):
    @pytest.fixture
    def make_cache(self, location: str) -> Iterator[MakeCache]:
        with wired("sync", location) as make_cache:
            yield make_cache


class TestHerdKit(CacheConformance):
    @pytest.fixture
    def make_cache(self, location: str) -> Iterator[MakeCache]:
        with wired("sync", location) as make_cache:
            yield of_a_herd(make_cache)


@pytest.mark.usefixtures("alarm")
def test_a_call_to_a_stopped_server_ends_at_its_limit(server: ServerProcess, location: str) -> None:
    entry = {"LOCATION": location, "OPTIONS": {"SOCKET_TIMEOUT": LIMIT}}
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        cache.set("a", 1)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            for _ in range(2):  # on a connection that was used, and on a new one
                began = time.monotonic()
                with pytest.raises(TransportError):
                    cache.get("a")
                assert LIMIT * 0.9 < time.monotonic() - began < ALARM
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert cache.get("a") == 1


@pytest.mark.usefixtures("alarm")
def test_a_connection_that_rested_serves_again(location: str) -> None:
    entry = {"LOCATION": location, "OPTIONS": {"CONNECTION_POOL_KWARGS": {"max_connections": 1}}}
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        for value in range(3):
            cache.set("a", value)
            time.sleep(1.1)
            assert cache.get("a") == value


@pytest.mark.usefixtures("alarm")
def test_other_greenlets_run_while_one_waits_for_a_reply(server: ServerProcess, location: str) -> None:
    ticks, errors = [], []

    def wait() -> None:
        try:
            cache.get("a")
        except TransportError as error:
            errors.append(error)

    with Container(Settings.parse({"LOCATION": location, "OPTIONS": {"SOCKET_TIMEOUT": LIMIT}})) as container:
        cache = container.cache()
        cache.set("a", 1)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            waiting = threading.Thread(target=wait)
            waiting.start()
            while waiting.is_alive():
                ticks.append(1)
                time.sleep(LIMIT / 20)
            waiting.join()
        finally:
            os.kill(server.pid, signal.SIGCONT)
    assert len(ticks) > 3
    assert len(errors) == 1


@pytest.mark.usefixtures("alarm")
def test_thirty_greenlets_get_their_own_values(location: str) -> None:
    wrong = []
    with Container(Settings.parse({"LOCATION": location})) as container:
        cache = container.cache()

        def work(number: int) -> None:
            for turn in range(50):
                cache.set(f"own {number}", (number, turn))
                found = cache.get(f"own {number}")
                if found != (number, turn):
                    wrong.append(found)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
