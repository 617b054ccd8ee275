"""IGNORE_EXCEPTIONS on a server that hangs: nobody waits for it but the first, and it is used again once it answers."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dvcache import Container, Settings
from dvcache.clients.resilient import REST
from tests.servers import Server, wait_until

DEADLINE = 1.0


@contextmanager
def getter(server: Server, colour: str) -> Iterator[tuple[Container, Callable[[str], object]]]:
    """A container on the server, and a function that gets one entry."""
    options = {"IGNORE_EXCEPTIONS": True, "SOCKET_TIMEOUT": DEADLINE}
    with Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options})) as container:
        server.raw("SET", ":1:k", 7)
        if colour == "sync":
            yield container, container.cache().get
            return
        with asyncio.Runner() as runner:
            yield container, lambda key: runner.run(container.async_cache().get(key))


@pytest.mark.full("waits for slow and hung servers")
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "unconnected"])
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_twenty_gets_of_a_server_that_hangs_take_less_than_two_deadlines(
    own_server: Server, colour: str, connected: bool
) -> None:
    with getter(own_server, colour) as (container, get):
        if connected:
            assert get("k") == 7
        else:
            container.cache()._client.client.pool._pool._drop_free()  # type: ignore[attr-defined]  # as after a rest
        with own_server.paused():
            began = time.monotonic()
            assert [get("k") for _ in range(20)] == [None] * 20
            assert time.monotonic() - began < 2 * DEADLINE
        wait_until(lambda: get("k") == 7, REST + 5)
    errors: dict[str, Any] = {name: count for (_, name), count in container.ignored_errors().items()}
    assert errors.pop("CircuitOpenError") >= 19
    assert sum(errors.values()) == 1
