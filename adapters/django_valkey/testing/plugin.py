"""Fixtures that isolate Django's caches in pytest, loaded by the option `dvcache_django` of dvcache's plugin."""

from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_valkey._config import django_settings
from django_valkey.testing.isolation import MODES, Isolation
from dvcache.testing import ManualClock, Recorder

_NOT_CONFIGURED = (
    "dvcache_django isolates the aliases of CACHES, but Django's settings are not configured: install pytest-django, "
    "set DJANGO_SETTINGS_MODULE, or call settings.configure() in conftest.py"
)


@pytest.fixture(scope="session", autouse=True)
def valkey_isolation(pytestconfig: pytest.Config) -> Iterator[Isolation]:
    """Isolate Django's caches for the whole session."""
    named = pytestconfig.getoption("dvcache_django") or pytestconfig.getini("dvcache_django")
    try:
        django_settings.caches()
    except ImproperlyConfigured as error:
        raise pytest.UsageError(_NOT_CONFIGURED) from error
    with Isolation(next(mode for mode in MODES if mode == named)) as isolation:
        yield isolation


@pytest.fixture(autouse=True)
def valkey_empty_caches(valkey_isolation: Isolation) -> Iterator[None]:
    """Begin each test with empty caches and leave none of its entries."""
    valkey_isolation.clear()
    yield
    valkey_isolation.clear()
    valkey_isolation.clock = None


@pytest.fixture
def valkey_recorder(valkey_isolation: Isolation) -> Recorder:
    """Return the recorder of Django's caches and of the fixtures' caches."""
    return valkey_isolation.recorder


@pytest.fixture
def valkey_clock(valkey_isolation: Isolation) -> ManualClock:
    """Return the clock of the fixtures' caches, and of Django's if they are isolated in memory."""
    clock = ManualClock()
    valkey_isolation.clock = clock
    return clock
