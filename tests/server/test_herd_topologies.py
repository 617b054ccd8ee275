"""One recomputation over replicas that lag and over Sentinel, as on one server."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from dvcache import Container, Settings
from tests.herds import Herd, Kind, herd_of
from tests.replication import Replication
from tests.servers import Server, wait_until
from tests.topologies import SERVICES, SentinelFleet

KEY, SERVICE = "page", SERVICES[0]
LAG = 0.3


@pytest.fixture(scope="module")
def lagging() -> Iterator[Replication]:
    with Replication(lagging=True) as replication:
        yield replication


@pytest.fixture(params=["replicas that lag", "sentinel"])
def over(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Server, Any]:
    """The CACHES entry, the primary, and what has the replicas lag."""
    if request.param == "sentinel":
        fleet: SentinelFleet = request.getfixturevalue("fleet")
        options = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": fleet.addresses, "HERD": True}
        fleet.replication(SERVICE)
        return {"LOCATION": f"valkey://{SERVICE}/0", "OPTIONS": options}, fleet.primary(SERVICE), None
    replication: Replication = request.getfixturevalue("lagging")
    assert replication.link is not None
    replication.link.delay = 0
    replication.flush()
    return {"LOCATION": replication.urls(), "OPTIONS": {"HERD": True}}, replication.primary, replication


@pytest.fixture(params=["threads", "tasks"])
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


def make_stale(entry: dict[str, Any], replication: Any) -> None:
    """Have an entry that is stale on every server, and from then on replicas that lag."""
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        cache.set(KEY, "old", 0.001)
        wait_until(lambda: all(cache.has_key(KEY) for _ in range(10)))
    time.sleep(0.005)
    if replication is not None:
        replication.wait_in_sync()
        replication.link.delay = LAG


def run(herd: Herd, call: str, new: object) -> None:
    begun = herd.start(call, KEY, new)
    begun.wait_served(begun.callers - 1)
    assert begun.served() == {"old": begun.callers - 1}
    assert begun.end() == {"old": begun.callers - 1, new: 1}
    assert begun.count("computed") == 1
    again = herd.start(call, KEY, "not computed")  # while a replica still has what is stale
    again.go()
    assert set(again.end()) <= {"old", new}
    assert again.count("computed") == 0


@pytest.mark.parametrize("call", ["get", "get_or_set"])
def test_of_many_on_a_stale_entry_one_recomputes(
    over: tuple[dict[str, Any], Server, Any], kind: Kind, call: str, server: Server
) -> None:
    entry, _, replication = over
    make_stale(entry, replication)
    with herd_of(entry, kind, server) as herd:
        run(herd, call, "new")


def test_of_many_on_a_missing_entry_one_computes(
    over: tuple[dict[str, Any], Server, Any], kind: Kind, server: Server
) -> None:
    entry, _, replication = over
    if replication is not None:
        replication.link.delay = LAG
    with herd_of(entry, kind, server) as herd:
        begun = herd.start("get_or_set", KEY, "new")
        wait_until(lambda: begun.count("began") == begun.callers)
        assert begun.end() == {"new": begun.callers}
        assert begun.count("computed") == 1
