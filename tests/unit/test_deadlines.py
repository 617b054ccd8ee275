"""Test the deadline of a batch: set by the outermost client, passed on by every topology, named in errors."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from dvcache import Container, Settings, deadline
from dvcache.clients import build
from dvcache.clients.build import ServerUse
from dvcache.clients.pool_adapter import with_async_begin, with_begin
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.clients.standalone import Direct
from dvcache.testing import MemoryPoolFactory
from dvcache.types import Batch, Endpoint
from tests.support.recorded_deadlines import AsyncRecording, Recording, ends, result

GET: Batch = (("GET", b"k"),)
PAST = -1.0


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recording(mode: str) -> Callable[..., Any]:
    return Recording if mode == "sync" else AsyncRecording


def direct(mode: str, pool: Any) -> Any:
    """Return the client of one server, with a deadline of 1000 s."""
    runner: Any = Runner if mode == "sync" else AsyncRunner
    return runner(Direct(runner.adapted(pool)), 1000.0)


def test_time_left_is_the_smaller_of_limit_and_deadline() -> None:
    assert deadline.left(None) is None
    assert deadline.left(None, 3) == 3
    assert deadline.left(PAST, 3) == 0
    assert deadline.left(time.monotonic() + 100, 3) == 3
    remaining = deadline.left(time.monotonic() + 100)
    assert remaining is not None
    assert 40 < remaining <= 100


def test_outermost_client_gives_each_batch_its_own_deadline(mode: str, recording: Callable[..., Any]) -> None:
    client = recording()
    limited = direct(mode, client)
    for _ in range(2):
        assert result(limited.execute(GET)) == [b"v"]
    first, second = client.until
    assert ends(first, 1000)
    assert first < second


def test_outermost_client_passes_on_a_given_deadline(mode: str, recording: Callable[..., Any]) -> None:
    client = recording()
    result(direct(mode, client).execute(GET, 5.0))
    assert client.until == [5.0]


@pytest.mark.parametrize("use", [ServerUse(), ServerUse(read_only=True), ServerUse(write_anywhere=True)])
def test_primary_reads_have_a_deadline_too(use: ServerUse, mode: str, recording: Callable[..., Any]) -> None:
    endpoints = [Endpoint(host="primary"), Endpoint(host="replica", role="replica")]
    pools = {endpoint: recording() for endpoint in endpoints}
    made = build.client(Runner if mode == "sync" else AsyncRunner, pools.__getitem__, endpoints, use, 1000.0)
    result(made.primary.execute(GET))
    primary, replica = pools.values()
    assert not replica.until
    assert ends(primary.until[0], 500 if use.write_anywhere else 1000)  # a part of it where another may follow


@pytest.mark.parametrize("topology", ["standalone", "replicas", "shards"])
def test_every_topology_passes_the_deadline_to_its_pools(topology: str, mode: str) -> None:
    seen: list[float | None] = []

    class Factory(MemoryPoolFactory):
        def pool(self, endpoint: Endpoint, /) -> Any:
            return watched(super().pool(endpoint))

        def async_pool(self, endpoint: Endpoint, /) -> Any:
            return watched(super().async_pool(endpoint))

    def watched(pool: Any) -> Any:
        execute = pool.execute

        def noted(batch: Batch, until: float | None = None, /) -> Any:
            seen.append(until)
            return execute(batch, until)

        pool.execute = noted
        return pool

    location: Any = {
        "standalone": "valkey://one",
        "replicas": ["valkey://one", "valkey://two"],
        "shards": ["valkey://one", "valkey://two"],
    }[topology]
    options: dict[str, Any] = {"DEADLINE": 1000}
    if topology == "shards":
        options["CLIENT_CLASS"] = "django_valkey.client.sharded.ShardClient"
    with Container(Settings.parse({"LOCATION": location, "OPTIONS": options}), pool_factory=Factory()) as container:
        cache: Any = container.cache() if mode == "sync" else container.async_cache()
        result(cache.set_many({f"k{n}": n for n in range(30)}))
        assert result(cache.get_many([f"k{n}" for n in range(30)])) == {f"k{n}": n for n in range(30)}
    assert seen
    now = time.monotonic()
    assert all(each is not None and now < each <= now + 1000 for each in seen)  # a replica has a share of the time


def test_custom_pool_that_takes_only_the_batch_is_used_as_it_is() -> None:
    class OneArgument:
        begun = False

        def execute(self, batch: Batch, /) -> list[Any]:
            return [command[0] for command in batch]

        def begin(self, _: Batch, /) -> None:
            self.begun = True

        def close(self) -> None:
            pass

    pool = OneArgument()
    for adapted in (with_begin(pool), with_async_begin(pool)):
        pool.begun = False
        assert adapted.execute(GET, 5.0) == ["GET"]
        assert adapted.begin(GET, 5.0) is None
        assert pool.begun


def test_pool_is_adapted_only_if_it_lacks_an_optional_method() -> None:
    class Begins(Recording):
        def begin(self, _: Batch, _until: float | None = None, /) -> None:
            pass

    class Connects(Begins):
        def connects(self) -> bool:
            return True

    lacking, begins, connects = Recording(), Begins(), Connects()
    assert with_begin(connects) is connects
    assert with_async_begin(begins) is begins
    assert with_begin(begins) is not begins
    assert not with_begin(begins).connects()
    for adapted in (with_begin(lacking), with_async_begin(lacking)):
        assert adapted.begin(GET, 5.0) is None
        assert adapted.execute(GET, 5.0) == [b"v"]
    assert lacking.until == [5.0, 5.0]
