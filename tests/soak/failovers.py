"""Test the sentinels of the tests themselves, which other scenarios use."""

import time
from statistics import median

from tests.soak._run import Run
from tests.support.topologies import SERVICES, Node, SentinelFleet

SERVICE = SERVICES[0]


def failovers_on_request_all_complete(run: Run) -> str:
    with SentinelFleet() as fleet:
        seconds = []
        for number in run.rounds(short=5, long=50):
            fleet.primary(SERVICE).raw("SET", "n", number)
            started = time.monotonic()
            new = fleet.failover(SERVICE, demote=True)
            seconds.append(time.monotonic() - started)
            assert int(new.raw("GET", "n")) == number
    return _figures(seconds)


def primary_that_dies_or_hangs_is_replaced_every_time(run: Run) -> str:
    with SentinelFleet() as fleet:
        seconds = []
        for number in run.rounds(short=2, long=20):
            old = fleet.primary(SERVICE)
            with fleet.announcements() as announcements:
                started = time.monotonic()
                (Node.kill, Node.pause)[number % 2](old)
                seconds.append(announcements.first(SERVICE).at - started)
            fleet.restore()
            assert old in fleet.replicas(SERVICE)
    return _figures(seconds)


def _figures(seconds: list[float]) -> str:
    return f"{len(seconds)} failovers, seconds each: median {median(seconds):.1f}, longest {max(seconds):.1f}"
