"""The pytest plugin: fixtures of caches for tests, and options that isolate the caches of Django.

pytest loads this module in every project, so it imports the library within the fixtures only.
"""

import uuid
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from dvcache.cache import AsyncCache, Cache
    from dvcache.container import Container
    from dvcache.pools.embedded.process import ServerProcess
    from dvcache.settings import Settings
    from dvcache.testing.fakes import ManualClock
    from dvcache.testing.recorder import Recorder

GROUP: Final = "dvcache.testing"
"""Entry points of plugins for one framework, which an option loads."""

_OPTIONS: Final = {
    "dvcache_server": (("embedded", "memory"), "where the valkey_* fixtures store entries: embedded (default), memory"),
    "dvcache_django": (("off", "memory", "prefix"), "isolate Django's caches of this library: off, memory, prefix"),
}
_NO_SERVER: Final = (
    "the fixture valkey_server starts a Valkey and found none: run pip install 'dvcache[embedded]', or set "
    "dvcache_server = memory in the configuration of pytest"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, as ini settings and on the command line."""
    group = parser.getgroup("dvcache", "Valkey caches")
    for name, (choices, text) in _OPTIONS.items():
        group.addoption(f"--{name.replace('_', '-')}", dest=name, choices=choices, default=None, help=text)
        parser.addini(name, text, default=choices[0])


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin for Django if an option asks for it.

    Raises:
        UsageError: an ini setting has an unknown value.
    """
    _chosen(config, "dvcache_server")
    if _chosen(config, "dvcache_django") != "off":
        for point in entry_points(group=GROUP, name="django"):
            config.pluginmanager.register(point.load(), "dvcache-django")


def _chosen(config: pytest.Config, name: str) -> str:
    """Return the value of an option: from the command line, else from the configuration."""
    choices, _ = _OPTIONS[name]
    value = str(config.getoption(name) or config.getini(name))
    if value not in choices:
        raise pytest.UsageError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


@pytest.fixture(scope="session")
def valkey_server() -> "Iterator[ServerProcess]":
    """Start a Valkey server on a Unix socket, one for each worker of pytest-xdist, and end it with the session.

    Its `path` is the socket's path.
    """
    from dvcache.errors import ConfigurationError  # noqa: PLC0415  # as the module's docstring says
    from dvcache.pools.embedded.process import BINARY, ServerProcess  # noqa: PLC0415

    try:
        server = ServerProcess()
    except ConfigurationError as error:
        if error.key == BINARY:
            raise
        pytest.fail(_NO_SERVER, pytrace=False)
    yield server
    server.end()


@pytest.fixture
def valkey_settings(request: pytest.FixtureRequest) -> "Settings":
    """Return the settings of the test's caches: an empty prefix of its own, on the server or in memory.

    Override it to test with other settings. With the fixture `valkey_clock` the caches are in memory.
    """
    from dvcache.settings import Settings  # noqa: PLC0415  # as above

    prefix = f"test-{uuid.uuid4().hex[:12]}"
    location = f"memory://{prefix}"
    if _chosen(request.config, "dvcache_server") == "embedded" and "valkey_clock" not in request.fixturenames:
        location = f"unix://{request.getfixturevalue('valkey_server').path}"
    return Settings.parse({"LOCATION": location, "KEY_PREFIX": prefix, "OPTIONS": {"CLEAR_SCOPE": "prefix"}})


@pytest.fixture
def valkey_container(
    request: pytest.FixtureRequest, valkey_settings: "Settings", valkey_recorder: "Recorder"
) -> "Iterator[Container]":
    """Yield the container of the test's caches; they are recorded by `valkey_recorder`."""
    from dvcache.container import Container, Replacements  # noqa: PLC0415  # as above
    from dvcache.testing.fakes import MemoryPoolFactory  # noqa: PLC0415

    replaced: Replacements = {}
    if "valkey_clock" in request.fixturenames:
        clock: ManualClock = request.getfixturevalue("valkey_clock")
        replaced = {"clock": clock, "pool_factory": MemoryPoolFactory(clock)}
    elif all(endpoint.scheme == "memory" for endpoint in valkey_settings.endpoints):
        replaced = {"pool_factory": MemoryPoolFactory()}
    with Container(valkey_settings, **replaced) as container:
        yield valkey_recorder.wrap(container)


@pytest.fixture
def valkey_cache(valkey_container: "Container") -> "Cache":
    """Return an empty cache."""
    return valkey_container.cache()


@pytest.fixture
def async_valkey_cache(valkey_container: "Container") -> "AsyncCache":
    """Return the asynchronous cache with the entries of `valkey_cache`.

    Creating and closing it needs no event loop: any plugin for asynchronous tests will do, and `asyncio.run`.
    """
    return valkey_container.async_cache()


@pytest.fixture
def valkey_clock() -> "ManualClock":
    """Return the clock of the test's caches, which are then in memory: `valkey_clock.advance(60)`."""
    from dvcache.testing.fakes import ManualClock  # noqa: PLC0415  # as above

    return ManualClock()


@pytest.fixture
def valkey_recorder() -> "Recorder":
    """Return the recorder of the test's caches; with the option `dvcache_django` also of Django's."""
    from dvcache.testing.recorder import Recorder  # noqa: PLC0415  # as above

    return Recorder()
