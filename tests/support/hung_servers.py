"""Faults that keep callers waiting, on every topology, and the calls that wait.

Each fault is real: stopped processes, a listener with a full queue of connections, a slow name lookup, a greeting sent
byte by byte.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from dvcache import CacheError, Container, Settings
from tests.support.clusters import Cluster
from tests.support.replication import Node, Replication
from tests.support.sentinels import SERVICES, SentinelFleet
from tests.support.servers import Server
from tests.support.shards import Shards

TOPOLOGIES: Final = ("one server", "replicas", "sentinel", "cluster", "shards")
HANGS: Final = ("all hung", "primary hung", "replicas hung", "slow reader")
NEVER_REACHED: Final = ("connect black-holed", "DNS slow", "greeting byte by byte")
FAULTS: Final = (*HANGS, *NEVER_REACHED)
CALLS: Final = 20

_BIG: Final = b"x" * 8_000_000
_CLIENTS: Final = {
    "sentinel": "django_valkey.client.SentinelClient",
    "cluster": "django_valkey.cluster_cache.client.DefaultClusterClient",
    "shards": "django_valkey.client.sharded.ShardClient",
}


@dataclass(frozen=True, slots=True)
class World:
    """One topology on real servers."""

    topology: str
    locations: list[str]
    sentinels: list[tuple[str, int]] = field(default_factory=list)
    primaries: Callable[[], Sequence[Server]] = tuple
    replicas: Callable[[], Sequence[Server]] = tuple
    others: Sequence[Server] = ()
    """The sentinels."""
    restore: Callable[[], None] = lambda: None

    def settings(self, instead: tuple[str, int] | None = None, **options: Any) -> Settings:
        """Return settings of the topology.

        Args:
            instead: address given for every server.
            options: more options.
        """
        locations, sentinels = self.locations, self.sentinels
        if instead is not None:
            host, port = instead
            count = max(len(locations), 3) if len(locations) > 1 or self.topology == "cluster" else 1
            locations = [f"valkey://{host}:{port}/{number}" for number in range(count)]
            if self.topology == "cluster":
                locations = [f"valkey://{host}:{port}/0"]
            if sentinels:
                locations, sentinels = self.locations, [(host, port)]
        given: dict[str, Any] = dict(options)
        if self.topology in _CLIENTS:
            given["CLIENT_CLASS"] = _CLIENTS[self.topology]
        if sentinels:
            given["SENTINELS"] = sentinels
        location: Any = locations if len(locations) > 1 else locations[0]
        return Settings.parse({"LOCATION": location, "OPTIONS": given})


@contextmanager
def world(topology: str) -> Iterator[World]:
    """Start the servers of a topology."""
    with ExitStack() as exits:
        if topology == "one server":
            server = exits.enter_context(Server())
            yield World(topology, [server.url()], primaries=lambda: [server])
        elif topology == "replicas":
            replication = exits.enter_context(Replication())
            yield World(
                topology,
                replication.urls(),
                primaries=lambda: [replication.nodes[0]],
                replicas=lambda: replication.nodes[1:],
                restore=replication.restore,
            )
        elif topology == "sentinel":
            fleet = exits.enter_context(SentinelFleet())
            fleet.replication(SERVICES[0])
            yield World(
                topology,
                [f"valkey://{SERVICES[0]}/0"],
                fleet.addresses,
                primaries=lambda: [fleet.primary(SERVICES[0])],
                replicas=lambda: fleet.replicas(SERVICES[0]),
                others=fleet.sentinels,
                restore=fleet.restore,
            )
        elif topology == "cluster":
            cluster = exits.enter_context(Cluster())
            yield World(
                topology,
                cluster.urls(),
                primaries=lambda: cluster.primaries,
                replicas=lambda: [each for each in cluster.nodes if each not in cluster.primaries],
                restore=cluster.restore,
            )
        else:
            shards = exits.enter_context(Shards())
            yield World(topology, shards.urls, primaries=lambda: shards.servers, restore=shards.restore)


@contextmanager
def hung(servers: Sequence[Server]) -> Iterator[None]:
    """Stop the processes of servers; the system still accepts connections for them."""
    stopped: list[Server] = []
    try:
        for server in servers:
            server.pause()
            stopped.append(server)
        yield
    finally:
        for server in stopped:
            server.resume()
            if isinstance(server, Node):
                server.state = "up"


@contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """Listen with a full queue: further connections are neither accepted nor refused."""
    with socket.socket() as listener, ExitStack() as exits:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = exits.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()


@contextmanager
def slow_names(seconds: float) -> Iterator[tuple[str, int]]:
    """Delay the lookup of one name."""
    real = socket.getaddrinfo

    def slow(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host in {"slow.test", b"slow.test"}:
            time.sleep(seconds)
            host = "127.0.0.1"
        return real(host, *args, **kwargs)

    socket.getaddrinfo = slow
    try:
        yield "slow.test", 1
    finally:
        socket.getaddrinfo = real


@contextmanager
def slow_greeting(pause: float) -> Iterator[tuple[str, int]]:
    """Accept connections and answer anything one byte at a time, without end."""
    ended = threading.Event()

    def serve(peer: socket.socket) -> None:
        with peer:
            while not ended.wait(pause):
                try:
                    peer.sendall(b"+")
                except OSError:
                    return

    def accept() -> None:
        while not ended.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                continue
            threads.append(threading.Thread(target=serve, args=(peer,)))
            threads[-1].start()

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.settimeout(0.1)
        threads = [threading.Thread(target=accept)]
        threads[0].start()
        try:
            yield listener.getsockname()
        finally:
            ended.set()
            for thread in threads:
                thread.join()


@contextmanager
def fault(world: World, name: str, seconds: float) -> Iterator[tuple[str, int] | None]:
    """Apply the fault; yield another address for the servers, if the fault needs one.

    Args:
        world: the servers.
        name: one of `FAULTS`.
        seconds: duration of a lookup.
    """
    if name == "connect black-holed":
        with black_hole() as address:
            yield address
    elif name == "DNS slow":
        with slow_names(seconds) as address:
            yield address
    elif name == "greeting byte by byte":
        with slow_greeting(seconds / 20) as address:
            yield address
    else:
        everyone = [*world.others, *world.replicas(), *world.primaries()]
        stopped = {"primary hung": world.primaries()[:1], "replicas hung": world.replicas()}.get(name, everyone)
        with hung(stopped):
            yield None


Call = Callable[[Any], Any]


def calls(fault: str) -> list[Call]:
    """Return the calls made during the fault: `CALLS` operations of several kinds on different keys."""
    if fault == "slow reader":
        return [lambda cache, n=n: cache.set(f"big{n}", _BIG) for n in range(CALLS)]
    kinds: list[Callable[[Any, int], Any]] = [
        lambda cache, n: cache.get(f"k{n}"),
        lambda cache, n: cache.set(f"k{n}", n),
        lambda cache, n: cache.get_many([f"k{m}" for m in range(n, n + 30)]),
        lambda cache, n: cache.delete(f"k{n}"),
        lambda cache, n: cache.set_many({f"k{m}": m for m in range(n, n + 30)}),
    ]
    return [lambda cache, n=n: kinds[n % len(kinds)](cache, n) for n in range(CALLS)]


Caller = Callable[[Sequence[Call]], list[float]]
"""Function that makes calls in sequence and returns the seconds of each; errors of the library are ignored."""


@contextmanager
def caller(settings: Settings, mode: str) -> Iterator[Caller]:
    """Yield a caller with its own container; async calls share one event loop."""
    container = Container(settings)
    if mode == "sync":
        with container:
            yield lambda work: [_timed(lambda each=each: each(container.cache())) for each in work]
        return

    async def made(work: Sequence[Call]) -> list[float]:
        found = []
        for each in work:
            began = time.monotonic()
            with suppress(CacheError):
                await each(container.async_cache())
            found.append(time.monotonic() - began)
        return found

    with asyncio.Runner() as runner:
        yield lambda work: runner.run(made(work))
        runner.run(container.aclose())


def _timed(call: Callable[[], object]) -> float:
    began = time.monotonic()
    with suppress(CacheError):
        call()
    return time.monotonic() - began


WARM: Final = calls("")[:5]
"""Calls that open connections to the servers."""
