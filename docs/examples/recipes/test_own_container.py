"""Test the application without a server: the provider of its cache is overridden."""

from collections.abc import Iterator

import pytest
from dependency_injector import providers
from own_container import SETTINGS, Application, Rates

from dvcache import Container
from dvcache.testing import MemoryPoolFactory


@pytest.fixture
def rates() -> Iterator[Rates]:
    """Build the application with a cache in memory, empty for each test."""
    application = Application()
    with Container(SETTINGS, pool_factory=MemoryPoolFactory()) as container:
        application.cache.override(providers.Object(container.cache()))
        yield application.rates()


def test_rate_is_looked_up_once(rates: Rates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask twice: the second answer comes from the cache."""
    assert rates.rate("USD") == 1.08
    monkeypatch.delattr(Rates, "looked_up")
    assert rates.rate("USD") == 1.08


def test_application_is_healthy(rates: Rates) -> None:
    """Ask for the health of the application."""
    assert rates.healthy()
