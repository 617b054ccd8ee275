"""Test that threads and tasks on one cluster share leases: a computation in one mode serves the other."""

from collections.abc import Iterator

import pytest

from tests.support.herd_processes import Herd, herd_of
from tests.support.herd_scenarios import KEYS, Place
from tests.support.servers import Server, wait_until

pytestmark = [
    pytest.mark.full("starts processes of callers"),
    pytest.mark.parametrize("place", ["cluster"], indirect=True, scope="module"),
]


@pytest.fixture(scope="module")
def herds(place: Place, shared_server: Server) -> Iterator[dict[str, Herd]]:
    with (
        herd_of(place.entry, "threads", shared_server) as threads,
        herd_of(place.entry, "tasks", shared_server) as tasks,
    ):
        yield {"threads": threads, "tasks": tasks}


@pytest.mark.parametrize(("first", "second"), [("threads", "tasks"), ("tasks", "threads")])
@pytest.mark.parametrize("key", KEYS)
def test_stale_entry_is_served_to_one_mode_while_the_other_recomputes(
    herds: dict[str, Herd], place: Place, first: str, second: str, key: str
) -> None:
    place.make_stale(key)
    computing = herds[first].start("get_or_set", key, "new")
    computing.wait_served(computing.callers - 1)
    others = herds[second].start("get_or_set", key, "not computed")
    others.wait_served(others.callers)
    assert others.end() == {"old": others.callers}
    assert computing.end() == {"old": computing.callers - 1, "new": 1}
    assert (computing.count("computed"), others.count("computed")) == (1, 0)


@pytest.mark.parametrize(("first", "second"), [("threads", "tasks"), ("tasks", "threads")])
@pytest.mark.parametrize("key", KEYS)
def test_missing_entry_is_awaited_in_one_mode_while_the_other_computes(
    herds: dict[str, Herd], place: Place, first: str, second: str, key: str
) -> None:
    place.primary(key).raw("FLUSHDB")
    computing = herds[first].start("get_or_set", key, "new")
    wait_until(lambda: computing.count("computed"))
    others = herds[second].start("get_or_set", key, "not computed")
    wait_until(lambda: others.count("began") == others.callers)
    assert others.served() == {}
    assert computing.end() == {"new": computing.callers}
    assert others.end() == {"new": others.callers}
    assert (computing.count("computed"), others.count("computed")) == (1, 0)
