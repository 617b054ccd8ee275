"""Entries that are stored together: by one command for all of them, where the server has it."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import CacheError, ConnectionLost, NotSupportedError, ServerError, on_command
from dvcache.operations.context import Context
from dvcache.operations.swaps import is_of, refused
from dvcache.types import Command, Each, Op

MSETEX: Final = "MSETEX"

_ACCEPTED: Final = "MSETEX: accepted"
"""Noted among the refusals of a server that has performed the command: it does not lack it."""


def stored(cx: Context, commands: Sequence[Command]) -> Op[Sequence[object]]:
    """Perform SETs that differ in nothing but key and value; return the reply of each, its error where it failed.

    Rests on MSETEX (Valkey 9.1, Redis 8.4), which takes half the time; where the server, the user's permissions or
    the topology refuse that, on the SETs. What was refused once is not tried again. Shards answer for each key.
    In a cluster it is never asked for: a node of Valkey 9.1 does not redirect it, and stores what is another's.
    """
    if len(commands) == 1 or MSETEX in cx.refusals or cx.placement == "slots":
        return (yield from _one_by_one(commands))
    try:
        [reply] = yield Each((_joined(commands),))
    except NotSupportedError:
        cx.refusals.add(MSETEX)
        return (yield from _one_by_one(commands))
    except ConnectionLost:  # some proxies end the connection for a command that they lack
        if _ACCEPTED in cx.refusals:
            raise
        replies = yield from _one_by_one(commands)
        cx.refusals.add(MSETEX)
        return replies
    replies = reply if isinstance(reply, list) else [reply] * len(commands)
    failed = {n: on_command(each, MSETEX) for n, each in enumerate(replies) if isinstance(each, CacheError)}
    errors = {n: each for n, each in failed.items() if isinstance(each, ServerError) and refused(each)}
    if not failed:
        cx.refusals.add(_ACCEPTED)
    if not errors:
        return replies
    if any(is_of(MSETEX, error) for error in errors.values()):  # else only some of the keys
        cx.refusals.add(MSETEX)
    again = iter((yield from _one_by_one([commands[n] for n in errors])))
    return [next(again) if n in errors else each for n, each in enumerate(replies)]


def _one_by_one(commands: Sequence[Command]) -> Op[Sequence[object]]:
    replies: Sequence[object] = yield Each(tuple(commands))
    return replies


def _joined(commands: Sequence[Command]) -> Command:
    fields = [part for command in commands for part in command[1:3]]
    return (MSETEX, len(commands), *fields, *commands[0][3:])
