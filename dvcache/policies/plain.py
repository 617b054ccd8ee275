"""Plain policy: reads and writes entries directly.

Rests on GET, SET, GETDEL, MGET, UNLINK, EXISTS, PEXPIRE and PERSIST (https://valkey.io/commands/).
"""

# ruff: noqa: PLR0917  # policies are called by operations only, with positional arguments

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dvcache.context import Context, Policy, guarded
from dvcache.effects import Call, Op, Partial, Unchecked, fresh
from dvcache.errors import NotSupportedError, ServerError, TransportError, TryAgainError, on_command
from dvcache.policies import store_many
from dvcache.policies.compare_and_set import current, increment, refused, remember, swap
from dvcache.policies.empty_values import empty_value
from dvcache.policies.partial_replies import answered
from dvcache.policies.rename_across import across
from dvcache.types import MISSING, Command, Key, Timeout


def get(cx: Context, key: Key, default: object, version: int | None) -> Op[object]:
    """Return the value of one entry, or `default` if it does not exist."""
    [reply] = yield (("GET", cx.keys.key(key, version)),)
    return default if reply is None else cx.codec.loads(reply, default)


def set(  # noqa: A001  # the operation's name
    cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
) -> Op[bool]:
    """Write one entry; with a timeout of 0 or less, delete it instead."""
    lifetime = cx.lifetime(timeout)
    if lifetime == 0:
        if nx:
            return not (yield from has_key(cx, key, version))
        return (yield from delete(cx, key, version))
    [reply] = yield (set_command(cx, key, value, lifetime, version, nx, xx),)
    return reply is not None


def get_and_set(
    cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
) -> Op[object]:
    """Write one entry as `set` does; return the previous value."""
    lifetime = cx.lifetime(timeout)
    if lifetime == 0:
        command: Command = ("GET" if nx else "GETDEL", cx.keys.key(key, version))
    else:
        command = (*set_command(cx, key, value, lifetime, version, nx, xx), "GET")
    [reply] = yield (command,)
    return None if reply is None else cx.codec.loads(reply, None)


def add(cx: Context, key: Key, value: object, timeout: Timeout, version: int | None) -> Op[bool]:
    """Write one entry if it does not exist."""
    return (yield from set(cx, key, value, timeout, version, True, False))


def delete(cx: Context, key: Key, version: int | None, prefix: str | None = None) -> Op[bool]:
    """Remove one entry; return True if it existed."""
    return bool((yield from remove(cx, (cx.keys.key(key, version, prefix),))))


def touch(cx: Context, key: Key, timeout: Timeout, version: int | None) -> Op[bool]:
    """Set one entry's lifetime; return True if it exists."""
    lifetime = cx.lifetime(timeout)
    stored = cx.keys.key(key, version)
    if lifetime is None:
        [_, found] = yield (("PERSIST", stored), ("EXISTS", stored))
    elif lifetime == 0:
        found = yield from remove(cx, (stored,))
    else:
        [found] = yield (("PEXPIRE", stored, lifetime),)
    return bool(found)


def has_key(cx: Context, key: Key, version: int | None) -> Op[bool]:
    """Return True if an entry exists."""
    [found] = yield (("EXISTS", cx.keys.key(key, version)),)
    return bool(found)


def get_many(cx: Context, keys: Iterable[Key], version: int | None) -> Op[dict[Key, object]]:
    """Return the values of the existing entries, in the order of the keys."""
    wanted = {key: cx.keys.key(key, version) for key in keys}
    names, stored = list(wanted), list(wanted.values())
    found: dict[Key, object] = {}
    for start in range(0, len(names), cx.chunk):
        [replies] = yield (("MGET", *stored[start : start + cx.chunk]),)
        if type(replies) is Partial:
            replies = yield from answered(cx, "MGET", replies, None)
        for name, reply in zip(names[start : start + cx.chunk], replies, strict=True):
            if reply is not None and (value := cx.codec.loads(reply, MISSING)) is not MISSING:
                found[name] = value
    return found


def set_many(cx: Context, data: Mapping[Any, object], timeout: Timeout, version: int | None) -> Op[list[Key]]:
    """Write the entries; return the keys that were not stored, or raise the server's error if none was stored."""
    if cx.milliseconds(timeout) == 0:
        yield from delete_many(cx, data, version)
        return []
    names = list(data)
    commands = set_commands(cx, data, timeout, version)
    replies: list[object] = []
    for start in range(0, len(commands), cx.chunk):
        part = commands[start : start + cx.chunk]
        replies += (yield Unchecked(part)) if cx.jitter else (yield from store_many.stored(cx, part))
    return stored_or_failed(names, replies)


_FAILURES: Final = (ServerError, TransportError)


def stored_or_failed(names: Sequence[Key], replies: Sequence[object]) -> list[Key]:
    """Return the keys whose SET failed; raise the first error if all failed."""
    errors = [reply for reply in replies if isinstance(reply, _FAILURES)]
    if not errors:
        return []
    if len(errors) == len(names):
        raise on_command(errors[0], "SET")
    return [name for name, reply in zip(names, replies, strict=True) if isinstance(reply, _FAILURES)]


def delete_many(cx: Context, keys: Iterable[Key], version: int | None) -> Op[int]:
    """Remove the entries; return the number removed."""
    stored = [cx.keys.key(key, version) for key in keys]
    removed = 0
    for start in range(0, len(stored), cx.chunk):
        removed += yield from cx.policy.remove(cx, stored[start : start + cx.chunk])
    return removed


def remove(cx: Context, stored: Sequence[bytes]) -> Op[int]:
    """Remove stored keys; return the number removed. Uses DEL if UNLINK is refused."""
    if UNLINK not in cx.refusals:
        try:
            [count] = yield ((UNLINK, *stored),)
            return int(count)
        except ServerError as error:
            if not refused(error):
                raise
            remember(cx, UNLINK, error)
    [count] = yield (("DEL", *stored),)
    return int(count)


UNLINK: Final = "UNLINK"


def get_or_set(cx: Context, key: Key, default: object, timeout: Timeout, version: int | None) -> Op[object]:
    """Read one entry from the primary; if it does not exist, compute and store it."""
    # Read from the primary: a lagging replica would make every caller compute the value again.
    found = yield from guarded(cx, "get", fresh(cx.policy.get(cx, key, MISSING, version)), key, MISSING, version)
    if found is MISSING:
        value = (yield Call(default)) if callable(default) else default
        found = yield from guarded(cx, "publish", publish(cx, key, value, timeout, version), key, value)
    return found


@empty_value(lambda value: value)
def publish(cx: Context, key: Key, value: object, timeout: Timeout, version: int | None) -> Op[object]:
    """Store the value computed for a missing entry; return the value then stored: another caller's, if it was first."""
    if (yield from cx.policy.add(cx, key, value, timeout, version)):
        return value
    found = yield from fresh(cx.policy.get(cx, key, MISSING, version))
    if found is MISSING:  # expired meanwhile, or undecodable: overwrite it, or every caller would compute again
        yield from cx.policy.set(cx, key, value, timeout, version, False, False)
        return value
    return found


def pttl(_: Context, stored: bytes) -> Op[int]:
    """Return an entry's remaining milliseconds, as PTTL does."""
    [left] = yield (("PTTL", stored),)
    return int(left)


def persist(_: Context, stored: bytes) -> Op[bool]:
    """Remove an entry's expiry; return True if it had one."""
    [changed] = yield (("PERSIST", stored),)
    return bool(changed)


def expire_at(_: Context, stored: bytes, moment: int) -> Op[bool]:
    """Set an entry's expiry to a Unix time in milliseconds; return True if it exists."""
    [found] = yield (("PEXPIREAT", stored, moment),)
    return bool(found)


def rename(cx: Context, source: bytes, target: bytes) -> Op[object]:
    """Move an entry to another stored key."""
    try:
        return (yield (("RENAME", source, target),))
    except (NotSupportedError, TryAgainError):
        return (yield from across(cx, source, target))


def shown(stored: Sequence[bytes]) -> Sequence[bytes]:
    """Return all stored keys that a scan found."""
    return stored


def set_commands(cx: Context, data: Mapping[Any, object], timeout: Timeout, version: int | None) -> tuple[Command, ...]:
    """Return the SETs of entries; with jitter, each has its own lifetime."""
    if cx.jitter:
        return tuple(set_command(cx, name, value, cx.lifetime(timeout), version) for name, value in data.items())
    key, dumps = cx.keys.key, cx.codec.dumps  # looked up once: the loop dominates set_many's time
    lifetime = cx.lifetime(timeout)
    lives = () if lifetime is None else ("PX", lifetime)
    return tuple([("SET", key(name, version), dumps(value), *lives) for name, value in data.items()])


def set_command(
    cx: Context,
    key: Key,
    value: object,
    lifetime: int | None,
    version: int | None,
    nx: bool = False,
    xx: bool = False,
) -> Command:
    """Return the SET of an entry with a lifetime in milliseconds, None for no expiry."""
    command: Command = ("SET", cx.keys.key(key, version), cx.codec.dumps(value))
    if lifetime is not None:
        command = (*command, "PX", lifetime)
    return (*command, "NX") if nx else (*command, "XX") if xx else command


PLAIN: Final = Policy(
    get=get,
    set=set,
    get_and_set=get_and_set,
    add=add,
    delete=delete,
    touch=touch,
    has_key=has_key,
    get_many=get_many,
    set_many=set_many,
    delete_many=delete_many,
    get_or_set=get_or_set,
    pttl=pttl,
    persist=persist,
    expire_at=expire_at,
    rename=rename,
    increment=increment,
    current=current,
    swap=swap,
    remove=remove,
    shown=shown,
)
