"""Who recomputes fails, or is killed: another caller takes over, at once or when the lease lapses."""

import time
from collections.abc import Iterator

import pytest

from dvcache import Container, Settings
from tests.herds import PROCESSES, Herd, Kind, herd_of
from tests.servers import Server, wait_until

KEY = "page"


def entry(server: Server, **herd: object) -> dict[str, object]:
    return {"LOCATION": server.url(), "OPTIONS": {"HERD": {"timeout": 60, **herd}}}


def make_stale(server: Server, value: object = "old") -> None:
    with Container(Settings.parse(entry(server))) as container:
        container.cache().set(KEY, value, 0.001)
        time.sleep(0.005)


@pytest.fixture(params=["threads", "tasks"])
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def herd(kind: Kind, server: Server) -> Iterator[Herd]:
    with herd_of(entry(server), kind, server) as herd:
        yield herd


@pytest.mark.parametrize("state", ["stale", "missing"])
def test_who_fails_to_compute_leaves_it_to_the_next_caller_at_once(herd: Herd, server: Server, state: str) -> None:
    server.raw("FLUSHDB")
    if state == "stale":
        make_stale(server)
    failing = herd.start("get_or_set", KEY, "new", callers=1, fails=True)
    failing.go()
    served = failing.end()
    assert served["failed"] == failing.count("computed") >= 1
    assert set(served) <= {"failed", "old"}
    then = herd.start("get_or_set", KEY, "new", callers=1)
    then.go()
    assert set(then.end()) <= ({"new", "old"} if state == "stale" else {"new"})
    assert then.count("computed") == 1


def test_the_lease_of_a_process_that_was_killed_lapses_and_another_recomputes(kind: Kind, server: Server) -> None:
    with herd_of(entry(server, lease=1), kind, server) as herd:
        make_stale(server)
        began = herd.start("get_or_set", KEY, "never", callers=1)
        wait_until(lambda: began.count("computed") == 1)
        began.wait_served(PROCESSES - 1)
        for process in list(herd.processes):  # one of them computes
            herd.kill(process)
        assert 0 < server.raw("PTTL", b":1:page:lease") <= 1000
    with herd_of(entry(server, lease=1), kind, server) as herd:
        meanwhile = herd.start("get_or_set", KEY, "new", callers=5)
        meanwhile.go()
        assert set(meanwhile.end()) <= {"old", "new"}
        wait_until(lambda: server.raw("PTTL", b":1:page:lease") < 0)
        then = herd.start("get_or_set", KEY, "new", callers=5)
        then.go()
        then.end()
        assert meanwhile.count("computed") + then.count("computed") == 1
