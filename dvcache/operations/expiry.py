"""Expiry of entries: ttl, pttl, persist, expire, expire_at, pexpire, pexpire_at."""

from datetime import UTC, datetime, timedelta
from typing import Final, SupportsFloat, SupportsIndex

from dvcache.context import MAX_MS, Context
from dvcache.effects import Op
from dvcache.numeric_arguments import real
from dvcache.policies.empty_values import empty_value
from dvcache.types import Key, Moment, Timeout

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@empty_value(0)
def ttl(cx: Context, key: Key, version: int | None = None) -> Op[int | None]:
    """Return an entry's remaining seconds, rounded up: None for no expiry, 0 for no entry."""
    left = yield from pttl(cx, key, version)
    return None if left is None else -(-left // 1000)


@empty_value(0)
def pttl(cx: Context, key: Key, version: int | None = None) -> Op[int | None]:
    """Return an entry's remaining milliseconds: None for no expiry, 0 for no entry.

    Rests on PTTL (https://valkey.io/commands/pttl/).
    """
    left = yield from cx.policy.pttl(cx, cx.keys.key(key, version))
    return None if left == -1 else max(0, left)


@empty_value(False)
def persist(cx: Context, key: Key, version: int | None = None) -> Op[bool]:
    """Remove an entry's expiry; return True if it had one."""
    return cx.policy.persist(cx, cx.keys.key(key, version))


@empty_value(False)
def expire(cx: Context, key: Key, timeout: Timeout, version: int | None = None) -> Op[bool]:
    """Set an entry's lifetime; return True if the entry exists.

    Args:
        key: the entry's name, without prefix and version.
        timeout: seconds or a timedelta, to the millisecond; None for no expiry; 0 or less deletes the entry; DEFAULT
            for the alias's own.
        version: the key's version; the alias's own if None.
    """
    return cx.policy.touch(cx, key, timeout, version)


@empty_value(False)
def pexpire(cx: Context, key: Key, timeout: Timeout, version: int | None = None) -> Op[bool]:
    """Set an entry's lifetime, in milliseconds if a number; return True if the entry exists.

    Args:
        key: the entry's name, without prefix and version.
        timeout: milliseconds or a timedelta; None for no expiry; 0 or less deletes the entry; DEFAULT for the alias's
            own, which is in seconds.
        version: the key's version; the alias's own if None.
    """
    if isinstance(timeout, SupportsIndex | SupportsFloat):
        timeout = _bounded(real(timeout, "a timeout")) / 1000
    return cx.policy.touch(cx, key, timeout, version)


@empty_value(False)
def expire_at(cx: Context, key: Key, when: Moment, version: int | None = None) -> Op[bool]:
    """Set the time at which an entry expires; return True if the entry exists.

    Rests on PEXPIREAT (https://valkey.io/commands/pexpireat/).

    Args:
        key: the entry's name, without prefix and version.
        when: a Unix time in seconds, or a datetime (local time if naive). A past time deletes the entry.
        version: the key's version; the alias's own if None.

    Raises:
        ValueError: `when` is NaN.
    """
    return cx.policy.expire_at(cx, cx.keys.key(key, version), _unix_ms(when, 1000))


@empty_value(False)
def pexpire_at(cx: Context, key: Key, when: Moment, version: int | None = None) -> Op[bool]:
    """Set the time at which an entry expires, as `expire_at`, with numbers as Unix times in milliseconds."""
    return cx.policy.expire_at(cx, cx.keys.key(key, version), _unix_ms(when, 1))


def _unix_ms(when: Moment, unit: int) -> int:
    if isinstance(when, datetime):
        return max(0, (_aware(when) - _EPOCH) // timedelta(milliseconds=1))
    if not isinstance(when, SupportsIndex | SupportsFloat):
        raise TypeError(f"a point in time is a number or a datetime, not {type(when).__name__}")
    return min(round(_bounded(real(when, "a point in time")) * unit), MAX_MS)


def _aware(when: datetime) -> datetime:
    if when.tzinfo is not None:
        return when
    try:
        return when.astimezone()
    except (OverflowError, ValueError):  # within hours of datetime.min or datetime.max
        return when.replace(tzinfo=UTC)


def _bounded(number: float) -> float:
    if number != number:  # noqa: PLR0124  # NaN
        raise ValueError("a time cannot be NaN")
    return min(max(number, 0), MAX_MS)
