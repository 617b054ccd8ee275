"""Liveness of those for whom others of this process wait: a caller that is gone without a word is noticed."""

import asyncio
import threading
from typing import Final

LOOK: Final = 0.05
"""Seconds between two looks of a waiting caller at whether the leader is still there."""


class Alive:
    """Held by the frame of a leader alone, so that it ends with that frame, whatever ends it."""

    __slots__ = ("__weakref__", "over", "thread")

    def __init__(self) -> None:
        self.over = False
        """Set on leaving: a plain store, which neither a full stack nor a signal handler can prevent."""
        self.thread: Final = None if asyncio._get_running_loop() else threading.get_ident()  # noqa: SLF001  # as in drive
        """The thread whose sync code leads; None for a task of an event loop."""


def is_closing(error: GeneratorExit) -> bool:
    """Say whether the frame that caught it was closed at a yield or an await; else code that it called raised it."""
    return error.__traceback__ is None or error.__traceback__.tb_next is None
