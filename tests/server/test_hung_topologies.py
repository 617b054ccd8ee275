"""Test that the deadline alone ends calls of hung servers, on every topology, without a timeout."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hung_servers import TOPOLOGIES, WARM, World, caller, calls, fault, world

pytestmark = pytest.mark.full("waits for slow and hung servers")

DEADLINE = 0.5
CALLS = {"sync": calls("")[:3], "async": calls("")[2:5]}
"""Kinds of calls made in each mode; each call costs a deadline."""
PATIENCE = 30.0
"""Seconds after which a call counts as endless."""


@pytest.fixture(scope="module", params=TOPOLOGIES)
def shared_servers(request: pytest.FixtureRequest) -> Iterator[World]:
    with world(request.param) as servers:
        yield servers


@pytest.fixture
def servers(shared_servers: World) -> World:
    shared_servers.restore()
    return shared_servers


def settings(servers: World, instead: tuple[str, int] | None = None, **options: Any) -> Any:
    unbounded = {"socket_timeout": None, "socket_connect_timeout": None}
    return servers.settings(instead, DEADLINE=DEADLINE, CONNECTION_POOL_KWARGS=unbounded, **options)


def ended(work: Any) -> list[float]:
    """Return the durations of calls, all of which must end."""
    found: list[list[float]] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert found, f"no end within {PATIENCE:g} s"
    return found[0]


@pytest.mark.parametrize(("mode", "ignores"), [("sync", False), ("async", True)], ids=["sync", "async ignoring"])
def test_hung_servers_end_every_call_at_the_deadline(servers: World, mode: str, ignores: bool) -> None:
    def work() -> list[float]:
        with caller(settings(servers, IGNORE_EXCEPTIONS=ignores), mode) as call:
            call(WARM)
            with fault(servers, "all hung", 0):
                return call(CALLS[mode])

    assert max(ended(work)) < 10


@pytest.mark.parametrize(("mode", "name"), [("sync", "connect black-holed"), ("async", "greeting byte by byte")])
def test_unreachable_servers_end_every_call_at_the_deadline(servers: World, mode: str, name: str) -> None:
    def work() -> list[float]:
        with fault(servers, name, 1) as instead, caller(settings(servers, instead), mode) as call:
            return call(CALLS[mode])

    assert max(ended(work)) < 10
