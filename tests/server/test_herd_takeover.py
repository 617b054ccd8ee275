"""Test a recomputation that fails or is killed: another caller takes over, at once or when the lease expires."""

import pytest

from tests.support.herd_processes import PROCESSES, Herd, Kind, herd_of
from tests.support.herd_scenarios import KEYS, Place
from tests.support.servers import Server, wait_until

pytestmark = [
    pytest.mark.full("starts processes of callers"),
    pytest.mark.parametrize("place", ["standalone", "cluster", "shards"], indirect=True, scope="module"),
]


@pytest.mark.parametrize("state", ["stale", "missing"])
def test_failed_computation_is_left_to_the_next_caller_at_once(herd: Herd, place: Place, state: str) -> None:
    for key in KEYS:
        place.primary(key).raw("FLUSHDB")
        if state == "stale":
            place.make_stale(key)
        failing = herd.start("get_or_set", key, "new", callers=1, fails=True)
        failing.go()
        served = failing.end()
        assert served["failed"] == failing.count("computed") >= 1
        assert set(served) <= {"failed", "old"}
        then = herd.start("get_or_set", key, "new", callers=1)
        then.go()
        assert set(then.end()) <= ({"new", "old"} if state == "stale" else {"new"})
        assert then.count("computed") == 1


def test_leases_of_killed_processes_expire_and_another_recomputes(
    herd: Herd, kind: Kind, place: Place, shared_server: Server
) -> None:
    with herd_of(place.with_herd(timeout=60, lease=1), kind, shared_server) as doomed:
        for computing, key in enumerate(KEYS):
            place.primary(key).raw("FLUSHDB")
            place.make_stale(key)
            began = doomed.start("get_or_set", key, "never", callers=1)
            wait_until(lambda began=began: began.count("computed") == 1)  # type: ignore[misc]  # a default binds it
            assert 0 < place.primary(key).raw("PTTL", place.lease(key)) <= 1000
            began.wait_served(PROCESSES - 1 - computing)
        for process in list(doomed.processes):  # two processes compute
            doomed.kill(process)
    for key in KEYS:
        meanwhile = herd.start("get_or_set", key, "new", callers=5)
        meanwhile.go()
        assert set(meanwhile.end()) <= {"old", "new"}
        wait_until(lambda key=key: place.primary(key).raw("PTTL", place.lease(key)) < 0)  # type: ignore[misc]  # as above
        then = herd.start("get_or_set", key, "new", callers=5)
        then.go()
        then.end()
        assert meanwhile.count("computed") + then.count("computed") == 1
