"""Test replies that no command of a sync pool awaits, and values that the server refuses."""

import socket
import threading
import time
from typing import Any

import pytest

from dvcache import Container, Settings
from dvcache.errors import ServerError, TransportError
from tests.support.scripted_replies import Speaker, command, greeted
from tests.support.servers import Server
from tests.support.sync_pool_limits import HOW, PING, pool_of

pytestmark = pytest.mark.full("waits for slow and hung servers")


def test_refused_value_costs_its_caller_alone(server: Server) -> None:
    limit = int(server.raw("CONFIG", "GET", "proto-max-bulk-len")[1])
    server.raw("CONFIG", "SET", "proto-max-bulk-len", 1_048_576)
    try:
        pool = pool_of(server.port, max_connections=1)
        pool.execute((("SET", "n", 1),))
        for size in (1_100_000, 40_000_000):
            [refused] = pool.execute((("SET", "big", b"x" * size),))
            assert isinstance(refused, ServerError)
            assert "Protocol error" in str(refused)
            assert pool.execute((("INCRBY", "n", 1),))[0] > 1
        replies = pool.execute((("INCRBY", "n", 1), ("SET", "big", b"x" * 1_100_000), ("INCRBY", "n", 1)))
        assert [type(each) is not int for each in replies][1:] == [True, True]
        assert pool.execute((("GET", "n"),)) == [b"4"]
        pool.close()
    finally:
        server.raw("CONFIG", "SET", "proto-max-bulk-len", limit)


def test_unexpected_reply_on_an_idle_connection_is_dropped() -> None:
    said = threading.Event()

    def talk(sock: socket.socket, number: int) -> None:
        greeted(sock)
        while data := command(sock):
            sock.sendall(b"$%d\r\n%b\r\n" % (len(str(number)), str(number).encode()) * data.count(b"GET"))
            if number == 0:
                time.sleep(0.002)
                sock.sendall(b"$5\r\nstray\r\n")
                said.set()

    with Speaker(talk) as server:
        pool = pool_of(server.port)
        assert pool.execute((("GET", "k"),)) == [b"0"]
        said.wait(5)
        time.sleep(0.01)
        assert pool.execute((("GET", "k"),)) == [b"1"]
        assert pool.execute((("GET", "k"), ("GET", "k"))) == [b"1", b"1"]
        pool.close()


@pytest.mark.parametrize("how", HOW)
def test_surplus_reply_closes_its_connection(how: str) -> None:
    def talk(sock: socket.socket, number: int) -> None:
        greeted(sock)
        while command(sock):
            sock.sendall(b"+OK\r\n" if number else b"+OK\r\n+EXTRA\r\n")

    with Speaker(talk) as server:
        pool = pool_of(server.port)
        with pytest.raises(TransportError, match="more replies than commands"):
            HOW[how](pool)
        assert pool.execute(PING) == [b"OK"]
        pool.close()


def test_pushes_between_replies_of_sync_calls_are_dropped(server: Server) -> None:
    """CLIENT TRACKING by a connect function, while another connection writes the keys being read."""

    def track(connection: Any) -> None:
        connection.on_connect()
        connection.send_command("CLIENT", "TRACKING", "ON", "BCAST")
        connection.read_response()

    settings = {"valkey_connect_func": track, "protocol": 3}
    entry = {"LOCATION": server.url(), "OPTIONS": {"CONNECTION_POOL_KWARGS": settings}}
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            writer.execute((("SET", f"w{number % 50}", number),))

    writer = pool_of(server.port)
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        cache.set_many({f"k{number}": number for number in range(50)})
        thread = threading.Thread(target=write)
        thread.start()
        try:
            assert all(cache.get(f"k{number % 50}") == number % 50 for number in range(3000))
        finally:
            over.set()
            thread.join()
    writer.close()
