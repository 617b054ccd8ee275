"""The plain policy: entries are read and written as they are.

Rests on GET, SET, GETDEL, MGET, UNLINK, EXISTS, PEXPIRE and PERSIST (https://valkey.io/commands/).
"""

# ruff: noqa: PLR0917  # a policy is called by the operations alone, by position

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dvcache.errors import NotSupportedError, ServerError, TransportError, TryAgainError, on_command
from dvcache.operations import together
from dvcache.operations.context import Context, Policy, guarded
from dvcache.operations.fresh import fresh
from dvcache.operations.moves import across
from dvcache.operations.partial import answered
from dvcache.operations.swaps import current, increment, refused, remember, swap
from dvcache.types import MISSING, Call, Command, Each, Key, Op, Partial, Timeout


def get(cx: Context, key: Key, default: object, version: int | None) -> Op[object]:
    """Read one entry, or `default` where there is none."""
    [reply] = yield (("GET", cx.keys.key(key, version)),)
    return default if reply is None else cx.codec.loads(reply, default)


def set(  # noqa: A001  # the operation's name
    cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
) -> Op[bool]:
    """Write one entry; with a timeout of 0 or less, have none where one would have been written."""
    lifetime = cx.lifetime(timeout)
    if lifetime == 0:
        if nx:
            return not (yield from has_key(cx, key, version))
        return (yield from delete(cx, key, version))
    [reply] = yield (set_command(cx, key, value, lifetime, version, nx, xx),)
    return reply is not None


def exchange(
    cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
) -> Op[object]:
    """Write one entry as `set` does and return what was there before."""
    lifetime = cx.lifetime(timeout)
    if lifetime == 0:
        command: Command = ("GET" if nx else "GETDEL", cx.keys.key(key, version))
    else:
        command = (*set_command(cx, key, value, lifetime, version, nx, xx), "GET")
    [reply] = yield (command,)
    return None if reply is None else cx.codec.loads(reply, None)


def add(cx: Context, key: Key, value: object, timeout: Timeout, version: int | None) -> Op[bool]:
    """Write one entry where there is none."""
    return (yield from set(cx, key, value, timeout, version, True, False))


def delete(cx: Context, key: Key, version: int | None, prefix: str | None = None) -> Op[bool]:
    """Remove one entry; say whether there was one."""
    return bool((yield from remove(cx, (cx.keys.key(key, version, prefix),))))


def touch(cx: Context, key: Key, timeout: Timeout, version: int | None) -> Op[bool]:
    """Give one entry a new lifetime; say whether there was one."""
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
    """Say whether there is an entry."""
    [found] = yield (("EXISTS", cx.keys.key(key, version)),)
    return bool(found)


def get_many(cx: Context, keys: Iterable[Key], version: int | None) -> Op[dict[Key, object]]:
    """Read the entries that there are, in the order of the keys."""
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
    """Write the entries; return the keys that the server did not store, or raise its error where it stored none."""
    if cx.milliseconds(timeout) == 0:
        yield from delete_many(cx, data, version)
        return []
    names = list(data)
    commands = set_commands(cx, data, timeout, version)
    replies: list[object] = []
    for start in range(0, len(commands), cx.chunk):
        part = commands[start : start + cx.chunk]
        replies += (yield Each(part)) if cx.jitter else (yield from together.stored(cx, part))
    return stored_or_failed(names, replies)


_FAILURES: Final = (ServerError, TransportError)


def stored_or_failed(names: Sequence[Key], replies: Sequence[object]) -> list[Key]:
    """Return the keys that were not stored, of the replies to SETs; raise the first error where none was."""
    errors = [reply for reply in replies if isinstance(reply, _FAILURES)]
    if not errors:
        return []
    if len(errors) == len(names):
        raise on_command(errors[0], "SET")
    return [name for name, reply in zip(names, replies, strict=True) if isinstance(reply, _FAILURES)]


def delete_many(cx: Context, keys: Iterable[Key], version: int | None) -> Op[int]:
    """Remove the entries; return how many there were."""
    stored = [cx.keys.key(key, version) for key in keys]
    removed = 0
    for start in range(0, len(stored), cx.chunk):
        removed += yield from cx.policy.remove(cx, stored[start : start + cx.chunk])
    return removed


def remove(cx: Context, stored: Sequence[bytes]) -> Op[int]:
    """Remove stored keys; return how many there were. Where UNLINK is refused, DEL does it."""
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
    """Read one entry from the primary; where there is none, make and store it."""
    found = yield from guarded(cx, "get", fresh(cx.policy.get(cx, key, MISSING, version)), key, MISSING, version)
    if found is MISSING:
        value = (yield Call(default)) if callable(default) else default
        found = yield from guarded(cx, "publish", publish(cx, key, value, timeout, version), key, value)
    return found


def publish(cx: Context, key: Key, value: object, timeout: Timeout, version: int | None) -> Op[object]:
    """Store what was made for a missing entry; return what is stored then: another's, if it came first."""
    if (yield from cx.policy.add(cx, key, value, timeout, version)):
        return value
    found = yield from fresh(cx.policy.get(cx, key, MISSING, version))
    if found is MISSING:  # ended meanwhile, or cannot be decoded, which would cost every caller another `value`
        yield from cx.policy.set(cx, key, value, timeout, version, False, False)
        return value
    return found


def pttl(_: Context, stored: bytes) -> Op[int]:
    """Return what an entry has left."""
    [left] = yield (("PTTL", stored),)
    return int(left)


def persist(_: Context, stored: bytes) -> Op[bool]:
    """Take the lifetime of an entry away."""
    [changed] = yield (("PERSIST", stored),)
    return bool(changed)


def expire_at(_: Context, stored: bytes, moment: int) -> Op[bool]:
    """Let an entry end at a Unix time in milliseconds."""
    [found] = yield (("PEXPIREAT", stored, moment),)
    return bool(found)


def rename(_: Context, source: bytes, target: bytes) -> Op[object]:
    """Move an entry."""
    try:
        return (yield (("RENAME", source, target),))
    except (NotSupportedError, TryAgainError):
        return (yield from across(source, target))


def shown(stored: Sequence[bytes]) -> Sequence[bytes]:
    """Of stored keys that a scan found, all."""
    return stored


def set_commands(cx: Context, data: Mapping[Any, object], timeout: Timeout, version: int | None) -> tuple[Command, ...]:
    """Return the SETs of entries; where there is jitter, each has its own."""
    if cx.jitter:
        return tuple(set_command(cx, name, value, cx.lifetime(timeout), version) for name, value in data.items())
    key, dumps = cx.keys.key, cx.codec.dumps  # looked up once: this is what set_many's time goes into
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
    """Return the SET of an entry, which lives so many milliseconds, None for ever."""
    command: Command = ("SET", cx.keys.key(key, version), cx.codec.dumps(value))
    if lifetime is not None:
        command = (*command, "PX", lifetime)
    return (*command, "NX") if nx else (*command, "XX") if xx else command


PLAIN: Final = Policy(
    get=get,
    set=set,
    exchange=exchange,
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
