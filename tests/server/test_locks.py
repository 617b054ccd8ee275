"""Test locks between processes."""

import asyncio
import random
import sys
import time
from itertools import pairwise

import pytest

from dvcache import AsyncCache, Container, Settings
from tests.support.lock_queues import hand_overs, started, turns
from tests.support.servers import Server


@pytest.mark.full("starts processes: 5 s")
def test_lock_is_held_by_one_process_at_a_time_and_each_gets_it(server: Server) -> None:
    taken = turns(server.url(), 10, *[sys.executable] * 3)
    assert len(taken) == 30
    assert all(turn.given_back <= following.had for turn, following in pairwise(taken))
    assert len(hand_overs(taken)) > 5


def test_lock_is_not_left_behind_by_cancelled_tasks(server: Server) -> None:
    chance = random.Random(8)
    inside: list[int] = []

    async def want(cache: AsyncCache, number: int) -> None:
        async with cache.get_lock("l"):
            inside.append(number)
            try:
                assert inside == [number]
                await asyncio.sleep(chance.random() / 1000)
            finally:
                inside.pop()

    async def scenario() -> None:
        async with Container(Settings.parse({"LOCATION": server.url()})) as container:
            cache = container.async_cache()
            for _ in range(20):
                tasks = [asyncio.create_task(want(cache, number)) for number in range(8)]
                while not all(task.done() for task in tasks):
                    await asyncio.sleep(chance.random() / 500)
                    chance.choice(tasks).cancel()
                for task in tasks:
                    assert task.cancelled() or task.exception() is None
            async with asyncio.timeout(10):
                assert await cache.get_lock("l").acquire()
            assert container.context().lock_queue.join(b":1:l").at_front.done()

    asyncio.run(scenario())


@pytest.mark.full("waits for a lease to lapse: 3 s")
def test_lock_of_a_killed_holder_is_acquired_when_it_expires(server: Server) -> None:
    with Container(Settings.parse({"LOCATION": server.url()})) as container:
        lock = container.cache().get_lock("l", timeout=60)
        program = started(sys.executable, server.url(), rounds=0, timeout=1.0)
        with program:
            assert program.stdout is not None
            assert program.stdout.readline() == "held\n"
            program.kill()
        assert lock.acquire(blocking=False) is False
        left = container.cache().pttl("l")
        began = time.monotonic()
        assert left is not None
        assert lock.acquire(blocking_timeout=30) is True
        assert time.monotonic() - began > left / 1000 - 0.05
        assert lock.owned() is True
