"""Entries that are stored together: by one command for all of them, where the server has it."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import NotSupportedError, ServerError
from dvcache.operations.context import Context
from dvcache.operations.swaps import refused
from dvcache.types import Command, Each, Op

MSETEX: Final = "MSETEX"


def stored(cx: Context, commands: Sequence[Command]) -> Op[Sequence[object]]:
    """Perform SETs that differ in nothing but key and value; return the reply of each, its error where it failed.

    Rests on MSETEX (Valkey 9.1, Redis 8.4), which takes half the time; where the server, the user's permissions or
    the topology refuse that, on the SETs. What was refused once is not tried again.
    """
    if len(commands) > 1 and MSETEX not in cx.refusals:
        try:
            [reply] = yield (_joined(commands),)
        except NotSupportedError:
            cx.refusals.add(MSETEX)
        except ServerError as error:
            if not refused(error):
                raise
            if MSETEX.casefold() in error.message.casefold():  # else only some of the keys are refused
                cx.refusals.add(MSETEX)
        else:
            return [reply] * len(commands)
    replies: Sequence[object] = yield Each(tuple(commands))
    return replies


def _joined(commands: Sequence[Command]) -> Command:
    fields = [part for command in commands for part in command[1:3]]
    return (MSETEX, len(commands), *fields, *commands[0][3:])
