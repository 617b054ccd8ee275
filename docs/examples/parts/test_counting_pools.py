"""Test the counts, sync and async."""

import asyncio

from counting_pools import CountingPools

from dvcache import Container, Settings
from dvcache.testing import MemoryPoolFactory

SETTINGS = Settings.parse({"LOCATION": "valkey://127.0.0.1:6379/1"})
NAME = "valkey://127.0.0.1:6379/1"


def test_commands_are_counted() -> None:
    """Send three commands."""
    counting = CountingPools(MemoryPoolFactory())
    with Container(SETTINGS, pool_factory=counting) as container:
        container.cache().set("a", 1)
        container.cache().set("b", 2)
        assert container.cache().get("a") == 1
        container.release()
    assert counting.commands == {NAME: 3}


def test_commands_of_coroutines_are_counted() -> None:
    """Send two commands from an event loop."""

    async def main() -> None:
        async with Container(SETTINGS, pool_factory=counting) as container:
            await container.async_cache().set("a", 1)
            assert await container.async_cache().get("a") == 1

    counting = CountingPools(MemoryPoolFactory())
    asyncio.run(main())
    assert counting.commands == {NAME: 2}
