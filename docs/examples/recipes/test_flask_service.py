"""Test the service without a server: it is made with a container in memory."""

from collections.abc import Iterator

import flask_service
import pytest
from flask.testing import FlaskClient

from dvcache import Container
from dvcache.testing import MemoryPoolFactory


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    """Make a service with a cache in memory, empty for each test."""
    with Container(flask_service.SETTINGS, pool_factory=MemoryPoolFactory()) as container:
        yield flask_service.create_app(container).test_client()


def test_rate_is_looked_up_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask twice: the second answer comes from the cache."""
    assert client.get("/rates/USD").json == {"USD": 1.08}
    monkeypatch.delattr(flask_service, "looked_up")
    assert client.get("/rates/USD").json == {"USD": 1.08}


def test_service_is_healthy(client: FlaskClient) -> None:
    """Ask for the health of the service."""
    assert client.get("/health").text == "ok"
