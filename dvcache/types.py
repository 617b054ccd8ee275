"""Types shared by the whole library: keys, commands, timeouts, endpoints."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Literal, Protocol, SupportsFloat, SupportsIndex, TypeAlias, TypeVar

T = TypeVar("T")


Arg: TypeAlias = str | bytes | int | float


Command: TypeAlias = tuple[Arg, ...]
"""One command as sent: `("GET", b":1:key")`."""


Batch: TypeAlias = tuple[Command, ...]
"""Commands sent in one round trip. They are not a transaction."""


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


Mode: TypeAlias = Literal["sync", "async"]
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
class SourcedPool:
    """A pool that a pool source has made, with valkey-py's interface, and a way to close its idle connections."""

    pool: Any
    """Pool with `get_connection` and `release`, as `valkey.ConnectionPool` or `valkey.asyncio.ConnectionPool`."""
    release: Callable[[], Any]
    """Closes idle connections; awaited for an asynchronous pool."""


class PoolSource(Protocol):
    """Makes valkey-py's pools for an endpoint from the user's own classes.

    Equal sources make equal pools. Called by `dvcache.pools`, once per process and event loop.
    """

    @property
    def discovers(self) -> bool:
        """True if the pools query the sentinels for a service's nodes themselves."""
        ...

    def make(self, endpoint: "Endpoint", /) -> SourcedPool:
        """Return a pool; raise ConfigurationError if the classes are asynchronous."""
        ...

    async def amake(self, endpoint: "Endpoint", /) -> SourcedPool:
        """Return a pool for the running event loop; raise ConfigurationError if the classes are synchronous."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One server, or the servers of a service in one role, and how to reach it: address, credentials, options.

    For a service monitored by sentinels, these are the nodes that currently have the role.

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
    driver: PoolSource | None = field(default=None, repr=False, hash=False)
    """The pool source: makes the pools of the user's own classes; None for the pools of this library."""
    where: str = field(default="", repr=False, compare=False)
    """Name of the alias's settings in messages; empty to name the cache by its alias."""

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


Members: TypeAlias = set[object] | list[object]
"""Members of a set: a list if one of them is not hashable, such as a list or a dict."""
