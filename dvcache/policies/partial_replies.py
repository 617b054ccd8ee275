"""Partial replies: results of some servers while others failed; kept under IGNORE_EXCEPTIONS, else an error."""

from collections.abc import Sequence
from typing import Any

from dvcache.context import Context, guarded
from dvcache.effects import Op
from dvcache.errors import CacheError, on_command
from dvcache.policies.empty_values import empty_value


def answered(cx: Context, command: str, replies: Sequence[Any], absent: object) -> Op[list[Any]]:
    """Return a command's replies, with `absent` in place of errors if errors are ignored.

    Raises:
        CacheError: the first error, unless the policy's guard ignores it.
    """
    errors = [reply for reply in replies if isinstance(reply, CacheError)]
    if errors:
        yield from guarded(cx, "unanswered", unanswered(errors[0], command))
    return [absent if isinstance(reply, CacheError) else reply for reply in replies]


@empty_value(None)
def unanswered(error: CacheError, command: str) -> Op[None]:
    """Raise the error of a server that gave no reply, for the guard to ignore."""
    yield from ()
    raise on_command(error, command)
