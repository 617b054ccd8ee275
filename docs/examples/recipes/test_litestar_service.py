"""Test the service without a server: it is made with a container in memory."""

from collections.abc import Iterator

import litestar_service
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from dvcache import Container
from dvcache.testing import MemoryPoolFactory


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    """Start a service with a cache in memory, empty for each test."""

    def in_memory() -> Container:
        return Container(litestar_service.SETTINGS, pool_factory=MemoryPoolFactory())

    with TestClient(litestar_service.service(in_memory)) as client:
        yield client


def test_rate_is_looked_up_once(client: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask twice: the second answer comes from the cache."""
    assert client.get("/rates/USD").json() == 1.08
    monkeypatch.delattr(litestar_service, "looked_up")
    assert client.get("/rates/USD").json() == 1.08


def test_service_is_healthy(client: TestClient[Litestar]) -> None:
    """Ask for the health of the service."""
    assert client.get("/health").text == "ok"
