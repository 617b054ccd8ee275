"""One recomputation, whoever asks: threads and tasks of several processes, on one stale or missing key."""

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


@pytest.mark.parametrize("call", ["get", "get_or_set"])
def test_of_many_on_a_stale_entry_one_recomputes_and_the_others_are_served_at_once(
    herd: Herd, server: Server, call: str
) -> None:
    for number in range(3):
        new = f"new{number}"
        make_stale(server)
        begun = herd.start(call, KEY, new)
        begun.wait_served(begun.callers - 1)  # while it is being computed: nobody waits for that
        assert begun.served() == {"old": begun.callers - 1}
        assert begun.end() == {"old": begun.callers - 1, new: 1}
        assert begun.count("computed") == 1


def test_of_many_on_a_missing_entry_one_computes_and_the_others_wait_for_its_value(herd: Herd, server: Server) -> None:
    for number in range(3):
        server.raw("FLUSHDB")
        begun = herd.start("get_or_set", KEY, number)
        wait_until(lambda: begun.count("began") == begun.callers)  # noqa: B023  # called in the loop
        assert begun.served() == {}
        assert begun.end() == {number: begun.callers}
        assert begun.count("computed") == 1


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
