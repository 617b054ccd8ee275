"""Test the time that hung servers cost: several at once, and one after another."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from dvcache.clients.exchange import exchange
from dvcache.clients.loss_limit import AsyncLimitedLosses, LimitedLosses, Losses
from dvcache.clients.pool_adapter import with_begin
from dvcache.effects import Partial
from dvcache.errors import CircuitOpenError, ConnectError, ReplyTimeout, TransportError
from dvcache.testing import ManualClock
from dvcache.types import Batch
from tests.support.recorded_deadlines import Recording, result

GET: Batch = (("GET", b"k"),)


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_connecting_clients_connect_concurrently() -> None:
    threads: set[str] = set()

    class Cold(Recording):
        def connects(self) -> bool:
            return True

        def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
            import threading  # noqa: PLC0415  # for its name

            threads.add(threading.current_thread().name + str(threading.get_ident()))
            return super().execute(batch, until)

    clients = [Cold(), Cold(ConnectError("refused")), Cold()]
    outcomes = exchange(dict.fromkeys(map(with_begin, clients), GET), time.monotonic() + 60)
    assert [type(outcome) for outcome in outcomes.values()] == [list, ConnectError, list]
    assert all("dvcache connecting" in name for name in threads)


def test_callers_of_a_hung_server_lose_one_deadline_then_a_fifth_of_it() -> None:
    clock = ManualClock()
    losses = Losses(10.0, "a", clock)
    assert losses.allowance() == 10
    losses.lose(4.0)
    assert losses.allowance() == 6
    losses.lose(6.0)
    with pytest.raises(CircuitOpenError, match="no server answered"):
        losses.allowance()
    clock.advance(5)
    assert losses.allowance() == pytest.approx(1.0)
    losses.note([b"v"], clock())
    assert losses.allowance() == pytest.approx(1.0)
    clock.advance(10)
    assert losses.allowance() == 10


def test_answering_servers_are_given_time_while_others_hang() -> None:
    clock = ManualClock()
    losses = Losses(10.0, "a", clock)
    losses.lose(10.0)
    losses.note([b"v"], clock())
    assert losses.allowance() == pytest.approx(0.5)


def test_answer_without_the_part_of_a_hung_server_restores_nothing() -> None:
    clock = ManualClock()
    losses = Losses(10.0, "a", clock)
    losses.lose(4.0)
    began = clock()
    clock.advance(1)
    losses.note([Partial([b"v", ConnectError("refused")])], began)
    assert losses.allowance() == pytest.approx(5.0)
    losses.note([ConnectError("refused"), b"v"], clock())
    assert losses.allowance() == pytest.approx(5.0)


def test_hung_servers_cost_callers_one_deadline_in_all_if_ignored(mode: str) -> None:
    class Silent(Recording):
        def execute(self, _: Batch, until: float | None = None, /) -> Any:
            assert until is not None
            time.sleep(max(until - time.monotonic(), 0))
            raise ReplyTimeout("late")

    class AsyncSilent(Silent):
        async def execute(self, batch: Batch, until: float | None = None, /) -> Any:
            return super().execute(batch, until)

    losses = Losses(0.2, "a")
    limited: Any = LimitedLosses(Silent(), losses) if mode == "sync" else AsyncLimitedLosses(AsyncSilent(), losses)
    began = time.monotonic()
    refused = 0
    for _ in range(20):
        with pytest.raises(TransportError) as caught:
            result(limited.execute(GET))
        refused += isinstance(caught.value, CircuitOpenError)
    assert refused >= 15
    assert time.monotonic() - began < 2
