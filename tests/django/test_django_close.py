"""Test CLOSE_CONNECTION: the end of a request closes idle connections and none with a command in flight."""

import asyncio
import threading
from typing import Any

import pytest
from django.core.cache import caches
from django.core.signals import request_finished
from django.test.utils import override_settings

from django_valkey import get_valkey_connection
from tests.django.conftest import NAMED, Configure, connections
from tests.support.servers import Server

pytestmark = pytest.mark.usefixtures("raw_pools")


@pytest.mark.parametrize("way", ["option", "global setting", "off", "off for this alias"])
def test_connections_close_at_the_end_of_the_request_if_configured(
    way: str, server: Server, configured: Configure
) -> None:
    own = {"option": {"CLOSE_CONNECTION": True}, "off for this alias": {"CLOSE_CONNECTION": False}}.get(way, {})
    globally = way in {"global setting", "off for this alias"}
    with (
        override_settings(DJANGO_VALKEY_CLOSE_CONNECTION=globally),
        configured(server.url(), OPTIONS={**NAMED, **own}),
    ):
        cache = caches["default"]
        for number in range(2):
            assert cache.set("a", number)
            assert cache.client.get_client().ping()
            assert connections(server) == 2  # the cache's, and the raw client's
            request_finished.send(sender=None)
            if way.startswith("off"):
                assert connections(server) == 2
            else:
                server.wait_until(lambda: connections(server) == 0)


OWN_POOL = {"CONNECTION_POOL_CLASS": "tests.support.custom_pools.OwnBlockingPool"}


@pytest.mark.parametrize("options", [{}, OWN_POOL], ids=["lean", "own pool"])
def test_command_in_another_thread_finishes_before_its_connection_closes(
    options: dict[str, Any], server: Server, configured: Configure
) -> None:
    with configured(server.url(), OPTIONS={**NAMED, **options, "CLOSE_CONNECTION": True}):
        caches["default"].set("n", 1)
        answers: list[object] = []
        with server.paused():
            # a lost command is repeated only if that is safe, which an increment is not
            counter = threading.Thread(target=lambda: answers.append(caches["default"].incr("n")))
            counter.start()
            counter.join(0.1)
            for _ in range(5):
                caches["default"].close()
        counter.join()
        assert answers == [2]
        caches["default"].close()
        server.wait_until(lambda: connections(server) == 0)


def test_raw_client_blocking_in_another_thread_is_not_disconnected(server: Server, configured: Configure) -> None:
    pool = {**NAMED, "CONNECTION_POOL_CLASS": "valkey.BlockingConnectionPool", "CLOSE_CONNECTION": True}
    with configured(server.url(), OPTIONS=pool):
        popped: list[object] = []
        raw = get_valkey_connection()
        popper = threading.Thread(target=lambda: popped.append(raw.blpop("queue", timeout=10)))
        popper.start()
        server.wait_until(lambda: server.info("clients")["blocked_clients"] == "1")
        caches["default"].close()
        server.raw("RPUSH", "queue", "it")
        popper.join()
        assert popped == [(b"queue", b"it")]
        caches["default"].close()
        server.wait_until(lambda: connections(server) == 0)


@pytest.mark.parametrize("backend", ["cache.ValkeyCache", "async_cache.cache.AsyncValkeyCache"])
def test_event_loop_connection_closes_when_nothing_is_in_flight(
    backend: str, server: Server, configured: Configure
) -> None:
    options = {**NAMED, "CLOSE_CONNECTION": True}

    async def scenario() -> None:
        cache: Any = caches["default"]
        await cache.aset("n", 1)
        with server.paused():
            counting = asyncio.create_task(cache.aincr("n"))
            await asyncio.sleep(0.05)
            await asyncio.to_thread(cache.close)
            await asyncio.sleep(0.05)
        assert await counting == 2
        assert connections(server) == 1
        await cache.aclose()
        await asyncio.to_thread(server.wait_until, lambda: connections(server) == 0)
        assert await cache.aget("n") == 2

    with configured(server.url(), BACKEND=f"django_valkey.{backend}", OPTIONS=options):
        asyncio.run(scenario())
