"""Context of operations: keys, codec, expiry and policy."""

import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, Protocol, SupportsFloat, SupportsIndex, TypeAlias, TypeVar

from dvcache.effects import Op, Tasks
from dvcache.numeric_arguments import real
from dvcache.process.background_tasks import BackgroundTasks
from dvcache.process.lock_queue import LockQueue
from dvcache.process.single_flight import SingleFlight
from dvcache.types import DEFAULT, Arg, Clock, Key, Placement, Timeout

T = TypeVar("T")

_TIME_OF_DAY: Final = time.time

MAX_MS: Final = 2**53
"""Maximum lifetime sent, about 285,000 years: the server adds it to its clock in 64 bits."""


class Keys(Protocol):
    """Converts between the caller's keys and stored keys. Called by operations, once per key."""

    def key(self, key: Key, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the stored key."""
        ...

    def pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the glob over stored keys, with prefix and version escaped; raise for None and the empty pattern."""
        ...

    def everything(self) -> bytes:
        """Return the glob over every stored key of this prefix, of any version; raise if it would match other keys."""
        ...

    def original(self, stored: bytes, version: int | None = None) -> str:
        """Return the caller's key of a stored key that a pattern of this version matched."""
        ...

    def originals(self, stored: Sequence[bytes], version: int | None = None) -> list[str]:
        """Return the caller's keys of one page of stored keys."""
        ...


class Codec(Protocol):
    """Converts values to stored bytes and back. Called by operations, once per value."""

    def dumps(self, value: object, /) -> bytes:
        """Return the bytes to store; raise `SerializationError` for a value that cannot be stored."""
        ...

    def loads(self, data: bytes, default: object = None, /) -> object:
        """Return the value, or `default` if it cannot be decoded (counted, and logged once per error type)."""
        ...


class Guard(Protocol):
    """Wraps whole operations. Called by the methods of the caches, and by operations that guard their own parts."""

    def __call__(
        self, cx: "Context", name: str, op: Op[T], args: tuple[Any, ...], kwargs: Mapping[str, Any], /
    ) -> Op[T]:
        """Return `op`, or an operation that performs it and supplies a result for the operation `name` if it fails."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Functions that read and write entries: directly, with herd protection, or through a user's overrides.

    Operations call them through the context, so that each variation is written once.
    """

    get: Callable[["Context", Key, object, int | None], Op[object]]
    get_or_set: Callable[["Context", Key, object, Timeout, int | None], Op[object]]
    set: Callable[["Context", Key, object, Timeout, int | None, bool, bool], Op[bool]]
    add: Callable[["Context", Key, object, Timeout, int | None], Op[bool]]
    get_and_set: Callable[["Context", Key, object, Timeout, int | None, bool, bool], Op[object]]
    delete: Callable[["Context", Key, int | None, str | None], Op[bool]]
    touch: Callable[["Context", Key, Timeout, int | None], Op[bool]]
    has_key: Callable[["Context", Key, int | None], Op[bool]]
    get_many: Callable[["Context", Iterable[Key], int | None], Op[dict[Key, object]]]
    set_many: Callable[["Context", Mapping[Any, object], Timeout, int | None], Op[list[Key]]]
    delete_many: Callable[["Context", Iterable[Key], int | None], Op[int]]
    pttl: Callable[["Context", bytes], Op[int]]
    """Return a stored key's remaining milliseconds as PTTL does: -1 for no expiry, -2 for no entry."""
    persist: Callable[["Context", bytes], Op[bool]]
    expire_at: Callable[["Context", bytes, int], Op[bool]]
    """Set a stored key's expiry to a Unix time in milliseconds."""
    rename: Callable[["Context", bytes, bytes], Op[object]]
    """Move an entry to another stored key; raise the server's error if there is none."""
    increment: Callable[["Context", bytes, int, tuple[Arg, ...]], Op[Any]]
    """Add to a stored key by a script; return its reply (`counting.INCREMENT`). Takes SET's arguments to create it."""
    current: Callable[["Context", bytes], Op[bytes | None]]
    """Return the stored bytes of an entry that a counter may add to, from the primary."""
    swap: Callable[["Context", bytes, bytes | None, tuple[Arg, ...], bool], Op[bool]]
    """SET if the entry still holds the bytes that `current` returned; the flag says whether scripts may be used."""
    remove: Callable[["Context", Sequence[bytes]], Op[int]]
    """Remove stored keys, at least one; return the number of entries removed."""
    shown: Callable[[Sequence[bytes]], Sequence[bytes]]
    """Return those stored keys, found by a scan, that are entries."""
    get_or_set_many: (
        Callable[["Context", Iterable[Key], Callable[[list[Any]], object], Timeout, int | None], Op[dict[Key, object]]]
        | None
    ) = None
    """None: read by `get_many`, store by `add`."""
    guard: Guard | None = None
    """Wraps every operation; None leaves errors as they are."""


ClearScope: TypeAlias = Literal["database", "prefix"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Herd:
    """Settings of herd protection (see `dvcache.policies.herd`)."""

    timeout: int = 0
    """Milliseconds that an entry is kept, stale, after its own timeout. 0 means the plain policy."""
    lease: int = 0
    """Milliseconds that one caller has to recompute before another may."""
    wait: float = 0.0
    """Seconds that `get_or_set` waits for another caller's value, if there is none, before computing it too."""
    background: bool = False
    """True if an asynchronous `get_or_set` returns the stale value also to the recomputing caller."""


def _token() -> bytes:
    return secrets.token_hex(8).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Wiring of operations: plain values, built once by the container."""

    alias: str = "default"
    where: str = ""
    """Name of the settings in messages; empty to name the cache by its alias."""
    servers: str = ""
    """Topology and servers, without credentials, for reprs."""
    keys: Keys
    codec: Codec
    policy: Policy
    timeout: float | None = 300.0
    """Default lifetime of an entry, in seconds."""
    version: int = 1
    clock: Clock = time.time
    """Time of day, by which the server expires entries. Durations are measured by `now`."""
    scan_count: int = 1000
    """COUNT of each SCAN."""
    chunk: int = 500
    """Maximum number of keys per command or pipeline of a bulk operation."""
    clear_scope: ClearScope = "database"
    prefixed_hashes: bool = True
    """True if hashes are named with prefix and version as other entries are; False: by their name alone."""
    prefixed_fields: bool = True
    """True if fields of hashes are named with prefix and version; False: by name alone, as django-redis 7 does."""
    default_marker: object = DEFAULT
    """Value that a host framework passes for an omitted timeout, besides `DEFAULT`."""
    refusals: set[str] = field(default_factory=set)
    """Commands that the server has refused and that are not tried again."""
    jitter: float = 0.0
    """Maximum fraction of a timeout, 0 to 1, by which it is randomly shortened."""
    herd: Herd = Herd()
    placement: Placement = "together"
    """How keys are assigned to servers, so that the keys of one script are on one server."""
    single_flight: SingleFlight = field(default_factory=SingleFlight)
    lock_queue: LockQueue = field(default_factory=LockQueue)
    tasks: Tasks = field(default_factory=BackgroundTasks)
    random: Callable[[], float] = random.random
    """Returns a random number from 0 to 1, for jitter and pauses."""
    tokens: Callable[[], bytes] = _token
    """Returns a new unique token for a lease."""

    @property
    def title(self) -> str:
        """Alias and servers, without credentials, for reprs."""
        return f"{self.alias!r}: {self.servers}" if self.servers else repr(self.alias)

    def now(self) -> float:
        """Return seconds of a monotonic clock; a test's own clock is used here too."""
        return time.monotonic() if self.clock is _TIME_OF_DAY or self.clock is time.time else self.clock()

    def lifetime(self, timeout: Timeout) -> int | None:
        """Return the lifetime in milliseconds of an entry written now: None for no expiry, 0 to store nothing.

        Jitter only shortens a timeout; the herd's time is added. Errors are those of `milliseconds`.
        """
        asked = self.milliseconds(timeout)
        if not asked:
            return asked
        if self.jitter:
            asked = max(1, round(asked * (1 - self.jitter * self.random())))
        return asked + self.herd.timeout

    def milliseconds(self, timeout: Timeout) -> int | None:
        """Return a timeout in milliseconds: None for no expiry, 0 for immediate expiry, else at least 1.

        Raises:
            ValueError: the timeout is NaN.
            TypeError: the timeout is neither a number, a timedelta, None nor DEFAULT.
        """
        if timeout is DEFAULT or timeout is self.default_marker:
            timeout = self.timeout
        if timeout is None:
            return None
        if isinstance(timeout, timedelta):
            timeout = timeout.total_seconds()
        if not isinstance(timeout, int | float):
            if not isinstance(timeout, SupportsIndex | SupportsFloat):
                raise TypeError(f"a timeout is a number of seconds, a timedelta or None, not {type(timeout).__name__}")
            timeout = real(timeout, "a timeout")
        if timeout <= 0:
            return 0
        if timeout != timeout:  # noqa: PLR0124  # NaN, without an import on the hot path
            raise ValueError("a timeout cannot be NaN")
        return MAX_MS if timeout >= MAX_MS / 1000 else max(1, round(timeout * 1000))


def guarded(cx: Context, name: str, op: Op[T], *args: object) -> Op[T]:
    """Return part of an operation, wrapped in the policy's guard if it has one.

    Args:
        cx: the context.
        name: the part's name, for the guard.
        op: the part.
        args: the part's arguments, for the guard.
    """
    return op if cx.policy.guard is None else cx.policy.guard(cx, name, op, args, {})
