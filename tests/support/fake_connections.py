"""Fake connections of a sync pool, and callers that wait for them."""

import threading
import time
from collections.abc import Callable
from typing import Any

from dvcache.pools.sync_pool import SyncPool
from dvcache.types import Batch, Endpoint
from tests.support.servers import wait_until

PING: Batch = (("PING",),)


class FakeConnection:
    """A connection that answers when `let_go` is set."""

    made: list["FakeConnection"]
    refused: Exception | None

    def __init__(self, endpoint: Endpoint) -> None:
        if FakeConnection.refused:
            raise FakeConnection.refused
        self.endpoint = endpoint
        self.let_go = threading.Event()
        self.asked = self.dropped = self.interrupted = self.lost = self.retired = self.silent = False
        self.is_cooperative = True
        self.used = self.since = self.overdue = 0.0
        self.descriptor = -1
        self.refusals: list[object] = []
        FakeConnection.made.append(self)

    def open(self, until: float | None = None) -> None:  # noqa: ARG002  # a connection's
        self.used = time.monotonic()

    def exchange(self, batch: Batch, started: float, until: float | None = None) -> list[Any]:  # noqa: ARG002  # as above
        self.asked = True
        self.let_go.wait()
        self.used = started
        if self.interrupted:
            raise EOFError
        return [b"PONG"] * len(batch)

    def is_dead(self) -> bool:
        return self.dropped

    def interrupt(self) -> None:
        self.interrupted = True
        self.let_go.set()

    def drop(self) -> None:
        self.dropped = True


def started(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Call in a thread; append its result or its error to the list."""
    results: list[object] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001  # shown to the test
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, results


def busy(pool: SyncPool) -> tuple[threading.Thread, FakeConnection]:
    """Use the pool's only connection in a thread until `let_go`."""
    thread, _ = started(lambda: pool.execute(PING))
    wait_until(lambda: FakeConnection.made and FakeConnection.made[-1].used)
    return thread, FakeConnection.made[-1]
