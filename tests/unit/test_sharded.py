"""Test the client of shards, without servers: routing, retries, and the place of errors."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from dvcache import NotSupportedError
from dvcache.clients.build import ServerUse, client
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.errors import ClosedError, ConnectError, ConnectionLost
from dvcache.routing.lease_keys import is_lease, lease_of
from dvcache.types import Batch, Command, Endpoint

NAMES = ["valkey://a", "valkey://b", "valkey://c"]


class Scripted:
    """A pool that fails as scripted, then answers each command with its arguments, and records its batches."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.asked, self.closed = list(failures), list[Batch](), False

    def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        self.asked.append(batch)
        if self.failures:
            raise self.failures.pop(0)
        return [self.answer(command) for command in batch]

    def answer(self, command: Command) -> object:
        match command[0]:
            case "MGET":
                return list(command[1:])
            case "UNLINK":
                return len(command) - 1
            case "SCAN":
                return [b"0" if command[1] else b"7", [b"x"]]
        return b"OK"

    def close(self) -> None:
        self.closed = True


class AsyncScripted(Scripted):
    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:  # type: ignore[override]  # the other mode
        await asyncio.sleep(0)
        return super().execute(batch)


class Shards:
    """A client of one mode on scripted pools, and a key of each."""

    def __init__(self, mode: str, *failures: Sequence[Exception]) -> None:
        made = Scripted if mode == "sync" else AsyncScripted
        self.pools = [made(*each) for each in (*failures, (), (), ())][: len(NAMES)]
        runner = Runner if mode == "sync" else AsyncRunner
        endpoints = [Endpoint(host=name) for name in NAMES]
        pool_of = dict(zip(endpoints, self.pools, strict=True)).__getitem__
        self.client: Any = client(runner, pool_of, endpoints, ServerUse(shards=tuple(NAMES)))
        self.owner = lambda key: self.client.routing.owner(key)._pool
        keys = [b"%d" % n for n in range(99)]
        self.keys = [next(key for key in keys if self.owner(key) is pool) for pool in self.pools]

    def execute(self, *batch: Command) -> Sequence[Any]:
        replies = self.client.execute(batch)
        return cast("Sequence[Any]", asyncio.run(replies) if asyncio.iscoroutine(replies) else replies)


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return cast("str", request.param)


def test_batch_of_one_shard_is_sent_unchanged(mode: str) -> None:
    shards = Shards(mode)
    a = shards.keys[0]
    batch = (("GET", a), ("MGET", a, a))
    assert shards.execute(*batch) == [b"OK", [a, a]]
    assert [pool.asked for pool in shards.pools] == [[batch], [], []]


def test_batch_of_several_shards_is_divided_and_its_replies_are_in_order(mode: str) -> None:
    shards = Shards(mode)
    a, b, c = shards.keys
    assert shards.execute(("MGET", c, a, b, a), ("UNLINK", a, c)) == [[c, a, b, a], 2]
    assert [pool.asked for pool in shards.pools] == [
        [(("MGET", a, a), ("UNLINK", a))],
        [(("MGET", b),)],
        [(("MGET", c), ("UNLINK", c))],
    ]


@pytest.mark.parametrize("error", [ConnectError("down"), ClosedError("closed")])
def test_shard_error_is_in_the_place_of_its_keys(mode: str, error: Exception) -> None:
    shards = Shards(mode, [], [error])
    a, b, c = shards.keys
    [found, first, second] = shards.execute(("MGET", a, b, c), ("GET", b), ("GET", c))
    assert found == [a, error, c]
    assert (first, second) == (error, b"OK")


def test_lost_connection_is_retried_if_that_is_safe(mode: str) -> None:
    shards = Shards(mode, [ConnectionLost("cut")], [ConnectionLost("cut"), ConnectionLost("again")])
    a, b, c = shards.keys
    [found] = shards.execute(("MGET", a, b, c))
    assert found[::2] == [a, c]
    assert str(found[1]) == "again"
    assert [len(pool.asked) for pool in shards.pools] == [2, 2, 1]


def test_unsafe_commands_are_not_repeated(mode: str) -> None:
    shards = Shards(mode, [ConnectionLost("cut")])
    a, b, _ = shards.keys
    [failed, done] = shards.execute(("INCRBY", a, 1), ("INCRBY", b, 1))
    assert isinstance(failed, ConnectionLost)
    assert done == b"OK"
    assert [len(pool.asked) for pool in shards.pools] == [1, 1, 0]
    shards = Shards(mode, [ConnectionLost("cut")])
    with pytest.raises(ConnectionLost):
        shards.execute(("INCRBY", a, 1))


def test_error_of_no_server_is_raised(mode: str) -> None:
    shards = Shards(mode, [TypeError("no command")])
    a, b, _ = shards.keys
    with pytest.raises(TypeError, match="no command"):
        shards.execute(("MGET", a, b))


def test_indivisible_command_is_refused_before_sending(mode: str) -> None:
    shards = Shards(mode)
    a, b, _ = shards.keys
    with pytest.raises(NotSupportedError, match=r"SINTER: the keys .* are not in one slot .*; .* braces"):
        shards.execute(("GET", a), ("SINTER", a, b))
    assert [pool.asked for pool in shards.pools] == [[], [], []]


def test_scan_visits_one_shard_after_another_and_reports_a_lost_one(mode: str) -> None:
    shards = Shards(mode)
    cursor, positions = 0, []
    while True:
        [[cursor, names]] = shards.execute(("SCAN", cursor, "MATCH", b"*"))
        assert names == [b"x"]
        positions.append([len(pool.asked) for pool in shards.pools])
        if not cursor:
            break
    assert positions == [[1, 0, 0], [2, 0, 0], [2, 1, 0], [2, 2, 0], [2, 2, 1], [2, 2, 2]]
    assert shards.pools[1].asked == [(("SCAN", 0, "MATCH", b"*"),), (("SCAN", 7, "MATCH", b"*"),)]
    down = ConnectError("down")
    assert Shards(mode, [down]).execute(("SCAN", 0)) == [down]


def test_flushdb_goes_to_every_shard_and_fails_if_one_does(mode: str) -> None:
    down = ConnectError("down")
    shards = Shards(mode, [], [down])
    assert shards.execute(("FLUSHDB",)) == [down]
    assert [len(pool.asked) for pool in shards.pools] == [1, 1, 1]


def test_close_closes_the_connections_of_every_shard(mode: str) -> None:
    shards = Shards(mode)
    shards.client.close()
    assert [pool.closed for pool in shards.pools] == [True] * 3


@pytest.mark.parametrize("entry", [b"k", b"{t}k", b"a{b", b"a}b", b"{a}{b}", b"a\nb", b"", b"k:lease"])
def test_lease_of_an_entry_is_on_its_shard(entry: bytes) -> None:
    owner = Shards("sync").owner
    lease = lease_of(entry, "ring")
    assert lease != entry
    assert is_lease(lease)
    assert owner(lease) is owner(entry)
