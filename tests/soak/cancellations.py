"""Cancel tasks while their replies are in flight: the other tasks must get their own replies."""

import asyncio
import random
from typing import Final

from dvcache import AsyncCache, Container, Settings
from tests.soak._run import Run
from tests.support.servers import DelayProxy, Server

_SEED: Final = 20261121
_TOGETHER: Final = 100
_KEYS: Final = 500


def cancelled_gets_leave_every_other_get_its_own_reply(run: Run) -> str:
    gets = 2_000 if run.short else 20_000
    with Server() as server, DelayProxy(server.port, delay=0.02) as proxy:
        location = f"valkey://127.0.0.1:{proxy.port}/0"
        with Container(Settings.parse({"LOCATION": location})) as container:
            answered, cancelled = asyncio.run(_get(container.async_cache(), gets, run))
        connections = proxy.accepted
    assert answered + cancelled == gets
    assert cancelled > gets // 10
    assert connections == 1
    return f"{gets:,} gets, {cancelled:,} of them cancelled, {answered:,} answered, on one connection"


async def _get(cache: AsyncCache, gets: int, run: Run) -> tuple[int, int]:
    chance, answered, cancelled = random.Random(_SEED), 0, 0
    await cache.set_many({f"key:{number}": number for number in range(_KEYS)})
    for start in range(0, gets, _TOGETHER):
        wanted = [chance.randrange(_KEYS) for _ in range(_TOGETHER)]
        tasks = [asyncio.create_task(cache.get(f"key:{number}")) for number in wanted]
        loop = asyncio.get_running_loop()
        for task in tasks:
            if chance.random() < 0.5:
                loop.call_later(chance.uniform(0, 0.045), task.cancel)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for number, outcome in zip(wanted, outcomes, strict=True):
            if isinstance(outcome, asyncio.CancelledError):
                cancelled += 1
            else:
                assert outcome == number, "somebody else's reply"
                answered += 1
        if start % (gets // 4) == 0:
            run.say(f"{start + _TOGETHER:,} of {gets:,}")
    return answered, cancelled
