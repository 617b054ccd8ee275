"""The Python twins of the library's Lua scripts, line by line."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import ServerError
from dvcache.pools.memory.scripting import Call, ScriptFunction
from dvcache.scripts import CHANGE, COUNT, EXTEND, INCREMENT, NOTHING, PUBLISH, RELEASE, REMOVE_DUMPED, STORE_ALL, SWAP


def increment(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `INCREMENT`."""
    found = call("GET", keys[0])
    if found is None:
        if len(args) > 1:
            call("SET", keys[0], *args[1:])
        return None
    try:
        call("INCRBY", keys[0], args[0])
    except ServerError:
        return [found]
    return call("GET", keys[0])


def swap(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `SWAP`."""
    if call("GET", keys[0]) != args[0]:
        return 0
    call("SET", keys[0], *args[1:])
    return 1


def change(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `CHANGE`."""
    limit, condition, same, get, command, *rest = args
    left = call("PTTL", keys[0])
    there = left == -1 or left > int(limit)
    before = call("GET", keys[0]) if there and (condition == b"same" or get == b"get") else None
    shown = before if get == b"get" else None
    if (
        (condition == b"missing" and there)
        or (condition == b"present" and not there)
        or (condition == b"same" and before != same)
    ):
        return [0, 0, shown]
    reply = call(command, keys[0], *rest)
    call("UNLINK", keys[1])
    return [1, reply, shown]


def count(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `COUNT`."""
    limit, delta, *creation = args
    left = call("PTTL", keys[0])
    if left != -1 and left <= int(limit):
        if creation:
            call("SET", keys[0], *creation)
            call("UNLINK", keys[1])
        return None
    found = call("GET", keys[0])
    try:
        call("INCRBY", keys[0], delta)
    except ServerError:
        return [found]
    call("UNLINK", keys[1])
    return call("GET", keys[0])


def publish(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `PUBLISH`."""
    limit, token, within, known, claimed, *rest = args
    holder = call("GET", keys[1])
    left = call("PTTL", keys[0])
    found = call("GET", keys[0])
    state, store = b"none", False
    if holder == token:
        state, store = b"own", True
    elif holder is not None:
        state, store = b"other", left != -1 and left <= int(limit)
    elif within == b"0":
        store = found is None or (known == b"1" and found == claimed)
    if store:
        call("SET", keys[0], *rest)
    if state == b"own":
        call("UNLINK", keys[1])
    return [int(store), state, None if store else found]


def release(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `RELEASE`."""
    return call("UNLINK", keys[0]) if call("GET", keys[0]) == args[0] else 0


def extend(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `EXTEND`."""
    token, more, how = args
    if call("GET", keys[0]) != token:
        return 0
    left = max(call("PTTL", keys[0]), 0) if how == b"add" else 0
    return call("PEXPIRE", keys[0], int(more) + left)


def remove_dumped(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `REMOVE_DUMPED`."""
    return call("UNLINK", keys[0]) if call("DUMP", keys[0]) == args[0] else 0


def store_all(call: Call, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
    """Twin of `STORE_ALL`."""
    condition, limit, lifetime, *values = args
    lefts = [call("PTTL", key) for key in keys] if condition == b"NX" else []
    if any(left == -1 or left > int(limit) for left in lefts):
        return 0
    for key, value in zip(keys, values, strict=True):
        call("SET", key, value, *(("PX", lifetime) if lifetime else ()))
    return 1


def nothing(call: Call, keys: Sequence[bytes], _: Sequence[bytes]) -> object:
    """Answer as `NOTHING`."""
    return call("EXISTS", keys[0])


SCRIPTS: Final[dict[str, ScriptFunction]] = {
    INCREMENT.text: increment,
    SWAP.text: swap,
    CHANGE.text: change,
    COUNT.text: count,
    PUBLISH.text: publish,
    RELEASE.text: release,
    EXTEND.text: extend,
    REMOVE_DUMPED.text: remove_dumped,
    STORE_ALL.text: store_all,
    NOTHING.text: nothing,
}
"""What an in-memory server can evaluate. A new script needs its twin here."""
