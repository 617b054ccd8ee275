"""Types of effects and their surroundings.

An operation (`Op`) is a generator of effects. A driver performs each effect and sends back its result::

    Batch      the replies, in order; the first server error is raised in the operation
    Each       the replies, in order; server errors stand in their places as values
    Fresh      as a batch, but never answered by a replica
    Call       the result of the caller's function (awaited by an asynchronous driver)
    Sleep      None, after a pause
    Wait       True if another caller's work in this process ended in time
    Elsewhere  the result of an operation performed on another client
    Spawn      None at once from an asynchronous driver, the operation's result from a synchronous one
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Literal, Protocol, Self, SupportsFloat, SupportsIndex, TypeAlias, TypeVar

T = TypeVar("T")

Arg: TypeAlias = str | bytes | int | float
Command: TypeAlias = tuple[Arg, ...]
"""One command as sent: `("GET", b":1:key")`."""

Batch: TypeAlias = tuple[Command, ...]
"""Commands sent in one round trip. They are not a transaction."""


class Transaction(tuple[Command, ...]):  # noqa: SLOT001  # a tuple has no slots
    """A read of a key and the commands decided from it, performed unless the key was written meanwhile.

    A pool runs it on a connection used by no other caller, and closes that connection if the first reply is an error.
    Otherwise the first reply is True, and the second holds the replies of the commands performed; None if the key was
    written or there was nothing to do. Any other first reply means that the client does not support transactions and
    performed only the read. Rests on WATCH, GET, UNWATCH, MULTI and EXEC (https://valkey.io/topics/transactions/).

    Args:
        key: the stored key.
        decide: takes the stored bytes, None for no entry; returns the commands to perform.
    """

    decide: Callable[[bytes | None], Batch]

    def __new__(cls, key: Arg, decide: Callable[[bytes | None], Batch]) -> Self:
        """Return the batch that reads."""
        made = super().__new__(cls, (("WATCH", key), ("GET", key)))
        made.decide = decide
        return made

    def steps(self) -> Generator[Batch, Sequence[Any], list[Any]]:
        """Yield each batch to send and take its replies, errors as values; return the transaction's replies."""
        replies = yield tuple(self)
        if (error := _error(replies)) is not None:
            return [error, None]
        if not (decided := self.decide(replies[1])):
            replies = yield (("UNWATCH",),)
            return [_error(replies) or True, None]
        replies = yield (("MULTI",),)  # alone: if it were refused, the next commands would run at once
        if (error := _error(replies)) is None:
            replies = yield (*decided, ("EXEC",))
            error = _error(replies) or _error(replies[-1] or ())
        return [True, replies[-1]] if error is None else [error, None]


def _error(replies: Sequence[Any]) -> Exception | None:
    return next((reply for reply in replies if isinstance(reply, Exception)), None)


class Partial(list[Any]):
    """An array merged from several servers' replies, with an error for each key whose server failed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Each:
    """A batch whose server errors are returned as values, each in its command's place."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Fresh:
    """A batch of reads that must see the latest write: answered by the primary, never by a replica."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Call:
    """The caller's function; an asynchronous driver awaits its result if it is awaitable."""

    function: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause until another thread or task of this process is done, at most `seconds`."""

    done: "Future[None]"
    seconds: float
    anywhere: bool = False
    """True to block even an event loop, which the work may need; for short pauses only."""
    thread: int | None = None
    """Id of the thread whose sync code does the work, if any; that thread does not wait for itself."""


class Tasks(Protocol):
    """Owner of background work: keeps the tasks and cancels them."""

    def start(self, work: Coroutine[Any, Any, object], /) -> None:
        """Run a coroutine as a task of the running event loop. Called by `drive.arun`."""
        ...


@dataclass(frozen=True, slots=True)
class Spawn:
    """An operation to perform in the background: as a task on an event loop, at once in sync code."""

    op: "Op[object]"
    tasks: Tasks


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An operation to perform on another client of the driver's mode."""

    op: "Op[object]"
    client: Any


Effect: TypeAlias = Batch | Each | Fresh | Call | Sleep | Wait | Spawn | Elsewhere

Op: TypeAlias = Generator[Effect, Any, T]
"""An operation that returns a `T`. Server replies are `Any`, destructured where they are yielded."""


Pages: TypeAlias = Callable[[int], Op[tuple[int, Sequence[T]]]]
"""Take a SCAN cursor (0 to start); return `(next_cursor, items)`, `next_cursor` 0 on the last page."""


class Default(Enum):
    """Type of `DEFAULT`: an omitted argument, for parameters where None has a meaning."""

    DEFAULT = "DEFAULT"


DEFAULT: Final = Default.DEFAULT


class Missing(Enum):
    """Type of `MISSING`: no entry, since None is a valid value."""

    MISSING = "MISSING"


MISSING: Final = Missing.MISSING


class StoredKey(str):
    """A stored key, which operations use unchanged."""

    __slots__ = ()


Key: TypeAlias = str | bytes | memoryview | int
"""Key of an entry as callers give it. Converted to text as `str.format` does."""

Real: TypeAlias = SupportsFloat | SupportsIndex
"""A real number: int, float, Decimal, Fraction, or numpy's equivalents."""

Timeout: TypeAlias = Real | timedelta | Default | None
"""Lifetime of an entry: seconds, a timedelta, None for no expiry, 0 or less to delete, DEFAULT as configured."""

Moment: TypeAlias = Real | datetime
"""A point in time: a Unix time (in the operation's unit) or a datetime."""

Clock: TypeAlias = Callable[[], float]
"""Returns seconds: since the epoch as `time.time`, or monotonic as `time.monotonic`."""

KeyFunction: TypeAlias = Callable[[Any, str, int], Any]
"""Django's KEY_FUNCTION: takes (key, prefix, version), returns the stored key. Django leaves its types open."""

ReverseKeyFunction: TypeAlias = Callable[[str], str]
"""Takes a stored key, returns the caller's key."""


Colour: TypeAlias = Literal["sync", "async"]
"""Mode of an object: for threads (sync) or for an event loop (async)."""

Role: TypeAlias = Literal["primary", "replica"]
"""Role of a server: primary (accepts writes) or replica (a copy that may lag)."""

ReadFrom: TypeAlias = Literal["replica", "primary"]
"""Target of reads that need not see the latest write."""

Placement: TypeAlias = Literal["together", "slots", "ring"]
"""How keys are assigned to servers: one server, the slots of a cluster, or the ring of shards."""

Address: TypeAlias = tuple[str, int]
"""Host and port."""

Scheme: TypeAlias = Literal["valkey", "valkeys", "unix", "memory", "embedded"]


@dataclass(frozen=True, slots=True)
class Driven:
    """A pool of valkey-py's kind that carries commands, and the function that closes its idle connections."""

    pool: Any
    """Pool with `get_connection` and `release`, as `valkey.ConnectionPool` or `valkey.asyncio.ConnectionPool`."""
    rest: Callable[[], Any]
    """Closes idle connections; awaited for an asynchronous pool."""


class Driver(Protocol):
    """Makes valkey-py's pools for an endpoint from the user's own classes.

    Equal drivers make equal pools. Called by `dvcache.pools`, once per process and event loop.
    """

    @property
    def discovers(self) -> bool:
        """True if the pools query the sentinels for a service's nodes themselves."""
        ...

    def driven(self, endpoint: "Endpoint", /) -> Driven:
        """Return a pool; raise ConfigurationError if the classes are asynchronous."""
        ...

    async def adriven(self, endpoint: "Endpoint", /) -> Driven:
        """Return a pool for the running event loop; raise ConfigurationError if the classes are synchronous."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One server and how to reach it: address, credentials and connection options.

    For a service monitored by sentinels, the endpoint is the node, or the replicas, that currently have the role.

    Two endpoints are equal only if all options are equal, so different ones never share a pool. Credentials are in
    `options`; `repr` and `name` omit them.
    """

    alias: str = "default"
    scheme: Scheme = "valkey"
    host: str = "localhost"
    port: int = 6379
    path: str = ""
    """Path of a unix socket."""
    db: int = 0
    max_connections: int | None = None
    """Maximum connections of one sync pool; None leaves the limit to the server."""
    connect_timeout: float | None = 5.0
    """Seconds for connecting, TLS and handshake; None waits without a limit."""
    timeout: float | None = 5.0
    """Seconds for one round trip; None waits without a limit."""
    options: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    """Further arguments of valkey-py's connection: username, password, ssl_*, client_name …"""
    role: Role = "primary"
    service: str = ""
    """Name of the service, case preserved; host and port then come from the sentinels."""
    sentinels: tuple[Address, ...] = ()
    in_cluster: bool = False
    """True for a cluster node; its replicas are then read only after READONLY."""
    sentinel_options: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    """Arguments of valkey-py's connections to the sentinels: username, password, ssl, socket_timeout …"""
    remap: Callable[[Address], Address] | None = field(default=None, repr=False, hash=False)
    """Maps the address announced by a node, to a cluster or to sentinels, to a reachable one; None keeps it."""
    driver: Driver | None = field(default=None, repr=False, hash=False)
    """Makes the pools that carry the commands; None uses bare valkey-py connections."""

    @property
    def name(self) -> str:
        """Name for messages and logs, without credentials."""
        if self.service:
            return f"{self.scheme}://{self.service}/{self.db}?role={self.role}"
        if self.scheme == "unix":
            return f"unix://{self.path}?db={self.db}"
        if self.scheme in {"memory", "embedded"}:
            return f"{self.scheme}://{self.host}/{self.db}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.db}"


Awaited: TypeAlias = Awaitable[T] | T
