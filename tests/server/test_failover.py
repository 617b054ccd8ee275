"""Test failovers under load: within a second of the announcement all callers use the new primary, and no other."""

import asyncio
import gc
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dvcache import Container
from tests.support.failovers import (
    FAULTS,
    SERVICE,
    Fault,
    Loads,
    check_places,
    dies,
    four_at_once,
    hands_over,
    hangs,
    limited,
    measure_failover,
    named,
    settings,
)
from tests.support.programs import SLOW, command, environment
from tests.support.servers import wait_until
from tests.support.service_load import Load
from tests.support.topologies import Node, SentinelFleet, calls, reset_calls, role

pytestmark = pytest.mark.full("each test waits for Sentinel to elect a primary")


@pytest.fixture(autouse=True)
def _whole_and_known(fleet: SentinelFleet) -> None:
    fleet.replication(SERVICE)


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def container(fleet: SentinelFleet) -> Iterator[Container]:
    with limited(fleet) as container:
        yield container


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_failover_is_followed_by_all_callers_within_a_second(
    fault: Fault, fleet: SentinelFleet, container: Container
) -> None:
    loads = Loads(container)
    measure_failover(fault, fleet, loads)
    if fault is hands_over:
        assert loads.errors == 0


def test_failovers_in_a_row_leak_no_permit_of_a_limited_pool(fleet: SentinelFleet, container: Container) -> None:
    loads = Loads(container)
    with loads.running():
        for _ in range(5):
            new = fleet.failover(SERVICE, demote=True)
            wait_until(lambda: loads.have_completed_on(new))  # noqa: B023  # called within the loop
    assert loads.errors == 0
    check_places(container, fleet)


def test_replica_reads_follow_the_failover(mode: Any, fleet: SentinelFleet) -> None:
    with Container(settings(fleet, replicas=True)) as container, asyncio.Runner() as runner:

        def read(times: int) -> None:
            async def aread() -> None:
                for _ in range(times):
                    assert await container.async_cache().get("k") == "v"

            if mode == "async":
                runner.run(aread())
                return
            for _ in range(times):
                assert container.cache().get("k") == "v"

        def read_by(nodes: tuple[Node, ...]) -> list[int]:
            reset_calls(*nodes)
            read(200)
            return [calls(node, "get") for node in nodes]

        container.cache().set("k", "v", None)
        fleet.replication(SERVICE).wait_in_sync(fleet.primary(SERVICE))
        old = fleet.primary(SERVICE)
        assert read_by((old,)) == [0]
        new = fleet.failover(SERVICE, demote=True)
        nodes = (new, *fleet.replicas(SERVICE))
        wait_until(lambda: min(read_by(nodes)[1:]) > 50)
        assert read_by((new,)) == [0]
        assert role(old) == "slave"


@pytest.mark.parametrize("fault", [dies, hangs, hands_over], ids=lambda fault: fault.__name__)
def test_replica_reads_continue_while_there_is_no_primary(fault: Fault, fleet: SentinelFleet) -> None:
    errors: list[Exception] = []
    values: set[object] = set()
    stop = threading.Event()
    with Container(settings(fleet, replicas=True)) as container:
        cache = container.cache()
        cache.set("k", "v", None)
        old = fleet.primary(SERVICE)
        fleet.replication(SERVICE).wait_in_sync(old)

        def work() -> None:
            while not stop.is_set():
                try:
                    values.add(cache.get("k"))
                except Exception as error:  # noqa: BLE001  # shown by the test
                    errors.append(error)
                time.sleep(0.001)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        fault(fleet, old)
        fleet.wait_for_new_primary(SERVICE, old)
        stop.set()  # the old primary returns without its entries
        for thread in threads:
            thread.join()
        fleet.restore()
    assert errors == []
    assert values == {"v"}


def test_close_ends_the_threads_and_the_connections(mode: Any, fleet: SentinelFleet) -> None:
    pool = {"client_name": "closing"}
    sentinels = {"client_name": "closing"}
    chosen = settings(fleet, replicas=True, CONNECTION_POOL_KWARGS=pool, SENTINEL_KWARGS=sentinels)
    before = set(threading.enumerate())

    async def use_and_close() -> None:
        async with Container(chosen) as container:
            await container.async_cache().set("k", "v")
            await container.async_cache().get("k")
            there()

    def there() -> None:
        assert len(set(threading.enumerate()) - before) >= len(fleet.sentinels)
        wait_until(lambda: all(named(sentinel, "closing") for sentinel in fleet.sentinels))

    if mode == "async":
        asyncio.run(use_and_close())
    else:
        with Container(chosen) as container:
            container.cache().set("k", "v")
            container.cache().get("k")
            there()
    assert {thread for thread in threading.enumerate() if thread.name.startswith("sentinel")} == set()
    for node in (*fleet.replication(SERVICE).nodes, *fleet.sentinels):
        wait_until(lambda: named(node, "closing") == 0)  # noqa: B023  # called within the loop


def test_container_that_is_dropped_ends_its_threads(fleet: SentinelFleet) -> None:
    container = Container(settings(fleet))
    container.cache().get("k")
    del container
    gc.collect()
    wait_until(lambda: not [each for each in threading.enumerate() if each.name.startswith("sentinel")])


def test_sentinel_that_hangs_delays_nobody(mode: Any, fleet: SentinelFleet) -> None:
    fleet.sentinels[0].pause()
    started = time.monotonic()
    with Container(settings(fleet, SOCKET_CONNECT_TIMEOUT=20)) as container:
        assert len(four_at_once(container, mode)) == 4
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("fault", [Node.kill, Node.pause], ids=["are down", "hang"])
def test_sentinels_that_all_stop_fail_every_caller_by_the_connect_timeout(
    fault: Callable[[Node], None], mode: Any, fleet: SentinelFleet
) -> None:
    for sentinel in fleet.sentinels:
        fault(sentinel)
    load = Load(Container(settings(fleet, SOCKET_CONNECT_TIMEOUT=1)), mode)
    with load.container, load.running():
        wait_until(lambda: {failed.caller for failed in load.failed} == set(range(load.callers)))
    assert load.done == []
    assert max(failed.seconds for failed in load.failed) < 1
    addresses = ", ".join(f"127.0.0.1:{port}" for _, port in fleet.addresses)
    reason = f"'service_name' through the sentinels {addresses}: none of them answers"
    assert [failed for failed in load.failed if reason not in str(failed.error)] == []


FORKING = """
import asyncio, os, sys, threading, warnings
from dvcache import Container, Settings

warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what is tested
location, options = {location!r}, {options!r}
container = Container(Settings.parse({{"LOCATION": location, "OPTIONS": options}}))
cache = container.cache()
cache.set("k", "old")
assert cache.get("k") == "old"
asyncio.run(container.async_cache().get("k"))
print("ready", flush=True)
for line in sys.stdin:
    children = []
    for number in range(4):
        if not (pid := os.fork()):
            code = 1
            try:
                for n in range(200):
                    cache.set(f"{{number}}:{{n}}", n)
                    assert cache.get(f"{{number}}:{{n}}") in (n, None)
                asyncio.run(container.async_cache().set(f"{{number}}:async", 1))
                assert [each for each in threading.enumerate() if each.name.startswith("sentinel")]
                container.close()
                assert not [each for each in threading.enumerate() if each.name.startswith("sentinel")]
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    cache.set("k", line)
    print(codes, flush=True)
container.close()
"""


def test_forked_children_find_the_primary_before_and_after_a_failover(fleet: SentinelFleet) -> None:
    code = FORKING.format(
        location=f"valkey://{SERVICE}/0",
        options={"SENTINELS": fleet.addresses, "CLIENT_CLASS": "django_valkey.client.SentinelClient"},
    )
    with subprocess.Popen(
        command("-X", "dev", "-c", code),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin
        assert program.stdout
        assert program.stderr

        def fork() -> str:
            assert program.stdin
            assert program.stdout
            program.stdin.write("now\n")
            program.stdin.flush()
            return program.stdout.readline().strip()

        assert program.stdout.readline() == "ready\n"
        assert fork() == "[0, 0, 0, 0]"
        new = fleet.failover(SERVICE)
        assert fork() == "[0, 0, 0, 0]"
        assert new.raw("EXISTS", ":1:3:async") == 1
        out, errors = program.communicate()
        assert (out, SLOW.sub("", errors), program.returncode) == ("", "", 0)
