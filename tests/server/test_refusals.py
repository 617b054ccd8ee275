"""Test refusals that a server sends on accepting a connection: they are reported in both modes."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvloop

from dvcache import ConnectError, Container, Settings, UnavailableError
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.handshake_servers import Greeter, refusing
from tests.support.servers import Server

DENIED = b"-DENIED Valkey is running in protected mode because protected mode is enabled\r\n"
FULL = b"-ERR max number of clients reached\r\n"

WAYS = ["sync", "async", "own sync pool", "own async pool"]
GREETINGS: dict[str, dict[str, Any]] = {
    "library": {},
    "password": {"PASSWORD": "s3cr3t"},
    "database": {"CONNECTION_POOL_KWARGS": {"lib_name": None, "lib_version": None, "client_name": "n"}},
    "resp3": {"CONNECTION_POOL_KWARGS": {"protocol": 3}},
}


def get(way: str, location: str, **options: Any) -> object:
    own = {
        "own sync pool": {"CONNECTION_POOL_CLASS": OwnPool},
        "own async pool": {"CONNECTION_POOL_CLASS": OwnAsyncPool},
    }
    with Container(Settings.parse({"LOCATION": location, "OPTIONS": {**own.get(way, {}), **options}})) as container:
        if "async" not in way:
            return container.cache().get("k", "nothing")
        return asyncio.run(_get(container))


async def _get(container: Container) -> object:
    return await container.async_cache().get("k", "nothing")


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("greeting", GREETINGS)
@pytest.mark.parametrize("way", WAYS)
def test_protected_mode_is_reported_in_the_servers_words(way: str, greeting: str, reset: bool) -> None:
    for _ in range(5):  # which write fails, and whether one does, depends on timing
        with Greeter(refusing(DENIED, reset=reset)) as server, pytest.raises(ConnectError) as caught:
            get(way, f"valkey://127.0.0.1:{server.port}/1", **GREETINGS[greeting])
        assert "DENIED Valkey is running in protected mode" in str(caught.value)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("greeting", GREETINGS)
@pytest.mark.parametrize("way", WAYS)
def test_server_with_too_many_clients_is_unavailable(way: str, greeting: str, reset: bool) -> None:
    for _ in range(5):
        with (
            Greeter(refusing(FULL, reset=reset)) as server,
            pytest.raises(UnavailableError, match="max number of clients"),
        ):
            get(way, f"valkey://127.0.0.1:{server.port}/1", **GREETINGS[greeting])


def late(connection: socket.socket, ended: threading.Event) -> None:
    """Refuse after the client has written, and reset the connection."""
    assert not ended.is_set()
    connection.recv(1)
    connection.sendall(FULL)


@pytest.mark.parametrize("way", WAYS)
def test_refusal_after_a_write_is_reported(way: str) -> None:
    with Greeter(late) as server, pytest.raises(UnavailableError, match="max number of clients"):
        get(way, f"valkey://127.0.0.1:{server.port}/1")


@pytest.fixture
def full_server() -> Iterator[Server]:
    """Start a real server that accepts one client, and connect one."""
    with Server() as server:
        server.raw("CONFIG", "SET", "maxclients", "1")
        yield server


@pytest.mark.parametrize("greeting", GREETINGS)
@pytest.mark.parametrize("way", WAYS)
def test_full_real_server_is_unavailable(way: str, greeting: str, full_server: Server) -> None:
    for location in (full_server.url(1), full_server.unix_url(1)):
        for _ in range(10):
            with pytest.raises(UnavailableError, match="max number of clients"):
                get(way, location, **GREETINGS[greeting])


@pytest.mark.parametrize("way", WAYS)
def test_full_server_is_ignored_with_ignored_exceptions(way: str, full_server: Server) -> None:
    assert get(way, full_server.url(), IGNORE_EXCEPTIONS=True) == "nothing"


@pytest.mark.parametrize("way", WAYS)
def test_unknown_command_of_an_old_server_is_not_reported_as_a_refusal(way: str) -> None:
    def answer(connection: socket.socket, ended: threading.Event) -> None:
        assert not ended.is_set()
        connection.recv(4096)
        connection.sendall(b"-ERR unknown command `CLIENT`, with args beginning with: `SETINFO`, \r\n" * 2)

    with Greeter(answer) as server, pytest.raises(ConnectError) as caught:
        get(way, f"valkey://127.0.0.1:{server.port}/1")
    assert "unknown command" not in str(caught.value)


@pytest.mark.parametrize("count", [1, 3])
def test_refusal_is_reported_if_the_greeting_sent_nothing(count: int, full_server: Server) -> None:
    unasked = {"CONNECTION_POOL_KWARGS": {"lib_name": None, "lib_version": None}}
    for location in (full_server.url(), full_server.unix_url()):
        with Container(Settings.parse({"LOCATION": location, "OPTIONS": unasked})) as container:
            for _ in range(20):
                with pytest.raises(UnavailableError, match="max number of clients"):
                    container.cache().get_many([f"k{n}" for n in range(count)])


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_refusal_is_reported_on_uvloop(reset: bool) -> None:
    for _ in range(10):
        with (
            Greeter(refusing(FULL, reset=reset)) as server,
            Container(Settings.parse({"LOCATION": f"valkey://127.0.0.1:{server.port}/1"})) as container,
            pytest.raises(UnavailableError, match="max number of clients"),
        ):
            uvloop.run(_get(container))
