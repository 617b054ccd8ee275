"""Counters: incr, decr.

The server adds 64-bit integers in one round trip. Other numbers (larger integers, floats) are read, added to here, and
stored if the entry has not changed meanwhile; otherwise the read is repeated.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from dvcache.context import Context
from dvcache.effects import Op
from dvcache.errors import CacheError
from dvcache.numeric_arguments import argument
from dvcache.policies.compare_and_set import scripted
from dvcache.policies.empty_values import empty_value
from dvcache.types import DEFAULT, MISSING, Arg, Key, Timeout

Number = TypeVar("Number", int, float)

ATTEMPTS: Final = 1000
"""Maximum number of concurrent changes of an entry before a counter operation fails."""


@empty_value(None)
def incr(
    cx: Context,
    key: Key,
    delta: Number = 1,
    version: int | None = None,
    *,
    default: Number | None = None,
    timeout: Timeout = DEFAULT,
) -> Op[Number]:
    """Add to a number, atomically, and return the sum. The entry keeps its lifetime.

    Rests on a script of INCRBY and GET; if scripts are refused, on SET … IFEQ (Valkey 8.1).

    Args:
        key: the entry's name, without prefix and version.
        delta: the number to add: an int of any size, or a float.
        version: the key's version; the alias's own if None.
        default: creates a missing entry with the value `default + delta`.
        timeout: lifetime of a created entry: seconds or a timedelta; None for no expiry; 0 or less creates none.

    Raises:
        ValueError: there is no entry, and no `default`.
        TypeError: the entry, `delta` or `default` is not an int or a float. Nothing was written.
        NotSupportedError: the server cannot do it atomically. Nothing was written.
    """
    delta = _given(delta, "delta")
    initial = None if default is None else _given(default, "default") + delta
    return _add(cx, _Sum(key, cx.keys.key(key, version), delta, initial, _creation(cx, initial, timeout)))


@empty_value(None)
def decr(
    cx: Context,
    key: Key,
    delta: Number = 1,
    version: int | None = None,
    *,
    default: Number | None = None,
    timeout: Timeout = DEFAULT,
) -> Op[Number]:
    """Subtract from a number, atomically, and return the difference. Arguments and errors are those of `incr`."""
    delta = _given(delta, "delta")
    return incr(cx, key, -delta, version, default=default, timeout=timeout)


@dataclass(frozen=True, slots=True)
class _Sum:
    """An addition: its entry, and the arguments of SET for a missing entry (empty to create none)."""

    key: Key
    stored: bytes
    delta: float
    initial: float | None
    creation: tuple[Arg, ...]

    def made(self) -> float:
        if self.initial is None:
            raise ValueError(f"Key '{self.key!s}' not found")
        return self.initial


def _creation(cx: Context, initial: float | None, timeout: Timeout) -> tuple[Arg, ...]:
    lifetime = cx.lifetime(timeout)
    if initial is None or lifetime == 0:
        return ()
    return (cx.codec.dumps(initial),) if lifetime is None else (cx.codec.dumps(initial), "PX", lifetime)


def _add(cx: Context, wanted: _Sum) -> Op[Any]:
    if not isinstance(wanted.delta, int):
        return (yield from _compare_and_swap(cx, wanted, None, scripts=True))
    by_comparing = partial(_compare_and_swap, cx, wanted, None, scripts=False)
    return (yield from scripted(cx, wanted.stored, _by_script(cx, wanted, wanted.delta), by_comparing))


def _by_script(cx: Context, wanted: _Sum, delta: int) -> Op[float]:
    reply = yield from cx.policy.increment(cx, wanted.stored, delta, wanted.creation)
    if isinstance(reply, list):
        return (yield from _compare_and_swap(cx, wanted, reply[0], scripts=True))
    return wanted.made() if reply is None else int(reply)


def _compare_and_swap(cx: Context, wanted: _Sum, old: bytes | None, *, scripts: bool) -> Op[float]:
    """Read the entry (unless `old` is given), add, and store if unchanged; repeat until it succeeds."""
    for _ in range(ATTEMPTS):
        if old is None:
            old = yield from cx.policy.current(cx, wanted.stored)
        value = MISSING if old is None else cx.codec.loads(old, MISSING)
        if value is MISSING:
            result, arguments = wanted.made(), wanted.creation
        else:
            result = _number(value, "the entry") + wanted.delta
            arguments = (cx.codec.dumps(result), "KEEPTTL")
        if not arguments or (yield from cx.policy.swap(cx, wanted.stored, old, arguments, scripts)):
            return result
        old = None
    raise CacheError(f"incr: the entry changed {ATTEMPTS} times between being read and being written")


def _given(value: Any, name: str) -> Any:
    return _number(argument(value), name)


def _number(value: object, name: str) -> float:
    if type(value) is int or type(value) is float:
        return value
    raise TypeError(f"incr: {name} must be an int or a float, not {type(value).__name__}")
