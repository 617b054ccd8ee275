"""Test shards that hang, die and return: only their own keys are affected, in both modes."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from dvcache import Cache, ConnectError, Container, NotSupportedError, Settings, TransportError
from dvcache.routing.ring import Ring
from dvcache.testing.conformance import Blocking
from tests.support.replication import Node, calls, clients, reset_calls
from tests.support.servers import wait_until
from tests.support.shards import Shards

KEYS = [f"key:{n}" for n in range(60)]
DEADLINE = 1.0


class Sharded:
    """A cache of one mode on shards."""

    def __init__(self, shards: Shards, mode: str, runner: asyncio.Runner, **options: object) -> None:
        self._shards, self._mode, self._runner = shards, mode, runner
        settings = Settings.parse({"LOCATION": shards.urls, "OPTIONS": {"SHARDED": True, **options}})
        self.container = Container(settings)
        is_sync = mode == "sync"
        own: Any = self.container.cache() if is_sync else Blocking(self.container.async_cache(), runner)
        self.cache = cast("Cache", own)
        ring = Ring(shards.urls)
        self.owners = {key: shards.servers[shards.urls.index(ring.owner(f":1:{key}".encode()))] for key in KEYS}

    def of(self, server: Node) -> list[str]:
        return [key for key in KEYS if self.owners[key] is server]

    def close(self) -> None:
        self._runner.run(self.container.aclose())


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest, shards: Shards) -> Iterator[Any]:
    made: list[Sharded] = []
    with asyncio.Runner() as runner:

        def make(**options: object) -> Sharded:
            made.append(Sharded(shards, request.param, runner, **options))
            return made[-1]

        yield make
        for each in made:
            each.close()


@pytest.fixture
def sharded(make: Any) -> Sharded:
    found: Sharded = make()
    return found


def test_every_entry_is_on_its_shard_and_on_no_other(sharded: Sharded, shards: Shards) -> None:
    assert sharded.cache.set_many(dict.fromkeys(KEYS, 1)) == []
    for server, names in zip(shards.servers, shards.names(), strict=True):
        assert names == {f":1:{key}".encode() for key in sharded.of(server)}
        assert names


def test_dead_shard_fails_its_own_keys_only(sharded: Sharded, shards: Shards) -> None:
    cache, dead = sharded.cache, shards.servers[1]
    cache.set_many(dict.fromkeys(KEYS, 1))
    dead.kill()
    lost = sharded.of(dead)
    for key in KEYS:
        if key not in lost:
            assert (cache.get(key), cache.set(key, 2)) == (1, True)
    with pytest.raises(TransportError):
        cache.get(lost[0])
    with pytest.raises(TransportError):
        cache.get_many(KEYS)
    assert sorted(cache.set_many(dict.fromkeys(KEYS, 3))) == sorted(lost)
    assert cache.get_many(set(KEYS) - set(lost)) == dict.fromkeys(set(KEYS) - set(lost), 3)
    with pytest.raises(TransportError):
        cache.keys("*")
    with pytest.raises(TransportError):
        cache.clear()
    assert not cache.get_many(set(KEYS) - set(lost)), "the others were cleared"


@pytest.mark.full("waits for slow and hung servers")
def test_dead_shard_means_misses_of_its_own_keys_only_with_ignored_errors(make: Any, shards: Shards) -> None:
    sharded = make(IGNORE_EXCEPTIONS=True)
    cache, dead = sharded.cache, shards.servers[2]
    cache.set_many(dict.fromkeys(KEYS, 1))
    dead.kill()
    lost = sharded.of(dead)
    for _ in range(20):
        assert cache.get_many(KEYS) == {key: 1 for key in KEYS if key not in lost}
    assert sorted(cache.set_many(dict.fromkeys(KEYS, 2))) == sorted(lost)
    assert cache.get(lost[0], "missed") == "missed"
    dead.restart()
    wait_until(lambda: cache.set(lost[0], 3))
    assert cache.get_many(KEYS) == {key: 2 for key in KEYS if key not in lost} | {lost[0]: 3}


@pytest.mark.full("waits for slow and hung servers")
def test_hung_shard_is_awaited_once_with_ignored_errors(make: Any, shards: Shards) -> None:
    sharded = make(IGNORE_EXCEPTIONS=True, SOCKET_TIMEOUT=DEADLINE)
    cache = sharded.cache
    cache.set_many(dict.fromkeys(KEYS, 1))
    left = {key: 1 for key in KEYS if sharded.owners[key] is not shards.servers[0]}
    with shards.servers[0].paused():
        began = time.monotonic()
        assert [cache.get_many(KEYS) for _ in range(20)] == [left] * 20
        assert time.monotonic() - began < 2 * DEADLINE


@pytest.mark.full("waits for slow and hung servers")
def test_hung_shards_are_awaited_at_the_same_time(make: Any, shards: Shards) -> None:
    sharded = make(SOCKET_TIMEOUT=DEADLINE)
    sharded.cache.set_many(dict.fromkeys(KEYS, 1))
    with shards.servers[0].paused(), shards.servers[1].paused():
        began = time.monotonic()
        failed = sharded.cache.set_many(dict.fromkeys(KEYS, 2))
        assert time.monotonic() - began < 1.9 * DEADLINE
    assert sorted(failed) == sorted(sharded.of(shards.servers[0]) + sharded.of(shards.servers[1]))


def test_restart_of_all_shards_needs_no_restart_of_the_client(sharded: Sharded, shards: Shards) -> None:
    cache = sharded.cache
    cache.set_many(dict.fromkeys(KEYS, 1))
    for server in shards.servers:
        server.kill()
    for _ in range(20):
        with pytest.raises(ConnectionError):
            cache.get_many(KEYS)
    with pytest.raises(ConnectError):
        cache.set_many(dict.fromkeys(KEYS, 1))
    for server in shards.servers:
        server.restart()
    assert cache.set_many(dict.fromkeys(KEYS, 2)) == []
    assert cache.get_many(KEYS) == dict.fromkeys(KEYS, 2)


def test_connections_lost_while_idle_cause_no_error(sharded: Sharded, shards: Shards) -> None:
    sharded.cache.set_many(dict.fromkeys(KEYS, 1))
    for server in shards.servers:
        server.raw("CLIENT", "KILL", "TYPE", "NORMAL")
    assert sharded.cache.get_many(KEYS) == dict.fromkeys(KEYS, 1)
    assert len(sharded.cache.keys("*")) == len(KEYS)


def test_shards_are_sent_one_command_each_and_only_for_their_keys(sharded: Sharded, shards: Shards) -> None:
    cache, server = sharded.cache, shards.servers[0]
    cache.get_many(KEYS)
    reset_calls(*shards.servers)
    cache.get_many(sharded.of(server))
    assert [calls(each, "mget") for each in shards.servers] == [1, 0, 0]
    cache.get_many(KEYS)
    assert [calls(each, "mget") for each in shards.servers] == [2, 1, 1]


def test_set_many_sends_one_command_to_each_shard_or_one_a_key_if_refused(make: Any, shards: Shards) -> None:
    refusing, data = shards.servers[1], dict.fromkeys(KEYS, 1)
    cache = make().cache
    assert cache.set_many(data, 60) == []
    reset_calls(*shards.servers)
    assert cache.set_many(data, 60) == []
    assert [calls(each, "msetex") + calls(each, "set") for each in shards.servers] == [1, 1, 1]
    refusing.raw("ACL", "SETUSER", "default", "-msetex")
    try:
        cache = make().cache
        assert cache.set_many(dict.fromkeys(KEYS, 2), 60) == []
        assert cache.get_many(KEYS) == dict.fromkeys(KEYS, 2)
        assert cache.set_many(dict.fromkeys(KEYS, 3), 60) == []
    finally:
        refusing.raw("ACL", "SETUSER", "default", "+msetex")
    assert cache.get_many(KEYS) == dict.fromkeys(KEYS, 3)
    assert all(59 < cache.ttl(key) <= 60 for key in KEYS)
    assert [calls(each, "msetex") for each in shards.servers] == [2, 1, 2]


def test_shards_have_no_more_connections_than_concurrent_callers(sharded: Sharded, shards: Shards) -> None:
    for _ in range(50):
        sharded.cache.get_many(KEYS)
    assert [len([each for each in clients(server) if each["db"] == "1"]) for server in shards.servers] == [1, 1, 1]


@pytest.mark.parametrize(
    "name", ["key", "with}brace", "with{brace", "{tagged}", "{two}{tags}", "{nested{tag}s}", "a\nb"]
)
def test_leases_are_on_the_shards_of_their_entries_and_are_never_listed(make: Any, shards: Shards, name: str) -> None:
    cache = make(HERD={"timeout": 60, "lease": 60}).cache
    cache.set(name, 1, 0.001)
    wait_until(lambda: cache.ttl(name) == 0)
    assert cache.get(name) is None, "claimed"
    [here] = [names for names in shards.names() if names]
    assert len(here) == 2
    assert cache.keys("*") == [name]
    assert cache.get_or_set(name, lambda: 2) == 1, "another has the lease"
    assert cache.set(name, 3)
    assert shards.names() == [{f":1:{name}".encode()} if names is here or names else set() for names in shards.names()]


def test_keys_of_one_command_must_be_on_one_shard(sharded: Sharded) -> None:
    cache = sharded.cache
    apart = [sharded.of(server)[0] for server in {*sharded.owners.values()}]
    with pytest.raises(NotSupportedError, match=rf"SINTER.*:1:{apart[0]}.*braces") as caught:
        cache.sinter(*sorted(apart))
    assert all(key in str(caught.value) for key in apart)
    cache.sadd("{user:1}:a", 1, 2)
    cache.sadd("{user:1}:b", 2, 3)
    assert cache.sinter("{user:1}:a", "{user:1}:b") == {2}


def test_entry_moves_to_the_shard_of_its_version_with_its_lifetime(sharded: Sharded, shards: Shards) -> None:
    for key in KEYS[:20]:
        sharded.cache.set(key, key, 100)
        assert sharded.cache.incr_version(key) == 2
        assert sharded.cache.get(key, version=2) == key
        assert sharded.cache.get(key) is None
        assert 99 < sharded.cache.ttl(key, version=2) <= 100
    stored = {f":2:{key}".encode() for key in KEYS[:20]}
    assert set().union(*shards.names()) == stored
