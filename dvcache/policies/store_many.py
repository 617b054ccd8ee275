"""Store several entries with one command, if the server has it."""

from collections.abc import Sequence
from typing import Final

from dvcache.context import Context
from dvcache.effects import Op, Unchecked
from dvcache.errors import CacheError, ConnectionLost, NotSupportedError, ServerError, on_command
from dvcache.policies.compare_and_set import is_of, refused
from dvcache.types import Command

MSETEX: Final = "MSETEX"

_ACCEPTED: Final = "MSETEX: accepted"
"""Recorded among the refusals once a server has performed the command, which proves that it has it."""


def stored(cx: Context, commands: Sequence[Command]) -> Op[Sequence[object]]:
    """Perform SETs that differ only in key and value; return each one's reply, or its error.

    Rests on MSETEX (Valkey 9.1, Redis 8.4), which takes half the time; on single SETs if the server, the ACL or the
    topology refuses MSETEX. A refused command is not tried again. Shards reply for each key. Never used in a cluster: a
    node of Valkey 9.1 does not redirect it and stores keys of other nodes' slots.
    """
    if len(commands) == 1 or MSETEX in cx.refusals or cx.placement == "slots":
        return (yield from _one_by_one(commands))
    try:
        [reply] = yield Unchecked((_joined(commands),))
    except NotSupportedError:
        cx.refusals.add(MSETEX)
        return (yield from _one_by_one(commands))
    except ConnectionLost:  # some proxies close the connection on an unknown command
        if _ACCEPTED in cx.refusals:
            raise
        replies = yield from _one_by_one(commands)
        cx.refusals.add(MSETEX)
        return replies
    # Shards answer with a list, one reply per key; a single server with one reply for all.
    replies = reply if isinstance(reply, list) else [reply] * len(commands)
    failed = {n: on_command(each, MSETEX) for n, each in enumerate(replies) if isinstance(each, CacheError)}
    errors = {n: each for n, each in failed.items() if isinstance(each, ServerError) and refused(each)}
    if not failed:
        cx.refusals.add(_ACCEPTED)
    if not errors:
        return replies
    if any(is_of(MSETEX, error) for error in errors.values()):  # otherwise only some keys were refused
        cx.refusals.add(MSETEX)
    again = iter((yield from _one_by_one([commands[n] for n in errors])))
    return [next(again) if n in errors else each for n, each in enumerate(replies)]


def _one_by_one(commands: Sequence[Command]) -> Op[Sequence[object]]:
    replies: Sequence[object] = yield Unchecked(tuple(commands))
    return replies


def _joined(commands: Sequence[Command]) -> Command:
    fields = [part for command in commands for part in command[1:3]]
    return (MSETEX, len(commands), *fields, *commands[0][3:])
