"""Test that a replica too far behind its primary is ejected until it has caught up."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dvcache import Container, Settings
from dvcache.routing.replica_balancer import RUN
from dvcache.routing.replica_lag import MAX_LAG
from tests.support.topologies import Replication, calls, reset_calls

pytestmark = pytest.mark.full("waits for a replica to fall behind: 7 s")


@pytest.fixture(scope="module")
def lagging() -> Iterator[Replication]:
    with Replication(lagging=1) as replication:
        yield replication


@pytest.fixture(params=["sync", "async"])
def use(request: pytest.FixtureRequest, lagging: Replication) -> Iterator[Callable[..., Any]]:
    """Call a method of a cache on the primary and its replicas, the last of which has a slow link."""
    with Container(Settings.parse({"LOCATION": lagging.urls(0)})) as container, asyncio.Runner() as runner:
        if request.param == "sync":
            yield lambda name, *args: getattr(container.cache(), name)(*args)
        else:
            yield lambda name, *args: runner.run(getattr(container.async_cache(), name)(*args))
        lagging.link.delay = 0.0


def test_replica_that_lags_is_ejected_and_used_again(use: Callable[..., Any], lagging: Replication) -> None:
    prompt, slow = lagging.replicas
    lagging.link.delay = 4 * MAX_LAG
    until = time.monotonic() + 2 * MAX_LAG + 1.5
    turn = 0
    while time.monotonic() < until:
        use("set", "turn", turn)
        use("get", "turn")
        turn += 1
        time.sleep(0.02)
    reset_calls(prompt, slow)
    for _ in range(4 * RUN):
        use("set", "turn", turn)
        assert use("get", "turn") is not None
    assert calls(slow, "get") <= 1  # a probe after its ejection, whose answer no caller gets
    assert calls(prompt, "get") > RUN

    lagging.link.delay = 0.0
    until = time.monotonic() + 60
    while not calls(slow, "get"):
        assert time.monotonic() < until, "the replica was never asked again"
        for _ in range(2 * RUN):
            use("get", "turn")
        time.sleep(0.2)
