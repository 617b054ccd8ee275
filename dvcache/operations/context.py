"""What operations know of their wiring: keys, codec, expiry and policy."""

import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, Protocol, SupportsFloat, SupportsIndex, TypeAlias, TypeVar

from dvcache.background import Background
from dvcache.flights import Flights
from dvcache.quantities import real
from dvcache.turns import Turns
from dvcache.types import DEFAULT, Arg, Clock, Key, Op, Placement, Tasks, Timeout

T = TypeVar("T")

_TIME_OF_DAY: Final = time.time

MAX_MS: Final = 2**53
"""The longest time that is sent, some 285,000 years: the server adds it to its clock in 64 bits."""


class Keys(Protocol):
    """Keys as the caller names them and as they are stored. Called by operations, once a key."""

    def key(self, key: Key, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the stored key."""
        ...

    def pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> bytes:
        """Return the glob over stored keys, in which prefix and version are literal; refuse None and empty."""
        ...

    def everything(self) -> bytes:
        """Return the glob over every stored key of the own prefix, of any version; refuse where that is every key."""
        ...

    def original(self, stored: bytes, version: int | None = None) -> str:
        """Return the caller's name of a stored key that a pattern of this version found."""
        ...

    def originals(self, stored: Sequence[bytes], version: int | None = None) -> list[str]:
        """Return the caller's names of the stored keys of one page."""
        ...


class Codec(Protocol):
    """Values as the caller gives them and as they are stored. Called by operations, once a value."""

    def dumps(self, value: object, /) -> bytes:
        """Return the stored bytes; raise `SerializationError` for a value that cannot be stored."""
        ...

    def loads(self, data: bytes, default: object = None, /) -> object:
        """Return the value, or `default` for an entry that cannot be decoded (counted, and logged once a kind)."""
        ...


class Guard(Protocol):
    """Stands around a whole operation; the facades call it, and operations that must forgive a part of theirs."""

    def __call__(
        self, cx: "Context", name: str, op: Op[T], args: tuple[Any, ...], kwargs: Mapping[str, Any], /
    ) -> Op[T]:
        """Return `op`, or an operation that performs it and answers for the operation `name` where it fails."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How entries are read and written in this wiring: plainly, behind a herd's lease, through a user's overrides.

    A record of generator functions that the operations go through, so that every variation is written once.
    """

    get: Callable[["Context", Key, object, int | None], Op[object]]
    get_or_set: Callable[["Context", Key, object, Timeout, int | None], Op[object]]
    set: Callable[["Context", Key, object, Timeout, int | None, bool, bool], Op[bool]]
    add: Callable[["Context", Key, object, Timeout, int | None], Op[bool]]
    exchange: Callable[["Context", Key, object, Timeout, int | None, bool, bool], Op[object]]
    delete: Callable[["Context", Key, int | None, str | None], Op[bool]]
    touch: Callable[["Context", Key, Timeout, int | None], Op[bool]]
    has_key: Callable[["Context", Key, int | None], Op[bool]]
    get_many: Callable[["Context", Iterable[Key], int | None], Op[dict[Key, object]]]
    set_many: Callable[["Context", Mapping[Any, object], Timeout, int | None], Op[list[Key]]]
    delete_many: Callable[["Context", Iterable[Key], int | None], Op[int]]
    pttl: Callable[["Context", bytes], Op[int]]
    """Milliseconds that a stored key has left, as PTTL answers them: -1 for ever, -2 for no entry."""
    persist: Callable[["Context", bytes], Op[bool]]
    expire_at: Callable[["Context", bytes, int], Op[bool]]
    """Lets a stored key end at a Unix time in milliseconds."""
    rename: Callable[["Context", bytes, bytes], Op[object]]
    """Moves an entry to another stored key; raises the server's error where there is none."""
    increment: Callable[["Context", bytes, int, tuple[Arg, ...]], Op[Any]]
    """Adds to a stored key by a script: answers what `scripts.INCREMENT` does. Takes what SET is given to make it."""
    current: Callable[["Context", bytes], Op[bytes | None]]
    """The stored bytes of an entry that a counter may add to, as the primary has them."""
    swap: Callable[["Context", bytes, bytes | None, tuple[Arg, ...], bool], Op[bool]]
    """SET, if the entry still is what `current` said; the flag tells whether scripts may be used."""
    remove: Callable[["Context", Sequence[bytes]], Op[int]]
    """Removes stored keys, at least one; answers how many entries there were."""
    shown: Callable[[Sequence[bytes]], Sequence[bytes]]
    """Of stored keys that a scan found, those that are entries."""
    guard: Guard | None = None
    """What stands around every operation; None leaves errors as they are."""


ClearScope: TypeAlias = Literal["database", "prefix"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Herd:
    """How recomputations are spread over callers (see `dvcache.operations.herd`)."""

    timeout: int = 0
    """Milliseconds that an entry is kept, stale, after its own timeout. 0: not at all, which is the plain policy."""
    lease: int = 0
    """Milliseconds that one caller has to recompute, before another one may."""
    wait: float = 0.0
    """Seconds that callers of `get_or_set` wait for another's value where there is none, before they compute it too."""
    background: bool = False
    """Whether an asynchronous `get_or_set` returns the stale value also to the caller that recomputes."""


def _token() -> bytes:
    return secrets.token_hex(8).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The wiring as operations see it: plain values, built once by the container."""

    alias: str = "default"
    keys: Keys
    codec: Codec
    policy: Policy
    timeout: float | None = 300.0
    """Seconds that an entry lives when the caller does not say."""
    version: int = 1
    clock: Clock = time.time
    """The time of day, for moments: what the server expires by. Durations are measured by `now`."""
    scan_count: int = 1000
    """Keys that one SCAN looks at."""
    chunk: int = 500
    """Keys that one command or pipeline of a bulk operation carries."""
    clear_scope: ClearScope = "database"
    prefixed_hashes: bool = True
    """Whether hashes are named as other entries are, with prefix and version; False: by their name alone."""
    prefixed_fields: bool = True
    """Whether the fields of hashes are; False: by their name alone, as django-redis 7 stores them."""
    default_marker: object = DEFAULT
    """What a host framework passes for a timeout that was left out, beside `DEFAULT`."""
    refusals: set[str] = field(default_factory=set)
    """Commands that the server has refused, and that need not be tried again."""
    jitter: float = 0.0
    """The part of a timeout, 0 to 1, by which it may be shortened."""
    herd: Herd = Herd()
    placement: Placement = "together"
    """What says which server holds a key, so that what a script takes together lies together."""
    flights: Flights = field(default_factory=Flights)
    turns: Turns = field(default_factory=Turns)
    tasks: Tasks = field(default_factory=Background)
    random: Callable[[], float] = random.random
    """Numbers from 0 to 1: for jitter, and for pauses."""
    tokens: Callable[[], bytes] = _token
    """Names for leases, each another."""

    def now(self) -> float:
        """Return seconds for durations, whatever happens to the time of day; a test's own clock counts here too."""
        return time.monotonic() if self.clock is _TIME_OF_DAY or self.clock is time.time else self.clock()

    def lifetime(self, timeout: Timeout) -> int | None:
        """Return how many milliseconds what is written now is stored: None for ever, 0 for not at all.

        A timeout is shortened by a random part of the jitter, never lengthened; a herd's time is added.
        Errors are those of `milliseconds`.
        """
        asked = self.milliseconds(timeout)
        if not asked:
            return asked
        if self.jitter:
            asked = max(1, round(asked * (1 - self.jitter * self.random())))
        return asked + self.herd.timeout

    def milliseconds(self, timeout: Timeout) -> int | None:
        """Return a timeout in milliseconds: None for ever, 0 for not at all, else at least 1.

        Raises:
            ValueError: the timeout is not a number.
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
    """Return an operation that is a part of another, behind the policy's guard if it has one.

    Args:
        cx: the context.
        name: the part's name, for the guard.
        op: the part.
        args: what the guard is told that the part was called with.
    """
    return op if cx.policy.guard is None else cx.policy.guard(cx, name, op, args, {})
