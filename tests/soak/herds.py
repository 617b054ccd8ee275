"""Stampedes, again and again: four processes of threads or tasks on one key."""

import time
from collections.abc import Mapping
from typing import Any

from dvcache import Container, Settings
from tests.herds import CALLERS, PROCESSES, Herd, herd_of
from tests.servers import Server, wait_until
from tests.soak._run import Run
from tests.topologies import SERVICES, SentinelFleet

KEY = "page"
SERVICE = SERVICES[0]


def of_hundreds_on_a_stale_entry_one_recomputes_every_time(run: Run) -> str:
    rounds = 0
    with Server() as server:
        entry = {"LOCATION": server.url(), "OPTIONS": {"HERD": True}}
        for kind in CALLERS:
            with herd_of(entry, kind, server) as herd:
                for number in run.rounds(short=5, long=20):
                    for call in ("get", "get_or_set"):
                        _one_recomputes(herd, entry, call, f"new{number}")
                        rounds += 1
    return _told(rounds)


def of_hundreds_on_a_missing_entry_one_computes_every_time(run: Run) -> str:
    rounds = 0
    with Server() as server:
        entry = {"LOCATION": server.url(), "OPTIONS": {"HERD": True}}
        for kind in CALLERS:
            with herd_of(entry, kind, server) as herd:
                for number in run.rounds(short=5, long=20):
                    server.raw("FLUSHDB")
                    begun = herd.start("get_or_set", KEY, number)
                    wait_until(lambda: begun.count("began") == begun.callers)  # noqa: B023  # called in the loop
                    assert begun.end() == {number: begun.callers}
                    assert begun.count("computed") == 1
                    rounds += 1
    return _told(rounds)


def of_hundreds_over_sentinel_one_recomputes_every_time(run: Run) -> str:
    rounds = 0
    with Server() as server, SentinelFleet() as fleet:
        fleet.replication(SERVICE)
        client = "django_valkey.client.SentinelClient"
        options = {"CLIENT_CLASS": client, "SENTINELS": fleet.addresses, "HERD": True}
        entry = {"LOCATION": f"valkey://{SERVICE}/0", "OPTIONS": options}
        for kind in CALLERS:
            with herd_of(entry, kind, server) as herd:
                for number in run.rounds(short=3, long=20):
                    _one_recomputes(herd, entry, "get_or_set", f"new{number}", fleet)
                    rounds += 1
    return _told(rounds)


def _one_recomputes(
    herd: Herd, entry: Mapping[str, Any], call: str, new: str, fleet: SentinelFleet | None = None
) -> None:
    with Container(Settings.parse(entry)) as container:
        container.cache().set(KEY, "old", 0.001)
    if fleet is not None:
        fleet.replication(SERVICE).wait_in_sync(fleet.primary(SERVICE))
    time.sleep(0.005)
    begun = herd.start(call, KEY, new)
    begun.wait_served(begun.callers - 1)
    assert begun.end() == {"old": begun.callers - 1, new: 1}
    assert begun.count("computed") == 1


def _told(rounds: int) -> str:
    callers = " or ".join(f"{PROCESSES} x {count} {kind}" for kind, count in CALLERS.items())
    return f"{rounds} rounds of {callers}, one computation in each"
