"""Faults of a service, and the limits of their effect on callers."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Final, TypeAlias

from dvcache import Container, Settings
from dvcache.errors import TransportError
from dvcache.types import Batch
from tests.support.servers import wait_until
from tests.support.service_load import Load, Mode
from tests.support.topologies import SERVICES, Node, SentinelFleet, clients, run_id

SERVICE: Final = SERVICES[0]

IN_TIME: Final = 1.0
"""Seconds after a new primary's announcement within which every caller must use it."""

Fault: TypeAlias = Callable[[SentinelFleet, Node], None]


def dies(fleet: SentinelFleet, primary: Node) -> None:
    assert fleet
    primary.kill()


def hangs(fleet: SentinelFleet, primary: Node) -> None:
    assert fleet
    primary.pause()


def hangs_with_a_sentinel(fleet: SentinelFleet, primary: Node) -> None:
    """Stop a primary and a sentinel, as with the loss of a machine."""
    fleet.sentinels[0].pause()
    primary.pause()


def hands_over(fleet: SentinelFleet, primary: Node) -> None:
    fleet.wait_whole(SERVICE)
    assert fleet.primary(SERVICE) is primary
    fleet.sentinels[0].raw("SENTINEL", "FAILOVER", SERVICE)


FAULTS: Final[tuple[Fault, ...]] = (dies, hangs, hangs_with_a_sentinel, hands_over)


def settings(fleet: SentinelFleet, *, replicas: bool = False, **options: Any) -> Settings:
    """Return the settings of the service's primary, with or without its replicas."""
    by = (
        {"CLIENT_CLASS": "django_valkey.client.SentinelClient"}
        if replicas
        else {"CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory"}
    )
    return Settings.parse(
        {"LOCATION": f"valkey://{SERVICE}/0", "OPTIONS": {"SENTINELS": fleet.addresses, **by, **options}}
    )


def limited(fleet: SentinelFleet) -> Container:
    """Return a container of the primary with at most four connections, with the client name `load`."""
    return Container(settings(fleet, CONNECTION_POOL_KWARGS={"max_connections": 4, "client_name": "load"}))


def named(node: Node, name: str) -> int:
    """Return the number of the node's connections with that name."""
    return sum(each["name"] == name for each in clients(node))


class Loads:
    """8 threads and 200 tasks that use one container."""

    def __init__(self, container: Container) -> None:
        self.of_each = (Load(container, "sync"), Load(container, "async"))

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as stack:
            for load in self.of_each:
                stack.enter_context(load.running())
            yield

    def have_completed_on(self, node: Node) -> bool:
        """Return True if every caller has completed on the node."""
        there = run_id(node)
        return all(len(load.recovered(there, 0)) == load.callers for load in self.of_each)

    @property
    def errors(self) -> int:
        """Number of errors."""
        return sum(len(load.failed) for load in self.of_each)


def measure_failover(fault: Fault, fleet: SentinelFleet, loads: Loads) -> float:
    """Apply the fault to the primary under load, and restore it.

    Returns: Seconds from the new primary's announcement until the last caller completed there.

    Raises:
        AssertionError: this took too long, the old primary answered after that, or a caller had an error.
    """
    old = fleet.primary(SERVICE)
    old_id = run_id(old)
    with loads.running():
        wait_until(lambda: loads.have_completed_on(old))
        with fleet.announcements() as announcements:
            began = time.monotonic()
            fault(fleet, old)
            announced = announcements.first(SERVICE, began)
        new = fleet.replication(SERVICE).node(announced.new)
        new_id = run_id(new)
        wait_until(lambda: loads.have_completed_on(new))
        fleet.restore()
    for load in loads.of_each:
        assert load.acknowledged(old_id, announced.at + IN_TIME) == []
        assert max((failed.seconds for failed in load.failed), default=0) < announced.at - began + IN_TIME
        assert [failed for failed in load.failed if not isinstance(failed.error, TransportError)] == []
        assert [failed for failed in load.failed if failed.at > announced.at + IN_TIME] == []
    seconds = max(max(load.recovered(new_id, announced.at).values()) for load in loads.of_each)
    assert seconds < IN_TIME
    wait_until(lambda: named(old, "load") == 0)
    return seconds


def four_at_once(container: Container, mode: Mode) -> list[Any]:
    """Return the answers to four PINGs that need a connection each, in threads; tasks share theirs."""
    ping: Batch = (("PING",),)
    if mode == "async":

        async def four() -> list[Any]:
            client = container.async_client()
            return [list(each) for each in await asyncio.gather(*(client.execute(ping) for _ in range(4)))]

        return asyncio.run(four())
    together = threading.Barrier(4)

    def one() -> list[Any]:
        together.wait()
        return list(container.client().execute(ping))

    with ThreadPoolExecutor(4) as threads:
        return [future.result() for future in [threads.submit(one) for _ in range(4)]]


def check_places(container: Container, fleet: SentinelFleet) -> None:
    """Check that the limited container's permits are all free, and that it left no connection to a replica."""
    for mode in ("sync", "async"):
        assert four_at_once(container, mode) == [[b"PONG"]] * 4
    assert [named(node, "load") for node in fleet.replicas(SERVICE)] == [0, 0]
    wait_until(lambda: named(fleet.primary(SERVICE), "load") <= 4)
