"""Delay, split, truncate and close connections, under tasks that are cancelled."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Final

import uvloop
from typing_extensions import override

from dvcache import AsyncCache, Container, Settings
from dvcache.errors import TransportError
from tests.soak._run import Run
from tests.support.proxies import DelayProxy
from tests.support.servers import Server

_SEED: Final = 20261130
_TOGETHER: Final = 100
_KEYS: Final = 500


class RoughProxy(DelayProxy):
    """A proxy that splits, delays and truncates replies and closes connections."""

    def __init__(self, upstream: int) -> None:
        super().__init__(upstream)
        self._chance = random.Random(_SEED)
        self.ended = 0

    @override
    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chance, passed = self._chance, 0
        while data := await reader.read(65536):
            while data:
                fate = chance.random()
                if fate < 0.5:
                    await asyncio.sleep(fate / 200)
                if fate > 0.98 and passed > 2_000:  # not during every greeting
                    self.ended += 1
                    writer.write(data[: chance.randrange(len(data) + 1)])
                    await writer.drain()
                    await asyncio.sleep(0.001)
                    return
                size = chance.choice((1, 7, 100, 4_000, 65_536))
                writer.write(data[:size])
                passed += len(data[:size])
                data = data[size:]
                await writer.drain()


def gets_over_a_rough_network_return_their_own_values(run: Run) -> str:
    gets = 4_000 if run.short else 350_000
    rows = []
    runners: dict[str, Callable[..., Counter[str]]] = {"asyncio": asyncio.run, "uvloop": uvloop.run}
    for name, runner in runners.items():
        with Server() as server, RoughProxy(server.port) as proxy:
            for number in range(_KEYS):
                server.raw("SET", f":1:key:{number}", number)
            location = f"valkey://127.0.0.1:{proxy.port}/0"
            with Container(Settings.parse({"LOCATION": location})) as container:
                count = runner(_get(container.async_cache(), gets // 2, run))
            assert sum(count.values()) == gets // 2
            assert count["cancelled"] > gets // 20
            assert count["answered"] > gets // 20
            outcomes = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(count.items()))
            rows.append(f"{name}: {outcomes}, {proxy.ended} of {proxy.accepted} connections truncated")
    return "; ".join(rows)


async def _get(cache: AsyncCache, gets: int, run: Run) -> Counter[str]:
    chance, count = random.Random(_SEED), Counter[str]()
    loop = asyncio.get_running_loop()
    for start in range(0, gets, _TOGETHER):
        wanted = [chance.randrange(_KEYS) for _ in range(_TOGETHER)]
        tasks = [asyncio.create_task(cache.get(f"key:{number}")) for number in wanted]
        for task in tasks:
            if chance.random() < 0.25:
                loop.call_later(chance.uniform(0, 0.005), task.cancel)
        for number, outcome in zip(wanted, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
            if isinstance(outcome, asyncio.CancelledError):
                count["cancelled"] += 1
            elif isinstance(outcome, TransportError):
                count["failed"] += 1
            else:
                assert outcome == number, "somebody else's reply"
                count["answered"] += 1
        if start % (gets // 4) == 0:
            run.say(f"{start + _TOGETHER:,} of {gets:,}")
    return count
