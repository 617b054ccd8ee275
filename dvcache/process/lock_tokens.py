"""Tokens of lock acquisitions: one per acquisition, kept until the server confirms its release.

Threads and tasks may share a lock object. Its lock may expire while one of them holds it and be acquired by another, so
each token belongs to the task, or else the thread, that acquired it.
"""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import ReferenceType, ref

KEPT: Final = 16
"""Maximum number of acquisitions kept per object. All but the newest have expired: the newest found the lock free."""


@dataclass(slots=True, eq=False)
class Acquisition:
    """One acquisition: its token, thread and task."""

    token: bytes
    thread: ReferenceType[threading.Thread]
    task: "ReferenceType[asyncio.Task[Any]] | None"
    unanswered: bool = field(default=False)
    """True after its acquire or release was sent, until the server replies."""


class Acquisitions:
    """Acquisitions of one lock object.

    Args:
        shared: whether a thread may release an acquisition of another thread.
    """

    def __init__(self, *, shared: bool) -> None:
        self._shared: Final = shared
        self._all: Final[list[Acquisition]] = []

    @property
    def token(self) -> bytes | None:
        """Token of the caller's acquisition, None if there is none; named as in valkey-py's locks."""
        found = self.own()
        return None if found is None else found.token

    @token.setter
    def token(self, token: bytes | None) -> None:
        if token is not None:
            self.add(token)
        elif (found := self.own()) is not None:
            self.forget(found)

    def add(self, token: bytes, *, unanswered: bool = False) -> None:
        """Record an acquisition by the calling task or thread."""
        task = _task()
        self._all.append(
            Acquisition(token, ref(threading.current_thread()), None if task is None else ref(task), unanswered)
        )
        del self._all[:-KEPT]

    def own(self) -> Acquisition | None:
        """Return the newest acquisition of the calling task, else of the thread, else any if they are shared."""
        newest = self._all[::-1]
        task, thread = _task(), threading.current_thread()
        if task is not None:
            for each in newest:
                if each.task is not None and each.task() is task:
                    return each
        for each in newest:
            if each.thread() is thread:
                return each
        return newest[0] if newest and self._shared else None

    def unanswered(self) -> list[Acquisition]:
        """Return acquisitions whose acquire or release the server has not answered."""
        return [each for each in self._all if each.unanswered]

    def forget(self, holding: Acquisition) -> None:
        """Remove an acquisition whose end is known."""
        if holding in self._all:
            self._all.remove(holding)


def _task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        return None
