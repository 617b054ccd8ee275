"""What some servers answered where others did not: kept, where transport errors are ignored, else an error."""

from collections.abc import Sequence
from typing import Any, TypeVar

from dvcache.errors import CacheError, on_command
from dvcache.operations.context import Context, guarded
from dvcache.types import Op

T = TypeVar("T")


def answered(cx: Context, command: str, replies: Sequence[Any], absent: T) -> Op[list[Any]]:
    """Return the replies to a command, with `absent` in the place of each error, where errors are ignored.

    Raises:
        CacheError: the first one, unless the policy's guard takes it.
    """
    errors = [reply for reply in replies if isinstance(reply, CacheError)]
    if errors:
        yield from guarded(cx, "unanswered", _unanswered(errors[0], command))
    return [absent if isinstance(reply, CacheError) else reply for reply in replies]


def _unanswered(error: CacheError, command: str) -> Op[None]:
    yield from ()
    raise on_command(error, command)
