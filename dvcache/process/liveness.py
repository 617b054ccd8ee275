"""Detect leaders in this process that died without releasing their waiters."""

import asyncio
import threading
from typing import Final

LOOK: Final = 0.05
"""Seconds between two checks by a waiting caller whether the leader is alive."""


class Alive:
    """Held only by a leader's frame, so that it is freed with that frame, however the frame ends."""

    __slots__ = ("__weakref__", "over", "thread")

    def __init__(self) -> None:
        self.over = False
        """Set on exit by a plain store, which neither a full stack nor a signal handler can prevent."""
        self.thread: Final = None if asyncio._get_running_loop() else threading.get_ident()  # noqa: SLF001  # as in drive
        """Thread whose sync code leads; None for a task of an event loop."""


def is_closing(error: GeneratorExit) -> bool:
    """Return True if the catching frame itself was closed at a yield or an await; False if called code raised it."""
    return error.__traceback__ is None or error.__traceback__.tb_next is None
