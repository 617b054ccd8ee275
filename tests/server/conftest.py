"""Fixtures of tests against a real server."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
import uvloop

from dvcache.pools.sync_pool import SyncPool
from dvcache.protocols import Pool
from dvcache.types import Endpoint
from tests.support.clusters import Cluster
from tests.support.herd_processes import Herd, Kind, herd_of
from tests.support.herd_scenarios import Ground, Place, Topology, place_of
from tests.support.redis_server import REDIS, RedisServer
from tests.support.sentinels import SentinelFleet
from tests.support.servers import NO_SCRIPTS_USER, Server, user
from tests.support.shards import Shards


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[..., object]:
    """Return a function that runs a coroutine to its end on its own event loop."""
    runner: Callable[..., object] = request.param
    return runner


@pytest.fixture
def real(server: Server) -> Iterator[Pool]:
    """A pool of the session's server."""
    pool = SyncPool(Endpoint(host="127.0.0.1", port=server.port))
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[Server]:
    """Start a Redis for the module, with the user `NO_SCRIPTS_USER`."""
    if not REDIS:
        pytest.skip("needs redis-server in PATH (Debian's package redis-server)")
    with RedisServer() as server:
        user(server, NO_SCRIPTS_USER, "+@all -eval -evalsha")
        yield server


@pytest.fixture(scope="module")
def lagging_fleet() -> Iterator[SentinelFleet]:
    with SentinelFleet(lagging=2) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The servers of a herd's entries; parametrized by a topology."""
    topology: Topology = request.param
    ground: Ground = request.getfixturevalue(_ground_of(topology))
    if isinstance(ground, Cluster | Shards):
        ground.restore()
    with place_of(topology, ground) as place:
        yield place


def _ground_of(topology: Topology) -> str:
    """Name the fixture of a topology's servers."""
    if "cluster" in topology:
        return "shared_cluster"
    return {"standalone": "shared_server", "shards": "shared_shards"}.get(topology, "lagging_fleet")


@pytest.fixture(scope="module", params=["threads", "tasks"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """The kind of a herd's callers."""
    kind: Kind = request.param
    return kind


@pytest.fixture(scope="module")
def herd(kind: Kind, place: Place, shared_server: Server) -> Iterator[Herd]:
    """Processes of callers of a place."""
    with herd_of(place.entry, kind, shared_server) as herd:
        yield herd
