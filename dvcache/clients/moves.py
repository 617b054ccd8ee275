"""Moves of a primary: its name leads to another server, and connections to the old one stay.

The old primary answers READONLY. So its connections are ended, and the commands that it refused are sent once more, on
a connection that looks the name up anew. Commands that were answered are not repeated.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

from dvcache.errors import ReadOnlyError
from dvcache.types import Batch, Transaction

TOGETHER: Final = 0.1
"""Seconds within which callers that were refused on old connections take part in one move."""

AGAIN: Final = 1.0
"""Seconds for which a server that is read-only after connecting anew is taken at its word."""


class Moves:
    """The moves of one primary. Without a lock, so that a forked child finds none held."""

    __slots__ = ("_ended", "vain")

    def __init__(self) -> None:
        self._ended = float("-inf")
        self.vain = 0.0
        """When connecting anew led to a read-only server, in `time.monotonic` seconds."""

    def is_news(self) -> bool:
        """Return True unless another caller has ended the connections a moment ago."""
        return time.monotonic() - self._ended > TOGETHER

    def ended(self) -> None:
        """Record that the connections were ended. Two callers at once may do so, which ends some new ones too."""
        self._ended = time.monotonic()

    def is_due_after(self, replies: Sequence[Any]) -> bool:
        """Say whether a command was refused, and connecting anew may help."""
        return is_refused(replies) and (not self.vain or time.monotonic() - self.vain > AGAIN)

    def repeated(self, batch: Batch, replies: Sequence[Any], again: Sequence[Any]) -> Sequence[Any]:
        """Return the replies with those to the commands that were repeated in their places."""
        self.vain = time.monotonic() if is_refused(again) else 0.0
        if type(batch) is Transaction:
            return again
        turns = iter(again)
        return [next(turns) if type(reply) is ReadOnlyError else reply for reply in replies]


def is_refused(replies: Sequence[Any]) -> bool:
    """Say whether a server refused a command as it is a replica."""
    return type(replies[0]) is ReadOnlyError if len(replies) == 1 else ReadOnlyError in map(type, replies)


def refused_part(batch: Batch, replies: Sequence[Any]) -> Batch:
    """Return the commands that were refused. A transaction was refused as a whole."""
    if type(batch) is Transaction:
        return batch
    return tuple([command for command, reply in zip(batch, replies, strict=True) if type(reply) is ReadOnlyError])
