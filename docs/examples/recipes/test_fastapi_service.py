"""Test the service without a server: a container in memory takes the place of its own."""

from collections.abc import Iterator

import fastapi_service
import pytest
from fastapi.testclient import TestClient

from dvcache import Container
from dvcache.testing import MemoryPoolFactory


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Start the service with a cache in memory, empty for each test."""
    container = Container(fastapi_service.SETTINGS, pool_factory=MemoryPoolFactory())
    fastapi_service.app.dependency_overrides[fastapi_service.current_cache] = container.async_cache
    with container, TestClient(fastapi_service.app) as client:
        yield client
    fastapi_service.app.dependency_overrides.clear()


def test_rate_is_looked_up_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask twice: the second answer comes from the cache."""
    assert client.get("/rates/USD").json() == 1.08
    monkeypatch.delattr(fastapi_service, "looked_up")
    assert client.get("/rates/USD").json() == 1.08


def test_service_is_healthy(client: TestClient) -> None:
    """Ask for the health of the service."""
    assert client.get("/health").json() == "ok"
