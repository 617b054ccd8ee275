"""Test a primary whose host name moves: the old server becomes a replica, and connections to it stay open."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from dvcache import Container, ReadOnlyError, Settings
from dvcache.effects import Transaction
from tests.support.proxies import DelayProxy
from tests.support.replication import AT_ONCE, calls, role
from tests.support.servers import Server, wait_until

Call = Callable[..., Any]


def offset(server: Server, role: str) -> str:
    return server.info("replication")[f"{role}_repl_offset"]


class Moving:
    """A host name of a primary that can move to the primary's replica."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.old, self.new = (self._stack.enter_context(Server(*AT_ONCE)) for _ in range(2))
        self.name = self._stack.enter_context(DelayProxy(self.old.port))
        self.follow(self.new, self.old)

    def follow(self, replica: Server, primary: Server) -> None:
        replica.raw("REPLICAOF", "127.0.0.1", primary.port)
        wait_until(lambda: b"master_link_status:up" in replica.raw("INFO", "replication"))

    def move(self, *, name: bool = True) -> None:
        """Promote the replica; without the name, which keeps resolving to the old primary."""
        # a replica that lags at its promotion loses acknowledged writes
        wait_until(lambda: offset(self.new, "slave") == offset(self.old, "master"))
        self.new.raw("REPLICAOF", "NO", "ONE")
        self.follow(self.old, self.new)
        if name:
            self.name._upstream = self.new.port

    def back(self) -> None:
        """Restore the first state, with empty servers."""
        if role(self.old) == "slave":
            self.old.raw("REPLICAOF", "NO", "ONE")
            self.follow(self.new, self.old)
        self.name._upstream = self.old.port
        self.old.raw("FLUSHALL")
        self.name.cut()

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="module")
def shared_moving() -> Iterator[Moving]:
    moving = Moving()
    yield moving
    moving.close()


@pytest.fixture
def moving(shared_moving: Moving) -> Moving:
    shared_moving.back()
    return shared_moving


def one(moving: Moving, _: Server) -> Any:
    return f"valkey://127.0.0.1:{moving.name.port}/0"


def with_replica(moving: Moving, _: Server) -> Any:
    return [f"valkey://127.0.0.1:{moving.name.port}/0?is_master=1", f"{moving.new.url()}?is_master=0"]


def sharded(moving: Moving, other: Server) -> Any:
    return [f"valkey://127.0.0.1:{moving.name.port}/0", other.url()]


TOPOLOGIES: dict[str, tuple[Callable[[Moving, Server], Any], dict[str, Any], dict[str, Any]]] = {
    "one": (one, {}, {}),
    "with a replica": (with_replica, {}, {}),
    "herd": (one, {"HERD": True}, {}),
    "ignoring errors": (one, {"IGNORE_EXCEPTIONS": True}, {}),
    "RESP3": (one, {"CONNECTION_POOL_KWARGS": {"protocol": 3}}, {}),
    "shards": (sharded, {"CLIENT_CLASS": "django_valkey.client.ShardClient"}, {}),
    "own pool": (
        one,
        {},
        {"sync": "tests.support.custom_pools.OwnPool", "async": "tests.support.custom_pools.OwnAsyncPool"},
    ),
}


@contextmanager
def calling(moving: Moving, other: Server, topology: str, mode: str) -> Iterator[tuple[Container, Call]]:
    """Yield a container, and a function that calls a method of its cache."""
    location, options, pools = TOPOLOGIES[topology]
    options = {**options, **({"CONNECTION_POOL_CLASS": pools[mode]} if pools else {})}
    with Container(Settings.parse({"LOCATION": location(moving, other), "OPTIONS": options})) as container:
        if mode == "sync":
            yield container, lambda name, *args, **kwargs: getattr(container.cache(), name)(*args, **kwargs)
            return
        with asyncio.Runner() as runner:
            yield container, lambda name, *args, **kwargs: runner.run(called(container, name, *args, **kwargs))


async def called(container: Container, name: str, *args: Any, **kwargs: Any) -> Any:
    return await getattr(container.async_cache(), name)(*args, **kwargs)


both = pytest.mark.parametrize("mode", ["sync", "async"])
everywhere = pytest.mark.parametrize("topology", TOPOLOGIES)


@pytest.mark.full("moves a primary: 5 s")
@both
@everywhere
def test_writes_go_to_the_new_primary_when_its_host_name_changes(
    moving: Moving, server: Server, topology: str, mode: str
) -> None:
    with calling(moving, server, topology, mode) as (_, call):
        names = [f"k{n}" for n in range(20)]
        assert call("set_many", dict.fromkeys(names, 1)) == []
        moving.move()
        assert call("set_many", dict.fromkeys(names, 5)) == []
        assert [call("incr", name) for name in names] == [6] * 20
        assert call("get_or_set", "made", lambda: 7) == 7
        assert all(call("set", name, 8) for name in names)
        assert call("delete_many", names) == 20


@pytest.mark.full("waits for servers to change")
@both
@pytest.mark.parametrize("operation", ["set", "incr", "add", "delete", "touch", "expire", "incr_version", "get_or_set"])
def test_first_write_after_the_primary_moved_is_performed_once(
    moving: Moving, server: Server, operation: str, mode: str
) -> None:
    arguments = {"set": (1,), "add": (1,), "touch": (60,), "expire": (60,), "get_or_set": (lambda: 5,)}
    with calling(moving, server, "one", mode) as (_, call):
        assert call("set", "k", 1)
        moving.move()
        key = "new" if operation in {"add", "get_or_set"} else "k"
        assert call(operation, key, *arguments.get(operation, ()))
        if operation == "incr":
            assert call("get", "k") == 2


@pytest.mark.full("waits for servers to change")
@both
@everywhere
def test_concurrent_increments_while_the_primary_moves_count_once_each(
    moving: Moving, server: Server, topology: str, mode: str
) -> None:
    with calling(moving, server, topology, mode) as (container, call):
        call("set", "n", 0)
        if mode == "sync":
            with ThreadPoolExecutor(8) as crowd:
                list(crowd.map(lambda _: call("incr", "n"), range(40)))
                moving.move()
                list(crowd.map(lambda _: call("incr", "n"), range(40)))
        else:

            async def counts() -> None:
                cache = container.async_cache()
                await asyncio.gather(*(cache.incr("n") for _ in range(40)))
                await asyncio.to_thread(moving.move)
                await asyncio.gather(*(cache.incr("n") for _ in range(40)))

            with asyncio.Runner() as runner:
                runner.run(counts())
        assert call("get", "n") == 80


@both
def test_answered_commands_of_a_batch_are_not_repeated(moving: Moving, mode: str) -> None:
    batch = (("GET", b":1:k"), ("SET", b":1:k", b"2"), ("GET", b":1:k"), ("INCRBY", b":1:k", 1))

    async def executed(container: Container) -> Any:
        async with container:
            cache = container.async_cache()
            await cache.set("k", 1)
            await asyncio.to_thread(moving.move)
            return await cache._async_client.execute(batch)

    before = calls(moving.new, "get"), calls(moving.old, "get")
    container = Container(Settings.parse({"LOCATION": one(moving, moving.old)}))
    if mode == "async":
        replies = asyncio.run(executed(container))
    else:
        with container:
            container.cache().set("k", 1)
            moving.move()
            replies = container.cache()._client.execute(batch)
    assert list(replies) == [b"1", b"OK", b"1", 3]
    assert (calls(moving.new, "get"), calls(moving.old, "get")) == (before[0], before[1] + 2)


@both
def test_transaction_is_repeated_on_the_new_primary(moving: Moving, server: Server, mode: str) -> None:
    batch = Transaction(b"k", lambda found: (("SET", b"k", (found or b"") + b"x"),))
    with calling(moving, server, "one", mode) as (container, call):
        call("get", "k")
        with asyncio.Runner() as runner:

            def execute() -> Any:
                if mode == "sync":
                    return container.cache()._client.execute(batch)
                return runner.run(container.async_cache()._async_client.execute(batch))  # type: ignore[arg-type]

            assert execute() == [True, [b"OK"]]
            moving.move()
            assert execute() == [True, [b"OK"]]
    assert moving.new.raw("GET", "k") == b"xx"


@both
@pytest.mark.parametrize("topology", ["one", "own pool"])
def test_host_name_that_still_resolves_to_a_replica_is_reported(
    moving: Moving, server: Server, topology: str, mode: str
) -> None:
    with calling(moving, server, topology, mode) as (_, call):
        call("set", "k", 1)
        moving.move(name=False)
        accepted = moving.name.accepted
        for _ in range(20):
            with pytest.raises(ReadOnlyError):
                call("set", "k", 2)
        assert moving.name.accepted - accepted < 10  # the name is not resolved again for each write
        assert call("get", "k") == 1


@both
def test_idle_connections_to_the_old_primary_are_closed(moving: Moving, server: Server, mode: str) -> None:
    with calling(moving, server, "one", mode) as (_, call):
        if mode == "sync":
            with ThreadPoolExecutor(8) as crowd:
                list(crowd.map(lambda n: call("set", f"k{n}", n), range(80)))
        call("set", "k", 1)
        moving.move()
        call("set", "k", 2)
        wait_until(lambda: moving.name.open == 1)
