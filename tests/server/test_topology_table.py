"""Test the table of operations and topologies: every operation behaves on each as the table says."""

import inspect
import itertools
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from typing_extensions import override

from django_valkey._methods.generated.clusters import Clusters
from dvcache import Cache, NotSupportedError, Settings
from dvcache.container import Container
from dvcache.protocols import Pool
from dvcache.routing.ring import Ring
from dvcache.routing.slots import slot
from dvcache.testing import MemoryPoolFactory
from dvcache.testing.conformance import wired
from dvcache.types import Batch, Endpoint
from tests.docs.test_tables import DOCS, names, rows
from tests.support.clusters import Cluster
from tests.support.shards import Shards
from tests.support.topology_calls import CALLS

PAGE: Final = DOCS / "topologies.md"
CELLS: Final = {re.sub(r"`", "", row[0]): row[1:] for row in rows(PAGE, "Operations")}
TOGETHER: Final = {"cluster": "keys in one hash slot", "shards": "keys on one server"}
PLACES: Final = ["cluster", "shards"]


def outcome(cache: Any, name: str, a: str, b: str) -> object:
    """Return the operation's result for two keys, and their contents afterwards."""
    kind, call = CALLS[name]
    cache.clear()
    kind.store(cache, a, b)
    returned = call(cache, a, b)
    if isinstance(returned, dict):
        returned = [returned.get(key) for key in (a, b)] if {a, b} & {*returned} else returned
    return returned, [kind.read(cache, key) for key in (a, b)]


@pytest.fixture(scope="module")
def alone() -> Iterator[Cache]:
    """A single server, whose results are the expected ones."""
    with wired("sync", "memory://alone") as make_cache:
        yield make_cache()


@pytest.fixture(scope="module")
def locations(shared_cluster: Cluster, shared_shards: Shards) -> dict[str, tuple[list[str], dict[str, Any]]]:
    shared_cluster.restore()
    shared_shards.restore()
    return {"cluster": (shared_cluster.urls(), {"CLUSTER": True}), "shards": (shared_shards.urls, {"SHARDED": True})}


@pytest.fixture(scope="module", params=itertools.product(PLACES, ["sync", "async"]), ids=" ".join)
def place(request: pytest.FixtureRequest, locations: Any) -> Iterator[tuple[str, Cache, tuple[str, str]]]:
    """A topology, a cache of one mode on it, and two keys on different servers."""
    name, mode = request.param
    location, options = locations[name]
    ring = Ring(location)
    where = slot if name == "cluster" else ring.owner
    apart = next(key for key in map(str, range(99)) if where(f":1:{key}".encode()) != where(b":1:a"))
    with wired(mode, location) as make_cache:
        yield name, make_cache(OPTIONS=options), ("a", apart)


@pytest.mark.parametrize("name", CALLS)
def test_every_operation_behaves_as_the_table_says(place: Any, alone: Cache, name: str) -> None:
    topology, cache, (a, b) = place
    cell = CELLS[name][1 + PLACES.index(topology)]
    if cell != TOGETHER[topology]:
        assert outcome(cache, name, a, b) == outcome(alone, name, a, b)
        return
    with pytest.raises(NotSupportedError, match=rf"{name.upper()}: .*:1:.*braces") as caught:
        outcome(cache, name, a, b)
    assert all(f":1:{key}" in str(caught.value) for key in (a, b))
    assert outcome(cache, name, "{t}a", "{t}b") == outcome(alone, name, "a", "b")


class Watched(MemoryPoolFactory):
    """A factory whose pools record the roles that were used."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    @override
    def pool(self, endpoint: Endpoint, /) -> Pool:
        pool = super().pool(endpoint)
        perform = pool.execute

        def execute(batch: Batch, _until: float | None = None, /) -> Any:
            self.asked.add(endpoint.role)
            return perform(batch)

        pool.execute = execute  # type: ignore[method-assign]  # this pool alone
        return pool


@pytest.mark.parametrize("name", CALLS)
def test_table_names_the_server_of_each_operation_with_replicas(name: str) -> None:
    watched = Watched()
    settings = Settings.parse({"LOCATION": ["valkey://primary", "valkey://replica"]})
    with Container(settings, pool_factory=watched) as container:
        cache = container.cache()
        kind, call = CALLS[name]
        kind.store(cache, "a", "b")
        watched.asked.clear()
        call(cache, "a", "b")
    assert CELLS[name][0] == " and ".join(sorted(watched.asked))


def test_every_operation_has_a_row_and_a_call() -> None:
    methods = {name for name, _ in inspect.getmembers(Cache, callable) if not name.startswith("_")}
    silent = {"make_key", "original_key", "with_options"}
    assert {*CELLS} == {*CALLS} == methods - silent


def test_cluster_methods_have_rows_of_their_own() -> None:
    beside = {name for name in vars(Clusters) if not name.startswith("_")} - {"keys", "mset"}
    assert {*names(PAGE, "Cluster only")} == beside
