"""Test that a connection is made within one timeout: name lookup, TCP, TLS and greeting, in both modes."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import valkey.asyncio.connection as aio
import valkey.connection as sync

from dvcache import ConnectError, Container, Settings
from dvcache.pools import connect
from dvcache.pools.embedded import shared
from dvcache.types import Endpoint
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.handshake_servers import HOSTS, Greeter, addresses, black_hole, byte_by_byte, silent
from tests.support.servers import DelayProxy, Server

LIMIT = 0.4
SLACK = 10.0
"""Seconds that a call may take beyond its limit on a busy machine; the tested faults take longer."""

Call = Callable[[str], object]

WAYS = ["sync", "async", "own sync pool", "own async pool"]


def get(way: str, location: str, limit: float = LIMIT, **options: Any) -> object:
    """Read an entry over a new connection."""
    own = {
        "own sync pool": {"CONNECTION_POOL_CLASS": OwnPool},
        "own async pool": {"CONNECTION_POOL_CLASS": OwnAsyncPool},
    }
    limits = {"SOCKET_CONNECT_TIMEOUT": limit, "SOCKET_TIMEOUT": 60.0}
    settings = Settings.parse({"LOCATION": location, "OPTIONS": {**limits, **own.get(way, {}), **options}})
    with Container(settings) as container:
        if "async" not in way:
            return container.cache().get("k", "nothing")
        return asyncio.run(_get(container))


async def _get(container: Container) -> object:
    return await container.async_cache().get("k", "nothing")


def refused_in(way: str, location: str, **options: Any) -> tuple[ConnectError, float]:
    """Return the error of a failed connection attempt, and its duration in seconds."""
    began = time.monotonic()
    with pytest.raises(ConnectError) as caught:
        get(way, location, **options)
    return caught.value, time.monotonic() - began


@pytest.fixture
def hanging_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Make every name lookup hang until the end of the test; return the looked-up names."""
    released, asked = threading.Event(), list[str]()

    def look_up(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        released.wait()
        raise socket.gaierror("released")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    released.set()
    for thread in threading.enumerate():
        if thread.name == "getaddrinfo":
            thread.join()


@pytest.mark.parametrize("way", WAYS)
def test_slow_greeting_ends_with_the_connect_timeout(way: str) -> None:
    with Greeter(byte_by_byte(LIMIT / 4)) as server:
        error, seconds = refused_in(way, f"valkey://127.0.0.1:{server.port}")
    assert "no answer within 0.4 s" in str(error)
    assert LIMIT <= seconds < LIMIT + SLACK


@pytest.mark.parametrize("way", WAYS)
def test_tls_handshake_without_an_answer_ends_with_the_connect_timeout(way: str) -> None:
    with Greeter(silent) as server:
        error, seconds = refused_in(way, f"valkeys://127.0.0.1:{server.port}")
    assert "no answer within 0.4 s" in str(error)
    assert seconds < LIMIT + SLACK


@pytest.mark.parametrize("way", WAYS)
def test_name_lookup_that_hangs_ends_with_the_connect_timeout(way: str, hanging_names: list[str]) -> None:
    error, seconds = refused_in(way, "valkey://cache.test:6379")
    assert "no answer within 0.4 s" in str(error)
    assert seconds < LIMIT + SLACK
    assert hanging_names == ["cache.test"]


def test_name_lookup_that_hangs_holds_one_thread(hanging_names: list[str]) -> None:
    for _ in range(4):
        refused_in("sync", "valkey://cache.test:6379", limit=0.05)
    assert hanging_names == ["cache.test"]


@pytest.mark.parametrize("way", WAYS)
def test_slow_connection_steps_share_one_timeout(way: str, server: Server) -> None:
    # each answer of the greeting comes within the limit, all three together do not
    with DelayProxy(server.port, delay=LIMIT * 0.6) as proxy:
        error, seconds = refused_in(
            way, f"valkey://127.0.0.1:{proxy.port}/1", CONNECTION_POOL_KWARGS={"client_name": "n"}
        )
    assert "no answer within 0.4 s" in str(error)
    assert seconds < LIMIT + SLACK


@pytest.mark.full("waits for slow and hung servers")
@pytest.mark.parametrize("way", WAYS)
def test_silent_addresses_leave_time_for_one_that_answers(
    way: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        for host in HOSTS:
            stack.enter_context(black_hole(host, server.port))
        monkeypatch.setattr(socket, "getaddrinfo", addresses(*HOSTS, server.host))
        assert get(way, f"valkey://cache.test:{server.port}", limit=5.0) == "nothing"
        error, seconds = refused_in(way, f"valkey://cache.test:{server.port}", limit=0.001)
        assert "no answer" in str(error)
        assert seconds < SLACK


@pytest.mark.parametrize("way", WAYS)
def test_addresses_that_refuse_take_no_time(way: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", addresses(*HOSTS, server.host))
    assert get(way, f"valkey://cache.test:{server.port}", limit=5.0) == "nothing"


@pytest.mark.parametrize("way", WAYS)
def test_last_refusal_of_several_addresses_is_reported(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", addresses(*HOSTS))
    error, _ = refused_in(way, "valkey://cache.test:1")
    assert "Error 111" in str(error)


def test_deadline_sooner_than_the_connect_timeout_is_named() -> None:
    with Greeter(silent) as server:
        endpoint = Endpoint(host="127.0.0.1", port=server.port, connect_timeout=60.0)
        with pytest.raises(ConnectError, match=r"no answer within 0\.2 s; the deadline has passed"):
            connect.connect(connect.connection(endpoint), endpoint, time.monotonic() + 0.2)
        with pytest.raises(ConnectError, match=r"no answer within 0\.2 s; the deadline has passed"):
            asyncio.run(_aconnected(endpoint, 0.2))


async def _aconnected(endpoint: Endpoint, seconds: float) -> None:
    await connect.aconnect(connect.async_connection(endpoint), endpoint, time.monotonic() + seconds)


def test_failed_connection_leaves_no_socket_open() -> None:
    with Greeter(byte_by_byte(0.01)) as server:
        endpoint = Endpoint(host="127.0.0.1", port=server.port, connect_timeout=0.1)
        opened = [connect.connection(endpoint) for _ in range(3)]
        for each in opened:
            with pytest.raises(ConnectError):
                connect.connect(each, endpoint)
        assert [each._sock for each in opened] == [None] * 3


def test_reads_after_the_greeting_have_no_connect_timeout(server: Server) -> None:
    endpoint = Endpoint(host=server.host, port=server.port, connect_timeout=0.3)
    connection = connect.connection(endpoint)
    connect.connect(connection, endpoint)
    assert type(connection._sock) is socket.socket
    time.sleep(0.4)
    connection.send_command("PING")
    assert connection.read_response() == b"PONG"
    connection.disconnect()


def test_bounded_classes_have_the_names_of_their_originals() -> None:
    for cls in (sync.Connection, sync.SSLConnection, aio.Connection, aio.SSLConnection):
        made = connect.bounded(cls)
        assert (made.__name__, made.__module__) == (cls.__name__, cls.__module__)
        assert issubclass(made, cls)
        assert connect.bounded(made) is made


@pytest.mark.parametrize("host", ["a" * 70, f"{'b' * 64}.example", "..", "c..d"])
@pytest.mark.parametrize("way", WAYS)
def test_invalid_host_name_cannot_be_reached(way: str, host: str) -> None:
    error, _ = refused_in(way, f"valkey://{host}:6379")
    assert "cannot connect" in str(error)


@pytest.mark.parametrize("way", WAYS)
def test_host_name_without_addresses_cannot_be_reached(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", addresses())
    error, _ = refused_in(way, "valkey://cache.test:6379")
    assert "the name has no address" in str(error)


def test_embedded_server_that_starts_slowly_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(shared, "embedded_server", released.wait)
    with pytest.raises(ConnectError, match="valkey-server is starting; the deadline has passed"):
        connect.located(Endpoint(scheme="embedded", host=""), time.monotonic() + 0.1)
    released.set()
