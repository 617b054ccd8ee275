"""Test idle connections: TCP keepalive is on, and health_check_interval finds lost ones."""

import asyncio
import socket
import time
from typing import Any

import pytest

from dvcache import Container, ReplyTimeout, Settings
from dvcache.pools import connect
from dvcache.types import Endpoint
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.replication import calls, reset_calls
from tests.support.servers import PASSWORD, DelayProxy, Server, user, wait_until

OPTIONS = [socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT]


def kept_alive(sock: Any) -> list[int]:
    found = [sock.getsockopt(socket.IPPROTO_TCP, option) for option in OPTIONS]
    return [int(bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))), *found]


def sync_socket(endpoint: Endpoint) -> list[int]:
    connection = connect.connection(endpoint)
    connect.connect(connection, endpoint)
    try:
        return kept_alive(connection._sock)
    finally:
        connection.disconnect()


async def async_socket(endpoint: Endpoint) -> list[int]:
    connection = connect.async_connection(endpoint)
    await connect.aconnect(connection, endpoint)
    writer = connection._writer
    assert writer is not None
    found = kept_alive(writer.get_extra_info("socket"))
    writer.transport.abort()
    await asyncio.sleep(0.01)  # the loop closes the socket of TLS a few iterations later
    await connection.disconnect(nowait=True)
    return found


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, [1, 30, 5, 3, 45000]),
        ({"socket_keepalive_options": {socket.TCP_KEEPIDLE: 7}}, [1, 7]),
        ({"socket_keepalive": True}, [1, 30, 5, 3, 45000]),
        ({"socket_keepalive": False}, [0]),
    ],
)
def test_tcp_keepalive_is_set_on_the_socket(mode: str, options: Any, wanted: list[int], server: Server) -> None:
    endpoint = Endpoint(host=server.host, port=server.port, options=options)
    found = sync_socket(endpoint) if mode == "sync" else asyncio.run(async_socket(endpoint))
    assert found[: len(wanted)] == wanted


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_tcp_keepalive_is_set_over_tls_and_on_custom_pools(mode: str, tls_proxy: Any) -> None:
    endpoint = Endpoint(
        scheme="valkeys", host="127.0.0.1", port=tls_proxy.port, options={"ssl_ca_certs": str(tls_proxy.ca_path)}
    )
    found = sync_socket(endpoint) if mode == "sync" else asyncio.run(async_socket(endpoint))
    assert found == [1, 30, 5, 3, 45000]


@pytest.mark.parametrize("pool", [OwnPool, OwnAsyncPool])
def test_keepalive_is_passed_to_custom_pools(pool: Any) -> None:
    endpoint = Settings.parse({"LOCATION": "valkey://h", "OPTIONS": {"CONNECTION_POOL_CLASS": pool}}).endpoints[0]
    source = endpoint.driver
    assert source is not None
    made = (source.make(endpoint) if pool is OwnPool else asyncio.run(source.amake(endpoint))).pool
    assert made.connection_kwargs["socket_keepalive"] is True
    assert made.connection_kwargs["socket_keepalive_options"][socket.TCP_KEEPIDLE] == 30


def checked(location: str, seconds: float, **options: Any) -> Container:
    given = {"CONNECTION_POOL_KWARGS": {"health_check_interval": seconds}, **options}
    return Container(Settings.parse({"LOCATION": location, "OPTIONS": given}))


@pytest.mark.parametrize(("seconds", "pings"), [(0.05, 1), (60.0, 0), (0, 0)])
def test_idle_connection_is_checked_before_use(seconds: float, pings: int, server: Server) -> None:
    with checked(server.url(), seconds) as container:
        cache = container.cache()
        cache.get("k")
        reset_calls(server)
        time.sleep(0.1)
        cache.get("k")
        assert calls(server, "ping") == pings


@pytest.mark.full("waits for slow and hung servers")
def test_health_check_without_an_answer_costs_no_call(server: Server) -> None:
    with DelayProxy(server.port) as proxy, checked(f"valkey://127.0.0.1:{proxy.port}/0", 0.05) as container:
        cache = container.cache()
        cache.set("k", 1)
        hung = proxy.accepted
        proxy.black_hole()
        time.sleep(0.1)
        assert cache.get("k") == 1
        assert proxy.accepted == hung + 1


def test_event_loop_connection_is_checked_while_idle(server: Server) -> None:
    async def rested() -> int:
        await container.async_cache().get("k")
        reset_calls(server)
        await asyncio.to_thread(wait_until, lambda: calls(server, "ping"))
        return calls(server, "ping")

    with checked(server.url(), 0.05) as container:
        assert asyncio.run(rested()) > 0


@pytest.mark.full("waits for slow and hung servers")
def test_event_loop_connection_that_fails_its_health_check_is_replaced(server: Server) -> None:
    async def rested() -> object:
        cache = container.async_cache()
        await cache.set("k", 1)
        hung = proxy.accepted
        proxy.black_hole()
        await asyncio.sleep(1.0)
        found = await cache.get("k")
        assert proxy.accepted == hung + 1
        return found

    with (
        DelayProxy(server.port) as proxy,
        checked(f"valkey://127.0.0.1:{proxy.port}/0", 0.05, SOCKET_TIMEOUT=0.3) as container,
    ):
        assert asyncio.run(rested()) == 1


def test_user_without_ping_permission_is_served(own_server: Server) -> None:
    user(own_server, "nopinger", "+get +set +client|setinfo -ping")
    url = own_server.url(user="nopinger", password=PASSWORD)
    with checked(url, 0.05) as container:
        container.cache().set("k", 1)
        time.sleep(0.1)
        assert container.cache().get("k") == 1


def test_idle_connection_without_a_health_check_waits_for_the_timeout(server: Server) -> None:
    with DelayProxy(server.port) as proxy:
        settings = {"LOCATION": f"valkey://127.0.0.1:{proxy.port}/0", "OPTIONS": {"SOCKET_TIMEOUT": 0.2}}
        with Container(Settings.parse(settings)) as container:
            container.cache().set("k", 1)
            proxy.black_hole()
            with pytest.raises(ReplyTimeout):
                container.cache().incr("k")
            wait_until(lambda: container.cache().get("k") == 1)
