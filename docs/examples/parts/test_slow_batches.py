"""Test what is logged, sync and async."""

import asyncio

import pytest
from slow_batches import AsyncSlowBatches, SlowBatches

from dvcache import Container, Settings
from dvcache.testing import MemoryPoolFactory

SETTINGS = Settings.parse({"LOCATION": "valkey://127.0.0.1:6379/1"})


@pytest.mark.parametrize(("limit", "logged"), [(0, True), (3600, False)])
def test_slow_batch_is_logged_without_keys_and_values(
    limit: float, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Send a batch, with a limit that every batch exceeds, and with one that none does."""
    plain = Container(SETTINGS, pool_factory=MemoryPoolFactory())
    with plain, Container(SETTINGS, client=SlowBatches(plain.client(), limit)) as container:
        container.cache().set("secret", "value")
        assert container.cache().get("secret") == "value"
    assert ("SET took" in caplog.text) is logged
    assert "secret" not in caplog.text


def test_slow_batch_of_a_coroutine_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Send a batch from an event loop."""

    async def main() -> None:
        plain = Container(SETTINGS, pool_factory=MemoryPoolFactory())
        async with plain, Container(SETTINGS, async_client=AsyncSlowBatches(plain.async_client(), 0)) as container:
            await container.async_cache().set("secret", "value")

    asyncio.run(main())
    assert "SET took" in caplog.text
