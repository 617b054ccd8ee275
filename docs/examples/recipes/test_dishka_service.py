"""Test the service without a server: a provider of the tests overrides its cache."""

from collections.abc import AsyncIterator, Iterator

import dishka_service
import pytest
from dishka import Provider, Scope, provide
from fastapi.testclient import TestClient

from dvcache import AsyncCache, Container
from dvcache.testing import MemoryPoolFactory


class MemoryProvider(Provider):
    """Provides a cache in memory."""

    scope = Scope.APP

    @provide(override=True)
    async def cache(self) -> AsyncIterator[AsyncCache]:
        """Yield a cache of the tests."""
        async with Container(dishka_service.SETTINGS, pool_factory=MemoryPoolFactory()) as container:
            yield container.async_cache()


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Start a service with a cache in memory, empty for each test."""
    with TestClient(dishka_service.service(MemoryProvider())) as client:
        yield client


def test_rate_is_looked_up_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask twice: the second answer comes from the cache."""
    assert client.get("/rates/USD").json() == 1.08
    monkeypatch.delattr(dishka_service, "looked_up")
    assert client.get("/rates/USD").json() == 1.08


def test_service_is_healthy(client: TestClient) -> None:
    """Ask for the health of the service."""
    assert client.get("/health").json() == "ok"
