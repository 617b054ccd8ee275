"""A network that delays, splits, truncates and closes, under tasks that are cancelled."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final, Self

import uvloop

from dvcache import AsyncCache, Container, Settings
from dvcache.errors import TransportError
from tests.servers import Server
from tests.soak._run import Run

_SEED: Final = 20261130
_TOGETHER: Final = 100
_KEYS: Final = 500


class RoughProxy:
    """A proxy in a thread of its own: it splits and delays replies, truncates them and ends connections."""

    def __init__(self, upstream: int) -> None:
        self._upstream, self._chance = upstream, random.Random(_SEED)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rough proxy")
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted = self.ended = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._listener = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _close(self) -> None:
        self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        requests = self._loop.create_task(self._requests(reader, there_writer))
        try:
            await self._replies(there_reader, writer)
        except ConnectionError:
            pass
        finally:
            requests.cancel()
            await asyncio.gather(requests, return_exceptions=True)
            there_writer.transport.abort()
            writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chance, passed = self._chance, 0
        while data := await reader.read(65536):
            while data:
                fate = chance.random()
                if fate < 0.5:
                    await asyncio.sleep(fate / 200)
                if fate > 0.98 and passed > 2_000:  # not in the midst of a greeting each time
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
    told = []
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
            told.append(f"{name}: {outcomes}, {proxy.ended} of {proxy.accepted} connections truncated")
    return "; ".join(told)


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
