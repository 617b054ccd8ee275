"""Test many keys at once against a dict: on a cluster and on shards, in both modes and with both policies."""

from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvcache import Cache
from dvcache.testing.conformance import wired
from tests.support.clusters import Cluster
from tests.support.shards import Shards

pytestmark = pytest.mark.full("random commands for 10 s")

Step: TypeAlias = tuple[str, tuple[Any, ...], int]
"""An operation, its arguments, and a version."""

NAMES = st.sampled_from([*"abcdefg", "aa", "{a}1", "{a}2", "a{b}", "{a}{b}", "{}", "{", "a b", "", "ключ"])
LISTS = st.lists(NAMES, max_size=12)
DATA = st.dictionaries(NAMES, st.one_of(st.integers(), st.text(max_size=3)), max_size=8)
ARGUMENTS = {
    **dict.fromkeys(["set_many", "mset"], st.tuples(DATA)),
    **dict.fromkeys(["get_many", "mget", "delete_many"], st.tuples(LISTS)),
    **dict.fromkeys(["keys", "delete_pattern"], st.tuples(st.sampled_from(["*", "a*", "[ab]"]))),
    **dict.fromkeys(["incr_version", "delete"], st.tuples(NAMES)),
    **dict.fromkeys(["set", "add"], st.tuples(NAMES, st.integers())),
}
STEPS = st.lists(
    st.sampled_from([*ARGUMENTS]).flatmap(
        lambda name: st.tuples(st.just(name), ARGUMENTS[name], st.integers(1, 2)),
    ),
    max_size=12,
)


class Model:
    """A model with one dictionary for each version."""

    def __init__(self) -> None:
        self.versions: dict[int, dict[str, object]] = {1: {}, 2: {}, 3: {}}

    def set_many(self, data: dict[str, object], version: int) -> list[str]:
        self.versions[version] |= data
        return []

    def mset(self, data: dict[str, object], version: int) -> bool:
        return not self.set_many(data, version)

    def get_many(self, keys: list[str], version: int) -> dict[str, object]:
        here = self.versions[version]
        return {key: here[key] for key in keys if key in here}

    mget = get_many

    def delete_many(self, keys: Collection[str], version: int) -> int:
        return sum(self.delete(key, version) for key in keys)

    def delete_pattern(self, pattern: str, version: int) -> int:
        return self.delete_many(self.keys(pattern, version), version)

    def keys(self, pattern: str, version: int) -> list[str]:
        return sorted(key for key in self.versions[version] if fnmatch(key, pattern))

    def set(self, key: str, value: object, version: int) -> bool:
        self.versions[version][key] = value
        return True

    def add(self, key: str, value: object, version: int) -> bool:
        return key not in self.versions[version] and self.set(key, value, version)

    def delete(self, key: str, version: int) -> bool:
        return self.versions[version].pop(key, None) is not None

    def incr_version(self, key: str, version: int) -> int:
        if key not in self.versions[version]:
            raise ValueError
        self.versions[version + 1][key] = self.versions[version].pop(key)
        return version + 1


def outcome(cache: Any, step: Step) -> object:
    name, arguments, version = step
    try:
        found = getattr(cache, name)(*arguments, version=version)
    except ValueError:
        return ValueError
    return sorted(found) if name == "keys" else found


@pytest.fixture(scope="module")
def places(shared_cluster: Cluster, shared_shards: Shards) -> dict[str, tuple[list[str], dict[str, Any]]]:
    shared_cluster.restore()
    shared_shards.restore()
    return {"cluster": (shared_cluster.urls(), {"CLUSTER": True}), "shards": (shared_shards.urls, {"SHARDED": True})}


@pytest.fixture(
    params=[  # each pair of two of the three
        *(("sync", "cluster", False), ("sync", "shards", True), ("async", "cluster", True), ("async", "shards", False))
    ],
    ids=str,
)
def cache(request: pytest.FixtureRequest, places: Any) -> Iterator[Cache]:
    mode, place, herd = request.param
    location, options = places[place]
    with wired(mode, location) as make_cache:
        yield make_cache(OPTIONS={**options, "HERD": herd})


@given(steps=STEPS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_keys_on_several_servers_behave_as_in_one_dict(cache: Cache, steps: list[Step]) -> None:
    cache.clear()
    model = Model()
    for step in steps:
        assert outcome(cache, step) == outcome(model, step), step
    for version, left in model.versions.items():
        assert cache.get_many([*left, "none"], version=version) == left
