"""The client of shards, without servers: what is sent to whom, what is tried again, and whose errors stand where."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from dvcache import NotSupportedError
from dvcache.clients.sharded import AsyncSharded, Sharded
from dvcache.errors import ClosedError, ConnectError, ConnectionLost
from dvcache.routing.lease_keys import is_lease, lease_of
from dvcache.types import Batch, Command

NAMES = ["valkey://a", "valkey://b", "valkey://c"]


class Scripted:
    """A pool that fails as it is told, then answers each command with its arguments, and remembers its batches."""

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
        self.client: Any = (Sharded if mode == "sync" else AsyncSharded)(dict(zip(NAMES, self.pools, strict=True)))
        owner = self.client._shards.owner
        keys = [b"%d" % n for n in range(99)]
        self.keys = [next(key for key in keys if owner(key) is pool) for pool in self.pools]

    def execute(self, *batch: Command) -> Sequence[Any]:
        replies = self.client.execute(batch)
        return cast("Sequence[Any]", asyncio.run(replies) if asyncio.iscoroutine(replies) else replies)


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return cast("str", request.param)


def test_a_batch_of_one_shard_is_its_own_as_it_is(mode: str) -> None:
    shards = Shards(mode)
    a = shards.keys[0]
    batch = (("GET", a), ("MGET", a, a))
    assert shards.execute(*batch) == [b"OK", [a, a]]
    assert [pool.asked for pool in shards.pools] == [[batch], [], []]


def test_a_batch_of_several_is_divided_and_its_replies_come_in_order(mode: str) -> None:
    shards = Shards(mode)
    a, b, c = shards.keys
    assert shards.execute(("MGET", c, a, b, a), ("UNLINK", a, c)) == [[c, a, b, a], 2]
    assert [pool.asked for pool in shards.pools] == [
        [(("MGET", a, a), ("UNLINK", a))],
        [(("MGET", b),)],
        [(("MGET", c), ("UNLINK", c))],
    ]


@pytest.mark.parametrize("error", [ConnectError("down"), ClosedError("closed")])
def test_the_error_of_a_shard_stands_in_the_places_of_its_keys(mode: str, error: Exception) -> None:
    shards = Shards(mode, [], [error])
    a, b, c = shards.keys
    [found, first, second] = shards.execute(("MGET", a, b, c), ("GET", b), ("GET", c))
    assert found == [a, error, c]
    assert (first, second) == (error, b"OK")


def test_a_lost_connection_is_tried_again_where_that_is_safe(mode: str) -> None:
    shards = Shards(mode, [ConnectionLost("cut")], [ConnectionLost("cut"), ConnectionLost("again")])
    a, b, c = shards.keys
    [found] = shards.execute(("MGET", a, b, c))
    assert found[::2] == [a, c]
    assert str(found[1]) == "again"
    assert [len(pool.asked) for pool in shards.pools] == [2, 2, 1]


def test_what_is_not_safe_to_repeat_is_not_sent_again(mode: str) -> None:
    shards = Shards(mode, [ConnectionLost("cut")])
    a, b, _ = shards.keys
    [failed, done] = shards.execute(("INCRBY", a, 1), ("INCRBY", b, 1))
    assert isinstance(failed, ConnectionLost)
    assert done == b"OK"
    assert [len(pool.asked) for pool in shards.pools] == [1, 1, 0]
    shards = Shards(mode, [ConnectionLost("cut")])
    with pytest.raises(ConnectionLost):
        shards.execute(("INCRBY", a, 1))


def test_an_error_that_is_none_of_a_server_is_raised(mode: str) -> None:
    shards = Shards(mode, [TypeError("no command")])
    a, b, _ = shards.keys
    with pytest.raises(TypeError, match="no command"):
        shards.execute(("MGET", a, b))


def test_what_cannot_be_divided_is_refused_before_anything_is_sent(mode: str) -> None:
    shards = Shards(mode)
    a, b, _ = shards.keys
    with pytest.raises(NotSupportedError, match=r"SINTER: the keys .* are not in one slot .*; .* braces"):
        shards.execute(("GET", a), ("SINTER", a, b))
    assert [pool.asked for pool in shards.pools] == [[], [], []]


def test_a_scan_goes_through_one_shard_after_another_and_says_where_a_shard_is_lost(mode: str) -> None:
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


def test_flushdb_is_for_every_shard_and_fails_where_one_does(mode: str) -> None:
    down = ConnectError("down")
    shards = Shards(mode, [], [down])
    assert shards.execute(("FLUSHDB",)) == [down]
    assert [len(pool.asked) for pool in shards.pools] == [1, 1, 1]


def test_close_ends_the_connections_of_every_shard(mode: str) -> None:
    shards = Shards(mode)
    shards.client.close()
    assert [pool.closed for pool in shards.pools] == [True] * 3


@pytest.mark.parametrize("entry", [b"k", b"{t}k", b"a{b", b"a}b", b"{a}{b}", b"a\nb", b"", b"k:lease"])
def test_the_lease_of_an_entry_is_on_its_shard(entry: bytes) -> None:
    owner = Shards("sync").client._shards.owner
    lease = lease_of(entry, "ring")
    assert lease != entry
    assert is_lease(lease)
    assert owner(lease) is owner(entry)
