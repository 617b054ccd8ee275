"""A cluster of scripted nodes, which record their commands and take no time."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from dvcache.clients.build import ServerUse, client
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.error_replies import reply_error
from dvcache.errors import ConnectError, ReplyTimeout
from dvcache.routing.slots import slot
from dvcache.types import Address, Batch, Command, Endpoint

Answer = Callable[[Command], Any]

TIMEOUT = 30.0
"""Socket timeout of the nodes in seconds, which a busy machine does not reach."""


class Node:
    """A node with a store and a script of other answers.

    Args:
        world: the cluster.
        address: its host and port.
    """

    def __init__(self, world: "World", address: Address) -> None:
        self.world, self.address = world, address
        self.data: dict[object, Any] = {}
        self.asked: list[Command] = []
        self.script: list[Any] = []
        """Answers to the next commands: a reply, or an exception that ends the batch; None for the usual answer."""
        self.rehashing = False
        """True if commands with several keys are answered with TRYAGAIN."""
        self.down: Exception | None = None
        self.tries = 0
        """Batches that reached the node, also while it was down."""
        self.waited: Callable[[], object] | None = None
        """Called when a caller has waited in vain for a hung node; None if the node does not hang."""

    def run(self, batch: Batch) -> list[Any]:
        self.tries += 1
        if self.down is not None:
            raise self.down
        if self.waited is not None:
            self.waited()
            raise ReplyTimeout("no answer")
        replies = []
        asking = False
        for command in batch:
            self.asked.append(command)
            replies.append(self._answer(command, asking=asking))
            asking = command[0] == "ASKING"
        return replies

    def _answer(self, command: Command, *, asking: bool) -> Any:
        if command[0] in {"ASKING", "SCAN"}:
            return b"OK" if command[0] == "ASKING" else self._page(int(str(command[1])))
        if command[:2] == ("CLUSTER", "SLOTS"):
            self.world.refreshes += 1
            return self.world.slots()
        if self.script and (answer := self.script.pop(0)) is not None:
            if isinstance(answer, str):
                return reply_error(answer)
            raise answer
        if self.rehashing and command[0] == "MGET" and len(command) > 2:
            return reply_error("TRYAGAIN Multiple keys request during rehashing of slot")
        owner = self.world.owner(slot(command[1]))
        if owner is not self and not asking:
            host, port = owner.address
            return reply_error(f"MOVED {slot(command[1])} {host}:{port}")
        return self._performed(command)

    def _page(self, cursor: int) -> list[Any]:
        """Return one key; none for the cursor of another node."""
        start, port = divmod(cursor or self.address[1], 10000)
        names = list(self.data) if port == self.address[1] else []
        return [(start + 1) * 10000 + port if start + 1 < len(names) else 0, names[start : start + 1]]

    def _performed(self, command: Command) -> Any:
        name, key, *rest = command
        match name:
            case "GET":
                return self.data.get(key)
            case "SET":
                self.data[key] = rest[0]
                return b"OK"
            case "INCRBY":
                self.data[key] = int(self.data.get(key, 0)) + int(str(rest[0]))
                return self.data[key]
            case "MGET":
                return [self.data.get(each) for each in command[1:]]
        raise AssertionError(f"no such command here: {name}")


class World:
    """The nodes, the owners of the slots, and the clients of both modes.

    Args:
        primaries: number of primaries.
    """

    def __init__(self, primaries: int = 3) -> None:
        self.nodes = [Node(self, ("10.0.0.1", 7001 + n)) for n in range(primaries)]
        self.owners = [self.nodes[n * primaries // 16384] for n in range(16384)]
        self.refreshes = 0
        self.names: dict[str, Address] = {}
        """Addresses by host name."""
        self.pools: list[Any] = []

    def owner(self, slot: int) -> Node:
        return self.owners[slot]

    def slots(self) -> list[Any]:
        found: list[Any] = []
        for n, owner in enumerate(self.owners):
            host, port = owner.address
            if found and found[-1][2][1] == port:
                found[-1][1] = n
            else:
                found.append([n, n, [host.encode(), port, b"id"]])
        return found

    def at(self, endpoint: Endpoint) -> Node:
        place = self.names.get(endpoint.host, (endpoint.host, endpoint.port))
        for node in self.nodes:
            if node.address == place:
                return node
        raise ConnectError("cannot connect", endpoint=endpoint.name)

    def client(self, mode: str, *seeds: Address) -> Any:
        """Return a client of the cluster; in async mode one that runs each batch to its end."""
        places = seeds or [node.address for node in self.nodes]
        endpoints = [Endpoint(host=host, port=port, in_cluster=True, timeout=TIMEOUT) for host, port in places]
        use = ServerUse(cluster=True, read_from_primary=True)
        if mode == "sync":
            return client(Runner, lambda endpoint: Pool(self, endpoint), endpoints, use)
        return Blocking(client(AsyncRunner, lambda endpoint: AsyncPool(self, endpoint), endpoints, use))


class Pool:
    """A pool of one node."""

    def __init__(self, world: World, endpoint: Endpoint) -> None:
        self.world, self.endpoint, self.closed = world, endpoint, False
        world.pools.append(self)

    def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        return self.world.at(self.endpoint).run(batch)

    def close(self) -> None:
        self.closed = True


class AsyncPool:
    """An asynchronous pool of one node."""

    def __init__(self, world: World, endpoint: Endpoint) -> None:
        self.world, self.endpoint, self.closed = world, endpoint, False
        world.pools.append(self)

    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        await asyncio.sleep(0)
        return self.world.at(self.endpoint).run(batch)

    def begin(self, _batch: Batch, _until: float | None = None, /) -> None:
        """Return None: it writes nothing before a task awaits the replies."""

    def close(self) -> None:
        self.closed = True


class Blocking:
    """An asynchronous client that is called like a synchronous one."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        return asyncio.run(self.client.execute(batch))  # type: ignore[no-any-return]  # its replies

    def close(self) -> None:
        self.client.close()
