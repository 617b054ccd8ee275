"""Peers of a measurement. A peer opens a connection and does each work once; to add one, add it to a list."""

import asyncio
import json
import pickle
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import libvalkey

from dvcache import AsyncCache, Cache, Container, Settings
from tests.support.servers import Server

THEIRS: Final = Path(__file__).with_name("theirs.py")
VALUE: Final = {"zone": "Europe/Berlin", "offset": 3600, "dst": True}
KEYS: Final = [f"key:{number}" for number in range(100)]
DATA: Final = dict.fromkeys(KEYS, VALUE)


class SyncPeer(Protocol):
    """The operations of a sync peer."""

    def get(self) -> object: ...
    def set(self) -> object: ...
    def get_many(self) -> object: ...
    def set_many(self) -> object: ...


class AsyncPeer(Protocol):
    """The operations of an async peer."""

    async def get(self) -> object: ...
    async def set(self) -> object: ...
    async def get_many(self) -> object: ...
    async def set_many(self) -> object: ...


def sets(keys: Iterable[str] = KEYS) -> Iterator[tuple[str | bytes | int, ...]]:
    """Return the commands of `set_many` without a library."""
    return (("SET", f":1:{key}".encode(), pickle.dumps(DATA[key]), "PX", 60_000) for key in keys)


class RawSocket:
    """A socket and libvalkey, without a library."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection((server.host, server.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = libvalkey.Reader()

    def close(self) -> None:
        self._socket.close()

    def get(self) -> object:
        return pickle.loads(self._ask("GET", b":1:key:0"))

    def set(self) -> object:
        return self._ask("SET", b":1:key:0", pickle.dumps(VALUE), "PX", 60_000)

    def get_many(self) -> object:
        stored = [f":1:{key}".encode() for key in KEYS]
        return dict(zip(KEYS, map(pickle.loads, self._ask("MGET", *stored)), strict=True))

    def set_many(self) -> object:
        self.send(sets())
        return [self.answer() for _ in KEYS]

    def send(self, commands: Iterable[tuple[str | bytes | int, ...]]) -> None:
        self._socket.sendall(b"".join(map(libvalkey.pack_command, commands)))

    def _ask(self, *command: str | bytes | int) -> Any:
        self._socket.sendall(libvalkey.pack_command(command))
        return self.answer()

    def answer(self) -> Any:
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(65536))
        return reply


class Dvcache:
    """This library, through its container."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def get(self) -> object:
        return self._cache.get("key:0")

    def set(self) -> object:
        return self._cache.set("key:0", VALUE, 60)

    def get_many(self) -> object:
        return self._cache.get_many(KEYS)

    def set_many(self) -> object:
        return self._cache.set_many(DATA, 60)


class RawStream:
    """asyncio's streams and libvalkey, one command at a time: for sequential work."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._from, self._to = reader, writer
        self._reader = libvalkey.Reader()

    async def get(self) -> object:
        return pickle.loads(await self._ask("GET", b":1:key:0"))

    async def set(self) -> object:
        return await self._ask("SET", b":1:key:0", pickle.dumps(VALUE), "PX", 60_000)

    async def get_many(self) -> object:
        stored = [f":1:{key}".encode() for key in KEYS]
        return dict(zip(KEYS, map(pickle.loads, await self._ask("MGET", *stored)), strict=True))

    async def set_many(self) -> object:
        self.send(sets())
        return [await self.answer() for _ in KEYS]

    def send(self, commands: Iterable[tuple[str | bytes | int, ...]]) -> None:
        self._to.write(b"".join(map(libvalkey.pack_command, commands)))

    async def _ask(self, *command: str | bytes | int) -> Any:
        self._to.write(libvalkey.pack_command(command))
        return await self.answer()

    async def answer(self) -> Any:
        while (reply := self._reader.gets()) is False:
            self._reader.feed(await self._from.read(65536))
        return reply


class AsyncDvcache:
    """This library, through its container."""

    def __init__(self, cache: AsyncCache) -> None:
        self._cache = cache

    async def get(self) -> object:
        return await self._cache.get("key:0")

    async def set(self) -> object:
        return await self._cache.set("key:0", VALUE, 60)

    async def get_many(self) -> object:
        return await self._cache.get_many(KEYS)

    async def set_many(self) -> object:
        return await self._cache.set_many(DATA, 60)


@contextmanager
def raw_socket(server: Server) -> Iterator[SyncPeer]:
    peer = RawSocket(server)
    try:
        yield peer
    finally:
        peer.close()


@contextmanager
def dvcache_sync(server: Server) -> Iterator[SyncPeer]:
    with container(server) as own:
        yield Dvcache(own.cache())


def container(server: Server) -> Container:
    return Container(Settings.parse({"LOCATION": server.url()}))


@asynccontextmanager
async def raw_stream(server: Server) -> AsyncIterator[RawStream]:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    yield RawStream(reader, writer)
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def dvcache_async(server: Server) -> AsyncIterator[AsyncPeer]:
    async with container(server) as own:
        yield AsyncDvcache(own.async_cache())


Sync: TypeAlias = Callable[[Server], AbstractContextManager[SyncPeer]]
Async: TypeAlias = Callable[[Server], AbstractAsyncContextManager[AsyncPeer]]


def sync_peer(chosen: Settings) -> Sync:
    """Return a peer of these settings, for any server."""

    @contextmanager
    def peer(_: Server) -> Iterator[SyncPeer]:
        with Container(chosen) as own:
            yield Dvcache(own.cache())

    return peer


def async_peer(chosen: Settings) -> Async:
    """Return an asynchronous peer of these settings."""

    @asynccontextmanager
    async def peer(_: Server) -> AsyncIterator[AsyncPeer]:
        async with Container(chosen) as own:
            yield AsyncDvcache(own.async_cache())

    return peer


def django_valkey(python: str, entry: Mapping[str, Any], rounds: int) -> dict[str, list[float]]:
    """Return the figures of django-valkey's rounds, in a process of its own.

    Args:
        python: an interpreter with django-valkey.
        entry: its entry in CACHES.
        rounds: number of rounds.
    """
    command = [python, str(THEIRS), json.dumps(entry), str(rounds)]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, text=True, stdout=subprocess.PIPE, check=True)
    figures: dict[str, list[float]] = json.loads(done.stdout)
    return figures


SYNC_PEERS: Final[dict[str, Sync]] = {"raw socket": raw_socket, "dvcache": dvcache_sync}
ASYNC_PEERS: Final[dict[str, Async]] = {"raw socket": raw_stream, "dvcache": dvcache_async}
ONE_AT_A_TIME: Final = {"raw socket", "raw, standalone", "raw, cluster"}
"""Async peers that accept no second command before the first reply: nothing to gather."""
