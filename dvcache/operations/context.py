"""What operations know of their wiring: keys, codec, expiry and policy."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar

from dvcache.types import DEFAULT, Clock, Key, Op, Timeout

T = TypeVar("T")

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
    set: Callable[["Context", Key, object, Timeout, int | None, bool, bool], Op[bool]]
    add: Callable[["Context", Key, object, Timeout, int | None], Op[bool]]
    exchange: Callable[["Context", Key, object, Timeout, int | None, bool, bool], Op[object]]
    delete: Callable[["Context", Key, int | None, str | None], Op[bool]]
    touch: Callable[["Context", Key, Timeout, int | None], Op[bool]]
    has_key: Callable[["Context", Key, int | None], Op[bool]]
    get_many: Callable[["Context", Iterable[Key], int | None], Op[dict[Key, object]]]
    set_many: Callable[["Context", Mapping[Any, object], Timeout, int | None], Op[list[Key]]]
    delete_many: Callable[["Context", Iterable[Key], int | None], Op[int]]
    guard: Guard | None = None
    """What stands around every operation; None leaves errors as they are."""


ClearScope: TypeAlias = Literal["database", "prefix"]


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
    scan_count: int = 1000
    """Keys that one SCAN looks at."""
    chunk: int = 500
    """Keys that one command or pipeline of a bulk operation carries."""
    clear_scope: ClearScope = "database"
    default_marker: object = DEFAULT
    """What a host framework passes for a timeout that was left out, beside `DEFAULT`."""

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
            raise TypeError(f"a timeout is a number of seconds, a timedelta or None, not {type(timeout).__name__}")
        if timeout <= 0:
            return 0
        if timeout != timeout:  # noqa: PLR0124  # NaN, without an import on the hot path
            raise ValueError("a timeout cannot be NaN")
        return MAX_MS if timeout >= MAX_MS / 1000 else max(1, round(timeout * 1000))
