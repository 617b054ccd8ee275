"""Test pauses of operations and flows: bounded by the deadline, and never a deadlock."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from dvcache.effects import Sleep, Wait
from dvcache.process.pauses import apause, pause

Paused = Callable[..., bool | None]

LONG = 1000.0


def _apause(step: Sleep | Wait, until: float | None = None) -> bool | None:
    return asyncio.run(apause(step, until))


@pytest.fixture(params=[pause, _apause], ids=["sync", "async"])
def paused(request: pytest.FixtureRequest) -> Paused:
    made: Paused = request.param
    return made


def test_sleep_returns_none_and_takes_its_time(paused: Paused) -> None:
    began = time.monotonic()
    assert paused(Sleep(0.02)) is None
    assert time.monotonic() - began >= 0.02


@pytest.mark.parametrize("step", [Sleep(LONG), Wait(Future(), LONG)], ids=["Sleep", "Wait"])
def test_pause_ends_with_the_deadline(step: Sleep | Wait, paused: Paused) -> None:
    began = time.monotonic()
    assert not paused(step, began + 0.01)
    assert time.monotonic() - began < LONG / 10


def test_wait_ends_with_the_work_of_another_thread(paused: Paused) -> None:
    done: Future[None] = Future()
    threading.Timer(0.02, done.set_result, [None]).start()
    assert paused(Wait(done, LONG)) is True


def test_wait_that_gives_up_leaves_the_work_to_others(paused: Paused) -> None:
    done: Future[None] = Future()
    assert paused(Wait(done, 0.01)) is False
    done.set_result(None)
    assert paused(Wait(done, LONG)) is True


def test_wait_for_the_own_thread_returns_at_once(paused: Paused) -> None:
    assert paused(Wait(Future(), LONG, thread=threading.get_ident())) is False


@pytest.mark.parametrize("anywhere", [True, False])
def test_sync_wait_blocks_an_event_loop_only_where_allowed(anywhere: bool) -> None:
    done: Future[None] = Future()

    async def main() -> bool | None:
        threading.Timer(0.02, done.set_result, [None]).start()
        return pause(Wait(done, LONG, anywhere=anywhere))

    assert asyncio.run(main()) is anywhere
