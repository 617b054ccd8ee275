"""Hand-over of user's pools: each is used until it is retired; then a new one is made.

There is no lock here, as in `capacity`: an exception at any instruction could leave it held.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from dvcache.pools.capacity import Living
from dvcache.pools.custom.idle import locks
from dvcache.types import SourcedPool

_PATIENCE: Final = 1.0
"""Seconds to wait for the thread that makes a pool; after that, several may be made, of which one is used."""
_LOOK: Final = 0.002
_HELD: Final = 1.0
"""Seconds after which the lock of a retired pool counts as abandoned."""


class _PoolClaim:
    """A claim to make the next pool. It is referenced only by its caller's frame, and so ends with it."""

    __slots__ = ("__weakref__", "lost", "thread")

    def __init__(self) -> None:
        self.lost = False
        self.thread = threading.get_ident()


class Generation:
    """A user's pool, until it is retired."""

    __slots__ = ("claims", "following", "retired", "sourced")

    def __init__(self, sourced: SourcedPool | None) -> None:
        self.sourced = sourced
        self.retired = sourced is None
        self.following: dict[int, Generation] = {}
        """The next generation under key 0, once it exists. A dictionary, because `setdefault` is atomic."""
        self.claims: Living[_PoolClaim] = Living()

    @property
    def pool(self) -> Any:
        """The user's pool."""
        return self.sourced.pool if self.sourced is not None else None

    def release(self) -> None:
        """End the idle connections."""
        if self.sourced is not None:
            self.sourced.release()


class Generations:
    """Successive pools of the user's.

    Args:
        make: makes a pool.
    """

    __slots__ = ("_last", "_make")

    def __init__(self, make: Callable[[], SourcedPool]) -> None:
        self._make = make
        self._last = Generation(None)

    @property
    def last(self) -> Generation:
        """The latest generation, which may be retired."""
        last = self._last
        while (following := last.following.get(0)) is not None:
            last = following
        self._last = last
        return last

    def current(self) -> Generation:
        """Return the generation in use; make it once for all threads."""
        give_up = None
        while (last := self.last).retired:
            claim = _PoolClaim()
            try:
                if (
                    last.claims.admit(claim, 1)
                    or any(other.thread == claim.thread for other in last.claims.alive())  # re-entered by user's code
                    or (give_up is not None and time.monotonic() > give_up)
                ):
                    self._follow(last)
                    continue
            finally:
                claim.lost = True
            give_up = give_up or time.monotonic() + _PATIENCE
            time.sleep(_LOOK)
        return last

    def _follow(self, last: Generation) -> None:
        if last.following:  # another thread made it before this thread's claim
            return
        sourced = self._make()
        if sourced.pool is last.pool and hasattr(sourced.pool, "reset"):
            sourced.pool.reset()  # the factory returned the same pool again: drop its counts of connections
        made = last.following.setdefault(0, Generation(sourced))
        if made.sourced is not sourced and made.pool is not sourced.pool:
            with suppress(Exception):  # another thread was first, and its pool is used
                sourced.release()


class Leaving:
    """A retired pool, until its idle connections have ended; its locks may be abandoned.

    `threading.Condition` acquires its lock in Python code, so an exception may strike between the acquisition and the
    block that releases it. Threads inside the pool then wait for the lock forever.
    """

    __slots__ = ("_end_idle", "_locks", "_pool", "_since")

    def __init__(self, pool: Any, end_idle: Callable[[Any], None]) -> None:
        self._pool, self._end_idle = pool, end_idle
        self._locks = locks(pool)
        self._since: float | None = None

    def is_over(self, now: float) -> bool:
        """End the idle connections once no lock is held; return False to be called again about a second later."""
        for lock in self._locks:
            if lock.acquire(timeout=0.001):
                lock.release()
            elif self._since is None or now - self._since < _HELD:
                self._since = self._since or now
                return False
            else:
                with suppress(RuntimeError):
                    lock.release()
        self._end_idle(self._pool)
        return True
