"""Test changes in a slot whose migration takes longer than a caller waits."""

from collections.abc import Iterator
from typing import Any

import pytest

from dvcache.errors import TryAgainError
from dvcache.routing.slots import slot
from dvcache.testing.conformance import wired
from tests.support.clusters import Cluster, on_cluster
from tests.support.servers import wait_until

TAG = "a"

PATIENCE = {"SOCKET_TIMEOUT": 0.3}

POLICIES: dict[str, dict[str, Any]] = {"plain": {}, "herd": {"HERD": {"timeout": 100}}}


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Any]:
    with wired(request.param, cluster.urls()) as make_cache:
        yield on_cluster(make_cache)


@pytest.fixture(params=POLICIES)
def cache(request: pytest.FixtureRequest, make: Any) -> Any:
    return make(OPTIONS=PATIENCE | POLICIES[request.param])


@pytest.fixture
def halfway(cluster: Cluster, cache: Any) -> Iterator[None]:
    """Start the migration of a slot with an entry on either node; the test ends before the migration."""
    owner = cluster.owner(slot(TAG))
    away = next(node for node in cluster.primaries if node is not owner)
    for name in ("here", "there"):
        cache.set(f"{{{TAG}}}{name}", 1)
    with cluster.moving(slot(TAG), away) as moved:
        moved(f":1:{{{TAG}}}there".encode())
        yield
    cluster.move(slot(TAG), owner)
    wait_until(cluster.is_whole, 20)


@pytest.mark.usefixtures("halfway")
def test_entries_in_a_migrating_slot_are_counted_changed_and_moved_singly(cache: Any) -> None:
    here, there, new = (f"{{{TAG}}}{name}" for name in ("here", "there", "new"))
    assert [cache.incr(here), cache.incr(there)] == [2, 2]
    assert [cache.add(here, 5), cache.add(new, 5)] == [False, True]
    assert cache.get_or_set(f"{new}er", lambda: 6) == cache.get(f"{new}er") == 6
    assert cache.touch(there, 50)
    assert 45 < cache.ttl(there) <= 50
    assert cache.incr_version(here) == 2
    assert cache.get_many([here, there, new]) == {there: 2, new: 5}
    assert cache.get(here, version=2) == 2


@pytest.mark.usefixtures("halfway")
def test_atomic_change_in_a_migrating_slot_is_an_error_and_changes_nothing(cache: Any) -> None:
    sets = [f"{{{TAG}}}set{n}" for n in range(2)]
    for name in sets:
        cache.sadd(name, 1)
    with pytest.raises(TryAgainError):
        cache.sunionstore(f"{{{TAG}}}union", *sets)
    assert not cache.has_key(f"{{{TAG}}}union")
