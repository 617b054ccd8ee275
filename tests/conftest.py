"""Servers and settings that all tests share. Nothing has to be started by hand."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

from tests.servers import DelayProxy, Server, TlsProxy, add_users

hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    with Server() as server:
        add_users(server)
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The session's server, empty."""
    shared_server.raw("FLUSHALL")
    return shared_server


@pytest.fixture
def acl_server(server: Server) -> Server:
    """The session's server, empty, with the users `CACHE_USER` and `NO_SCRIPTS_USER` of `tests.servers`."""
    return server


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that the test may kill or configure."""
    with Server() as server:
        yield server


@pytest.fixture
def proxy(server: Server) -> Iterator[DelayProxy]:
    """A proxy of the test's own in front of the session's server."""
    with DelayProxy(server.port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def shared_tls_proxy(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsProxy]:
    with TlsProxy(shared_server.port, tmp_path_factory.mktemp("certificates")) as proxy:
        yield proxy


@pytest.fixture
def tls_proxy(shared_tls_proxy: TlsProxy, server: Server) -> TlsProxy:
    """TLS in front of the session's server, which is empty."""
    assert server.port
    return shared_tls_proxy
