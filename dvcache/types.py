"""The vocabulary: what an operation yields, and what it is yielded to.

An operation (`Op`) is a generator of effects. A driver performs each effect and sends the result back::

    Batch      the replies, in order; the first server error is raised in the operation
    Each       the replies, in order; server errors stand in their places as values
    Fresh      as a batch, but never answered by a replica
    Call       what the caller's own function returned (awaited when the driver is asynchronous)
    Sleep      None, after a pause
    Wait       whether another caller's work of this process came to its end in time
    Elsewhere  what an operation returned that was performed on another client
    Spawn      of an asynchronous driver None at once, of a synchronous one what the operation returned
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
"""One command as it is sent: `("GET", b":1:key")`."""

Batch: TypeAlias = tuple[Command, ...]
"""Commands that travel in one round trip. They are not a transaction."""


class Transaction(tuple[Command, ...]):  # noqa: SLOT001  # a tuple has no slots
    """A read of a key, and what is decided upon it: performed unless somebody else has written the key meanwhile.

    A pool runs it on a connection that nobody uses meanwhile, nor after it if the first reply is an error. Otherwise
    that is True, and the second one holds those of what was performed; None where the key was written, or nothing was
    to be done. A client whose first reply is another one knows no transactions, and has performed the read alone.
    Rests on WATCH, GET, UNWATCH, MULTI and EXEC (https://valkey.io/topics/transactions/).

    Args:
        key: the stored key.
        decide: of what it holds, None for no entry, the commands to perform.
    """

    decide: Callable[[bytes | None], Batch]

    def __new__(cls, key: Arg, decide: Callable[[bytes | None], Batch]) -> Self:
        """Make the batch that reads."""
        made = super().__new__(cls, (("WATCH", key), ("GET", key)))
        made.decide = decide
        return made

    def steps(self) -> Generator[Batch, Sequence[Any], list[Any]]:
        """Yield what to send next, of what is answered, errors as values; return the replies of the whole."""
        replies = yield tuple(self)
        if (error := _error(replies)) is not None:
            return [error, None]
        if not (decided := self.decide(replies[1])):
            replies = yield (("UNWATCH",),)
            return [_error(replies) or True, None]
        replies = yield (("MULTI",),)  # by itself: where it is refused, what follows would be performed at once
        if (error := _error(replies)) is None:
            replies = yield (*decided, ("EXEC",))
            error = _error(replies) or _error(replies[-1] or ())
        return [True, replies[-1]] if error is None else [error, None]


def _error(replies: Sequence[Any]) -> Exception | None:
    return next((reply for reply in replies if isinstance(reply, Exception)), None)


class Partial(list[Any]):
    """An array that several servers answered together, with an error in the place of each key whose server did not."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Each:
    """A batch whose server errors are wanted as values, each in its command's place."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Fresh:
    """A batch of reads that must show the latest write: answered by the primary, never by a replica."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Call:
    """The caller's own function: called, and awaited by an asynchronous driver if it returns an awaitable."""

    function: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause until another thread or task of this process is done, or for so many seconds."""

    done: "Future[None]"
    seconds: float
    anywhere: bool = False
    """Whether to pause also where that holds up an event loop, which the work may need: for pauses that are short."""
    thread: int | None = None
    """The thread whose sync code does the work, if one does: in that thread there is no waiting for it."""


class Tasks(Protocol):
    """What owns the work that goes on when its caller has gone: it keeps the tasks, and ends them."""

    def start(self, work: Coroutine[Any, Any, object], /) -> None:
        """Run a coroutine as a task of the running event loop. Called by `drive.arun`."""
        ...


@dataclass(frozen=True, slots=True)
class Spawn:
    """An operation to perform in the background where there is one: a task on an event loop, else here and now."""

    op: "Op[object]"
    tasks: Tasks


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An operation to perform on another client than the driver's, one of the driver's colour."""

    op: "Op[object]"
    client: Any


Effect: TypeAlias = Batch | Each | Fresh | Call | Sleep | Wait | Spawn | Elsewhere

Op: TypeAlias = Generator[Effect, Any, T]
"""An operation that returns a `T`. `Any` is what the server answers; it is destructured where it is yielded."""


Pages: TypeAlias = Callable[[int], Op[tuple[int, Sequence[T]]]]
"""Of where to go on, 0 to begin, the operation that finds one page: where to go on then, 0 at the end, and items."""


class Default(Enum):
    """The type of `DEFAULT`: an argument that was left out, where None has a meaning of its own."""

    DEFAULT = "DEFAULT"


DEFAULT: Final = Default.DEFAULT


class Missing(Enum):
    """The type of `MISSING`: no entry, where None is a value."""

    MISSING = "MISSING"


MISSING: Final = Missing.MISSING


class StoredKey(str):
    """A key as it is stored, which is not named again: operations take it as it is."""

    __slots__ = ()


Key: TypeAlias = str | bytes | memoryview | int
"""What a caller may name an entry by. It becomes text as `str.format` writes it."""

Real: TypeAlias = SupportsFloat | SupportsIndex
"""A real number: int, float, Decimal, Fraction, or what numpy has for these."""

Timeout: TypeAlias = Real | timedelta | Default | None
"""How long an entry lives: seconds, a timedelta, None for ever, 0 or less not at all, DEFAULT as configured."""

Moment: TypeAlias = Real | datetime
"""A point in time: a Unix time (of the unit the operation names), or a datetime."""

Clock: TypeAlias = Callable[[], float]
"""Seconds: since the epoch as `time.time`, or of a clock that only ever grows as `time.monotonic`."""

KeyFunction: TypeAlias = Callable[[Any, str, int], Any]
"""Django's KEY_FUNCTION: (key, prefix, version) to the key that is stored. Django leaves its types open."""

ReverseKeyFunction: TypeAlias = Callable[[str], str]
"""Of a stored key, the caller's key."""


Colour: TypeAlias = Literal["sync", "async"]
"""Of which code something is: of threads, or of an event loop."""

Role: TypeAlias = Literal["primary", "replica"]
"""What a server is to its data: where writes go, or a copy that may lag."""

ReadFrom: TypeAlias = Literal["replica", "primary"]
"""Where reads go that need not see the latest write."""

Placement: TypeAlias = Literal["together", "slots", "ring"]
"""What says which server holds a key: there is one; the slots of a cluster; the ring of shards."""

Address: TypeAlias = tuple[str, int]
"""Host and port."""

Scheme: TypeAlias = Literal["valkey", "valkeys", "unix", "memory", "embedded"]


@dataclass(frozen=True, slots=True)
class Driven:
    """A pool of valkey-py's kind, whose connections carry commands, and what ends those that nobody uses."""

    pool: Any
    """It has `get_connection` and `release`, as `valkey.ConnectionPool` or `valkey.asyncio.ConnectionPool`."""
    rest: Callable[[], Any]
    """Ends the connections that nobody uses; an asynchronous pool's is awaited."""


class Driver(Protocol):
    """Makes valkey-py's pools of an endpoint, where classes of the user's are to carry its commands.

    Equal drivers make equal pools. Called by `dvcache.pools`, once in each process and on each event loop.
    """

    @property
    def discovers(self) -> bool:
        """Whether the pools ask the sentinels themselves where a service's nodes are."""
        ...

    def driven(self, endpoint: "Endpoint", /) -> Driven:
        """Return a pool; raise ConfigurationError where the classes are asynchronous."""
        ...

    async def adriven(self, endpoint: "Endpoint", /) -> Driven:
        """Return a pool for the running event loop; raise ConfigurationError where the classes are synchronous."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One server as it is reached: where, as whom, and with which connection options.

    Of a service that sentinels monitor it is the node, or for replicas the nodes, that hold a role at the time.

    Two endpoints are equal when every option is, so that a pool is never shared between different ones.
    The credentials are in `options` and stay out of `repr` and of `name`.
    """

    alias: str = "default"
    scheme: Scheme = "valkey"
    host: str = "localhost"
    port: int = 6379
    path: str = ""
    """Path of a unix socket."""
    db: int = 0
    max_connections: int | None = None
    """Bound on the connections of one sync pool; None leaves it to the server."""
    connect_timeout: float | None = 5.0
    """Seconds to reach, secure and greet the server; None waits for ever."""
    timeout: float | None = 5.0
    """Seconds for one round trip; None waits for ever."""
    options: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    """What else valkey-py's connection takes: username, password, ssl_*, client_name …"""
    role: Role = "primary"
    service: str = ""
    """Name of the service, in its own case; host and port are then the sentinels' to say."""
    sentinels: tuple[Address, ...] = ()
    in_cluster: bool = False
    """Whether it is a node of a cluster, whose replicas are read after READONLY only."""
    sentinel_options: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    """What valkey-py's connections to the sentinels take: username, password, ssl, socket_timeout …"""
    remap: Callable[[Address], Address] | None = field(default=None, repr=False, hash=False)
    """Of the address that a node announces, to a cluster or to sentinels, where it is reached; None: there."""
    driver: Driver | None = field(default=None, repr=False, hash=False)
    """What makes the pools that carry the commands; None: they are carried on the bare connections of valkey-py."""

    @property
    def name(self) -> str:
        """The endpoint as messages and logs name it, without credentials."""
        if self.service:
            return f"{self.scheme}://{self.service}/{self.db}?role={self.role}"
        if self.scheme == "unix":
            return f"unix://{self.path}?db={self.db}"
        if self.scheme in {"memory", "embedded"}:
            return f"{self.scheme}://{self.host}/{self.db}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.db}"


Awaited: TypeAlias = Awaitable[T] | T
