"""Shards for tests: three independent servers, any of which may hang or die."""

from contextlib import ExitStack
from typing import Self

import valkey

from tests.support.replication import Node

DB = 1


class Shards:
    """Three servers. Used as a context manager."""

    def __init__(self) -> None:
        self.servers: tuple[Node, ...] = ()
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            self.servers = tuple(exits.enter_context(Node()) for _ in range(3))
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def restore(self) -> None:
        """Restore every server, and empty it."""
        for server in self.servers:
            if server.state == "hanging":
                server.resume()
            if server.state == "down":
                server.restart()
            server.raw("FLUSHALL")

    @property
    def urls(self) -> list[str]:
        return [server.url(DB) for server in self.servers]

    def names(self) -> list[set[bytes]]:
        """Return the stored keys of each server."""
        return [set(valkey.Valkey.from_url(url).keys()) for url in self.urls]
