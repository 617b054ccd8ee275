"""Generations of a pool of the user's: each is used until it is retired, and then another one is made.

Nothing here takes a lock, as in `places`: an exception at any instruction would leave it behind.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from dvcache.pools.idle import locks
from dvcache.pools.places import Living
from dvcache.types import Driven

_PATIENCE: Final = 1.0
"""Seconds to wait for the thread that makes a pool; then several are made, and one is used."""
_LOOK: Final = 0.002
_HELD: Final = 1.0
"""Seconds for which nobody holds a lock of a retired pool."""


class _Claim:
    """The making of a pool. Its frame holds it."""

    __slots__ = ("__weakref__", "lost", "thread")

    def __init__(self) -> None:
        self.lost = False
        self.thread = threading.get_ident()


class Generation:
    """A pool of the user's, until it is retired."""

    __slots__ = ("claims", "driven", "following", "retired")

    def __init__(self, driven: Driven | None) -> None:
        self.driven = driven
        self.retired = driven is None
        self.following: dict[int, Generation] = {}
        """The one that was made after it, once there is one."""
        self.claims: Living[_Claim] = Living()

    @property
    def pool(self) -> Any:
        """The user's pool."""
        return self.driven.pool if self.driven is not None else None

    def rest(self) -> None:
        """End the connections that nobody uses."""
        if self.driven is not None:
            self.driven.rest()


class Generations:
    """The pools of the user's, one after the other.

    Args:
        make: makes a pool.
    """

    __slots__ = ("_last", "_make")

    def __init__(self, make: Callable[[], Driven]) -> None:
        self._make = make
        self._last = Generation(None)

    @property
    def last(self) -> Generation:
        """The latest one, which may be retired."""
        last = self._last
        while (following := last.following.get(0)) is not None:
            last = following
        self._last = last
        return last

    def current(self) -> Generation:
        """Return the one in use, made once for all threads."""
        give_up = None
        while (last := self.last).retired:
            claim = _Claim()
            try:
                if (
                    last.claims.admit(claim, 1)
                    or any(other.thread == claim.thread for other in last.claims.alive())  # the user's class calls us
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
        if last.following:  # made before this thread's claim
            return
        driven = self._make()
        if driven.pool is last.pool and hasattr(driven.pool, "reset"):
            driven.pool.reset()  # a factory returns the same one again: it forgets what it counted
        made = last.following.setdefault(0, Generation(driven))
        if made.driven is not driven and made.pool is not driven.pool:
            with suppress(Exception):  # another thread's is used
                driven.rest()


class Leaving:
    """A retired pool whose locks may have been left behind, until its idle connections have ended.

    `threading.Condition` enters its lock in Python code, where an exception may come between the lock and the block
    that releases it. Threads within the pool wait for it then.
    """

    __slots__ = ("_end_idle", "_locks", "_pool", "_since")

    def __init__(self, pool: Any, end_idle: Callable[[Any], None]) -> None:
        self._pool, self._end_idle = pool, end_idle
        self._locks = locks(pool)
        self._since: float | None = None

    def is_over(self, now: float) -> bool:
        """End the idle connections, once no lock is held. Called again a second later where one is."""
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
