"""The Python twins of the library's Lua scripts, line by line."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import ServerError
from dvcache.pools.memory.scripting import Call, ScriptFunction
from dvcache.scripts import INCREMENT, SWAP


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


SCRIPTS: Final[dict[str, ScriptFunction]] = {INCREMENT.text: increment, SWAP.text: swap}
"""What an in-memory server can evaluate. A new script needs its twin here."""
