"""An asyncio service without Django: it factors numbers, and caches the results.

Run it: `python docs/examples/service.py` serves on a loopback port, asks itself, prints the answers and ends.
Everything but the cache is the standard library.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dvcache import AsyncCache, Container, Settings

SETTINGS = {"LOCATION": os.environ.get("DVCACHE_LOCATION", "embedded://"), "KEY_PREFIX": "service", "TIMEOUT": 600}


@asynccontextmanager
async def lifespan() -> AsyncIterator[AsyncCache]:
    """Open the cache for the lifetime of the service."""
    async with Container(Settings.parse(SETTINGS)) as container:
        yield container.async_cache()


def factors(number: int) -> list[int]:
    """Return the prime factors of a number, by trial."""
    found, divisor = [], 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return [*found, number] if number > 1 else found


class Service:
    """A service that answers a line with a number by a line with its prime factors."""

    def __init__(self, cache: AsyncCache) -> None:
        self._cache = cache

    async def answer(self, number: int) -> str:
        """Return the factors of a number: computed once, then read from the cache."""
        found = await self._cache.get_or_set(f"factors:{number}", lambda: asyncio.to_thread(factors, number))
        return " x ".join(map(str, found))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the lines of one connection."""
        async for line in reader:
            writer.write(f"{await self.answer(int(line))}\n".encode())
            await writer.drain()
        writer.close()


async def ask(port: int, number: int) -> tuple[str, float]:
    """Return the service's answer, and the milliseconds that it took."""
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{number}\n".encode())
    answer = (await reader.readline()).decode().strip()
    writer.close()
    await writer.wait_closed()
    return answer, (time.perf_counter() - started) * 1000


async def main() -> None:
    """Run the service, ask it the same twice, and end it."""
    async with lifespan() as cache:
        server = await asyncio.start_server(Service(cache).serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            for name in ("cold", "warm"):
                answer, milliseconds = await ask(port, 1_000_000_007 * 2_000_003)
                print(f"{name}: {answer} in {milliseconds:.1f} ms")
        print(f"kept for {await cache.ttl(f'factors:{1_000_000_007 * 2_000_003}')} s")


if __name__ == "__main__":
    asyncio.run(main())
