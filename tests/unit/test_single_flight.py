"""Test single flight, and the effects that wait for another caller's result and that spawn work."""

import asyncio
import threading
from typing import Any

from dvcache.drive import arun, run
from dvcache.effects import Op, Spawn, Wait
from dvcache.process.single_flight import SingleFlight


def _waits(single_flight: SingleFlight, seconds: float) -> Op[bool]:
    flight, _ = single_flight.enter(b"k")
    return (yield Wait(flight.done(), seconds))  # type: ignore[no-any-return]  # what the driver sends


class _NoClient:
    def execute(self, batch: Any, _until: float | None = None, /) -> Any:
        raise AssertionError(batch)

    def close(self) -> None:
        pass


def test_wait_ends_with_the_computation_or_the_timeout() -> None:
    single_flight = SingleFlight()
    flight, leads = single_flight.enter(b"k")
    assert leads
    assert run(_waits(single_flight, 0.001), _NoClient()) is False
    assert asyncio.run(arun(_waits(single_flight, 0.001), _NoClient())) is False
    done = Wait(flight.done(), 10)

    def waits() -> Op[bool]:
        return (yield done)  # type: ignore[no-any-return]  # as above

    threading.Timer(0.01, flight.finish, [7]).start()
    assert run(waits(), _NoClient()) is True
    assert asyncio.run(arun(waits(), _NoClient())) is True
    assert flight.outcome == 7
    assert single_flight.enter(b"k")[1]


def test_spawned_work_is_a_task_or_done_at_once() -> None:
    started: list[Any] = []

    class Tasks:
        def start(self, work: Any, /) -> None:
            started.append(work)

    def work() -> Op[object]:
        return 7
        yield ()

    def spawns() -> Op[object]:
        return (yield Spawn(work(), Tasks()))

    assert run(spawns(), _NoClient()) == 7
    assert started == []
    assert asyncio.run(arun(spawns(), _NoClient())) is None
    assert asyncio.run(started.pop()) == 7


def test_in_flight_computation_finishes_once_and_late_waiters_see_it() -> None:
    single_flight = SingleFlight()
    flight, _ = single_flight.enter(b"k")
    flight.finish(1)
    flight.finish(2)
    assert flight.outcome == 1
    assert flight.done().done()


def test_local_claim_of_a_lease_lasts_no_longer_than_the_lease() -> None:
    single_flight = SingleFlight()
    mark = single_flight.hold(b"k", now=100, seconds=5)
    assert mark is not None
    assert single_flight.hold(b"k", now=104, seconds=5) is None
    assert single_flight.is_held(b"k", now=104)
    assert not single_flight.is_held(b"k", now=105)
    newer = single_flight.hold(b"k", now=105, seconds=5)
    single_flight.let_go(b"k", mark)
    assert single_flight.is_held(b"k", now=106)
    single_flight.detach(b"k")
    assert not single_flight.is_held(b"k", now=106)
    assert newer is not None


def test_detaching_all_lets_nobody_join_a_running_computation() -> None:
    single_flight = SingleFlight()
    flight, _ = single_flight.enter(b"k")
    single_flight.hold(b"k", now=0, seconds=9)
    single_flight.detach_all()
    assert single_flight.enter(b"k")[1]
    assert not single_flight.is_held(b"k", now=0)
    flight.finish()
    assert not single_flight.enter(b"k")[1]
