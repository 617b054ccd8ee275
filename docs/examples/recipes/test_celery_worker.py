"""Test the tasks without broker and server: `apply` runs them in this process, with a container in memory."""

from collections.abc import Iterator

import celery_worker
import pytest

from dvcache import Container
from dvcache.testing import MemoryPoolFactory


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give this process a cache in memory, empty for each test."""
    with Container(celery_worker.SETTINGS, pool_factory=MemoryPoolFactory()) as container:
        monkeypatch.setattr(celery_worker.Process, "container", container)
        yield


def test_rate_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call the task twice: the second result comes from the cache."""
    assert celery_worker.rate.apply(["USD"]).get() == 1.08
    monkeypatch.delattr(celery_worker, "looked_up")
    assert celery_worker.rate.apply(["USD"]).get() == 1.08


def test_worker_is_healthy() -> None:
    """Ask for the health of the worker."""
    assert celery_worker.healthy.apply().get()
