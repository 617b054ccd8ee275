"""Debian's redis-server, if it is installed."""

import shutil
from typing import Final

import pytest
from typing_extensions import override

from dvcache.pools.embedded.process import BINARY
from tests.support.servers import Server

REDIS: Final = shutil.which("redis-server")


class RedisServer(Server):
    """A standalone redis-server, as `Server`."""

    @override
    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(BINARY, str(REDIS))
            super().start()
