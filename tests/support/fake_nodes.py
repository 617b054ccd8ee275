"""Servers that answer with their names, for tests of where commands go."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from typing_extensions import override

from dvcache.clients import build
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.errors import ClosedError
from dvcache.types import Batch, Endpoint

FOLLOWS: Final = [b"slave", b"primary", 6379, b"connected", 1]
LOST: Final = [b"slave", b"primary", 6379, b"connect", 1]

Outcome = Any
"""Outcome of each batch: an exception to raise, or the answer to each command."""


class Node:
    """A server that answers each command with its name, unless it has another outcome."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outcome: Outcome = name
        self.role: Outcome = FOLLOWS
        """The answer to ROLE."""
        self.batches: list[Batch] = []
        self.closed = self.aborted = 0

    @override
    def __repr__(self) -> str:
        return self.name

    def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        if self.closed:
            raise ClosedError(self.name)
        self.batches.append(batch)
        if callable(self.outcome):
            self.outcome()
        if isinstance(self.outcome, Exception) and not hasattr(self.outcome, "is_reply"):
            raise self.outcome
        return [self.role if command == ("ROLE",) else self.outcome for command in batch]

    def close(self) -> None:
        self.closed += 1

    def abort(self) -> None:
        self.closed += 1
        self.aborted += 1


class AsyncNode:
    """The same server for tasks."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        return self._node.execute(batch)

    def begin(self, _batch: Batch, _until: float | None = None, /) -> None:
        """Return None: it writes nothing before a task awaits the replies."""

    def close(self) -> None:
        self._node.close()

    def abort(self) -> None:
        self._node.abort()


def replied(error: Exception) -> Exception:
    """Return an error that a node answers in place of a reply."""
    error.is_reply = True  # type: ignore[attr-defined]  # a mark of this file's own
    return error


class Asker:
    """Clients of one mode, called in the same way."""

    def __init__(self, mode: str) -> None:
        self.mode: Any = Runner if mode == "sync" else AsyncRunner
        self._is_async = mode == "async"

    def one(self, node: Node) -> Any:
        """Return the client of a node."""
        return AsyncNode(node) if self._is_async else node

    def client(self, nodes: Sequence[Node], use: build.ServerUse | None = None, **fields: Any) -> Any:
        """Return the client of a topology in which the first node is the primary."""
        endpoints = [Endpoint(host=node.name, role="primary" if node is nodes[0] else "replica") for node in nodes]
        by_host: dict[str, Node] = {node.name: node for node in nodes}
        make: Callable[[Endpoint], Any] = lambda endpoint: self.one(by_host[endpoint.host])  # noqa: E731  # typed here
        return build.client(self.mode, make, endpoints, use or build.ServerUse(**fields))

    def ask(self, client: Any, batch: Batch) -> list[Any]:
        """Run a batch on a client of this mode."""
        if self._is_async:
            return list(asyncio.run(client.execute(batch)))
        return list(client.execute(batch))
