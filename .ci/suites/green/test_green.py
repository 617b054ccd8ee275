"""Run the conformance kit, and test limits of waiting, with greenlets in place of threads."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import valkey

from dvcache import Cache, Container, Settings, TransportError
from dvcache.pools.embedded.process import ServerProcess
from dvcache.testing.conformance import CacheConformance, MakeCache, wired

LIMIT = 0.5
ALARM = 20 * LIMIT
"""Seconds after which SIGALRM, which no patch delays, ends an overdue call."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def server(port: int) -> Iterator[ServerProcess]:
    server = ServerProcess(["--bind", "127.0.0.1", "--port", str(port)])
    yield server
    server.end()


@pytest.fixture
def location(server: ServerProcess, port: int) -> str:
    assert server.pid
    return f"valkey://127.0.0.1:{port}/1"


@pytest.fixture(params=["TCP", "unix", "own pool"])
def entry(request: pytest.FixtureRequest, server: ServerProcess, location: str) -> dict[str, Any]:
    """Return settings of one connection with a short limit, for each kind of connection."""
    options: dict[str, Any] = {"SOCKET_TIMEOUT": LIMIT, "CONNECTION_POOL_KWARGS": {"max_connections": 1}}
    if request.param == "own pool":
        options["CONNECTION_POOL_CLASS"] = OwnPool
    return {"LOCATION": f"unix://{server.path}?db=1" if request.param == "unix" else location, "OPTIONS": options}


class OwnPool(valkey.BlockingConnectionPool):
    """A custom pool that runs the commands."""


@pytest.fixture
def alarm() -> Iterator[None]:
    def end(*_: object) -> None:
        raise AssertionError(f"no end after {ALARM:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, ALARM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def with_options(make_cache: MakeCache, **more: object) -> MakeCache:
    def make(**settings: Any) -> Cache:
        return make_cache(**{**settings, "OPTIONS": {**more, **settings.get("OPTIONS", {})}})

    return make


class TestKit(CacheConformance):
    @pytest.fixture
    def make_cache(self, location: str) -> Iterator[MakeCache]:
        with wired("sync", location) as make_cache:
            yield make_cache


class TestOwnPoolKit(CacheConformance):
    @pytest.fixture
    def make_cache(self, location: str) -> Iterator[MakeCache]:
        with wired("sync", location) as make_cache:
            yield with_options(make_cache, CONNECTION_POOL_CLASS=OwnPool)


class TestHerdKit(CacheConformance):
    @pytest.fixture
    def make_cache(self, location: str) -> Iterator[MakeCache]:
        with wired("sync", location) as make_cache:
            # entries stay stale for so short a time that the kit finds the expected TTLs
            yield with_options(make_cache, HERD={"timeout": 0.03})


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("size", [1, 30_000_000], ids="{} bytes".format)
def test_a_call_to_a_stopped_server_ends_at_its_limit(server: ServerProcess, entry: dict[str, Any], size: int) -> None:
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        cache.set("a", 1)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            for _ in range(2):  # on a used connection, and on a new one
                began = time.monotonic()
                with pytest.raises(TransportError):
                    cache.set("b", b"b" * size)
                assert LIMIT * 0.9 < time.monotonic() - began < ALARM
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert cache.get("a") == 1


@pytest.mark.usefixtures("alarm")
def test_connecting_to_a_server_that_never_answers_ends_at_its_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        location = f"valkey://localhost:{silent.getsockname()[1]}/0"
        entry = {"LOCATION": location, "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": LIMIT, "SOCKET_TIMEOUT": LIMIT}}
        with Container(Settings.parse(entry)) as container:
            began = time.monotonic()
            with pytest.raises(TransportError):
                container.cache().get("a")
            assert LIMIT * 0.9 < time.monotonic() - began < ALARM


@pytest.mark.usefixtures("alarm")
def test_a_connection_that_rested_serves_again(entry: dict[str, Any]) -> None:
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        for value in range(3):
            cache.set("a", value)
            time.sleep(1.1)
            assert cache.get("a") == value


@pytest.mark.usefixtures("alarm")
def test_greenlets_wait_in_line_for_the_one_connection(entry: dict[str, Any]) -> None:
    found = []
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        cache.set("a", 1)
        threads = [threading.Thread(target=lambda: found.append(cache.get("a"))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [1] * 20


@pytest.mark.usefixtures("alarm")
def test_other_greenlets_run_while_one_waits_for_a_reply(server: ServerProcess, entry: dict[str, Any]) -> None:
    ticks, errors = [], []

    def wait() -> None:
        try:
            cache.get("a")
        except TransportError as error:
            errors.append(error)

    with Container(Settings.parse(entry)) as container:
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
