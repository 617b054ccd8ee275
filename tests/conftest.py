"""Share servers and settings among all tests, which start servers on demand."""

import gc
import os
from collections.abc import Iterator

import hypothesis
import pytest

from tests import selection
from tests.support import report_tables
from tests.support.clusters import Cluster
from tests.support.servers import PASSWORD, DelayProxy, Server, TlsProxy, add_users
from tests.support.shards import Shards
from tests.support.topologies import Replication, SentinelFleet

hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis.settings.register_profile("fast", hypothesis.settings.get_profile("ci"), max_examples=20)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    selection.share(config)


def pytest_configure(config: pytest.Config) -> None:
    """Draw few examples in the fast path, and the same ones each time there and in the gate."""
    fast = config.option.markexpr == selection.FAST
    hypothesis.settings.load_profile("fast" if fast else "ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    with Server() as server:
        add_users(server)
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """Empty the session's server."""
    shared_server.raw("FLUSHALL")
    return shared_server


@pytest.fixture
def acl_server(server: Server) -> Server:
    """Empty the session's server, and add the users `CACHE_USER` and `NO_SCRIPTS_USER` of `tests.support.servers`."""
    return server


@pytest.fixture
def own_server() -> Iterator[Server]:
    """Start a server that the test may kill or configure."""
    with Server() as server:
        yield server


@pytest.fixture
def proxy(server: Server) -> Iterator[DelayProxy]:
    """Start a proxy in front of the session's server for one test."""
    with DelayProxy(server.port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def shared_tls_proxy(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsProxy]:
    with TlsProxy(shared_server.port, tmp_path_factory.mktemp("certificates")) as proxy:
        yield proxy


@pytest.fixture
def tls_proxy(shared_tls_proxy: TlsProxy, server: Server, monkeypatch: pytest.MonkeyPatch) -> TlsProxy:
    """Put TLS in front of the session's server, emptied. The system trusts no authority.

    For each connection valkey-py reads all authorities that the system trusts, which takes 18 ms of the processor.
    """
    assert server.port
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    return shared_tls_proxy


@pytest.fixture(scope="session")
def shared_replication() -> Iterator[Replication]:
    with Replication() as replication:
        yield replication


@pytest.fixture
def replication(shared_replication: Replication) -> Replication:
    """Restore and empty the session's primary and two replicas."""
    shared_replication.restore()
    shared_replication.flush()
    return shared_replication


@pytest.fixture(scope="session")
def shared_fleet() -> Iterator[SentinelFleet]:
    with SentinelFleet() as fleet:
        yield fleet


@pytest.fixture
def fleet(shared_fleet: SentinelFleet) -> SentinelFleet:
    """Restore and empty the session's sentinels and their services."""
    shared_fleet.restore()
    shared_fleet.flush()
    return shared_fleet


@pytest.fixture
def own_fleet() -> Iterator[SentinelFleet]:
    """Start sentinels and services with passwords for one test."""
    with SentinelFleet(password=PASSWORD, sentinel_password=PASSWORD) as fleet:
        yield fleet


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Cluster:
    """Restore and empty the session's cluster, with its original slots."""
    shared_cluster.restore()
    shared_cluster.flush()
    return shared_cluster


@pytest.fixture(scope="session")
def shared_shards() -> Iterator[Shards]:
    with Shards() as shards:
        yield shards


@pytest.fixture
def shards(shared_shards: Shards) -> Shards:
    """Restore and empty the session's three shards."""
    shared_shards.restore()
    return shared_shards


@hypothesis.given(hypothesis.strategies.none())
def draw_nothing(_: None) -> None:
    """Register this thread's random generator with hypothesis."""


def pytest_collection() -> None:
    """Pause garbage collection while tests are collected: they all stay, and it takes a quarter of the time."""
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests before `-m` deselects some of them."""
    selection.mark(items)


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection: they stay to the end."""
    gc.enable()
    # On Python 3.14 hypothesis warns about a generator that is registered while its referrers are frozen.
    draw_nothing()
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    report_tables.write(terminalreporter)
