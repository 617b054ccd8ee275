"""Many keys at once against a dict: on a cluster and on shards, in both colours, plainly and with the herd policy."""

import itertools
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvcache import Cache
from dvcache.testing.conformance import wired
from tests.clusters import Cluster
from tests.shards import Shards

Model: TypeAlias = dict[tuple[int, str], object]
"""Values by version and key."""

Step: TypeAlias = tuple[str, Any, int]
"""An operation, what it is given, and a version."""

NAMES = st.sampled_from(["a", "b", "c", "aa", "ab", "{a}b", "b{a}", "é", "a b", ""])
LISTS = st.lists(NAMES, max_size=12)
DATA = st.dictionaries(NAMES, st.one_of(st.integers(), st.text(max_size=3)), max_size=8)
VERSIONS = st.integers(1, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["set_many", "mset"]), DATA, VERSIONS),
        st.tuples(st.sampled_from(["get_many", "mget", "delete_many"]), LISTS, VERSIONS),
        st.tuples(st.sampled_from(["keys", "delete_pattern"]), st.sampled_from(["*", "a*", "[ab]"]), VERSIONS),
        st.tuples(st.just("incr_version"), NAMES, VERSIONS),
    ),
    max_size=10,
)


def wanted(model: Model, step: Step) -> object:
    """Perform the step on the model and return what a cache is to return."""
    name, argument, version = step
    here = {key: value for (at, key), value in model.items() if at == version}
    if name in {"set_many", "mset"}:
        model.update({(version, key): value for key, value in argument.items()})
        return [] if name == "set_many" else True
    if name in {"get_many", "mget"}:
        return {key: here[key] for key in argument if key in here}
    if name == "incr_version":
        if argument not in here:
            return ValueError
        model[version + 1, argument] = model.pop((version, argument))
        return version + 1
    found = set(argument) & {*here} if name == "delete_many" else {key for key in here if fnmatch(key, argument)}
    if name == "keys":
        return sorted(found)
    for key in found:
        del model[version, key]
    return len(found)


def returned(cache: Cache, step: Step) -> object:
    name, argument, version = step
    try:
        found = getattr(cache, name)(argument, version=version)
    except ValueError:
        return ValueError
    return sorted(found) if name == "keys" else found


@pytest.fixture(scope="module")
def places(shared_cluster: Cluster, shared_shards: Shards) -> dict[str, tuple[list[str], dict[str, Any]]]:
    shared_cluster.restore()
    shared_shards.restore()
    return {"cluster": (shared_cluster.urls(), {"CLUSTER": True}), "shards": (shared_shards.urls, {"SHARDED": True})}


@pytest.fixture(params=itertools.product(["sync", "async"], ["cluster", "shards"], [False, True]), ids=str)
def cache(request: pytest.FixtureRequest, places: Any) -> Iterator[Cache]:
    colour, place, herd = request.param
    location, options = places[place]
    with wired(colour, location) as make_cache:
        yield make_cache(OPTIONS={**options, "HERD": herd})


@given(steps=STEPS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_keys_on_several_servers_are_as_in_one_dict(cache: Cache, steps: list[Step]) -> None:
    cache.clear()
    model: Model = {}
    for step in steps:
        assert returned(cache, step) == wanted(model, step), step
    for version in (1, 2, 3):
        left = {key: value for (at, key), value in model.items() if at == version}
        assert cache.get_many([*left, "none"], version=version) == left
