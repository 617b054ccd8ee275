"""What tests against a real server share."""

from collections.abc import Iterator

import pytest

from dvcache.pools.lean import LeanPool
from dvcache.protocols import Pool
from dvcache.types import Endpoint
from tests.servers import Server


@pytest.fixture
def real(server: Server) -> Iterator[Pool]:
    """A pool of the session's server."""
    pool = LeanPool(Endpoint(host="127.0.0.1", port=server.port))
    yield pool
    pool.close()
