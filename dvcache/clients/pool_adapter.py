"""Add to a pool what is optional for pools and needed by the runners: the deadline, `begin` and `connects`."""

import inspect
from typing import Any, Protocol

from dvcache.protocols import AsyncBegins, Begins
from dvcache.types import Batch


class Member(Begins, Protocol):
    """A pool with all of `protocols.Begins`, as the sync runner uses it."""

    def connects(self) -> bool:
        """Return True if `begin` would connect first."""
        ...


class AdaptedPool:
    """A pool of either mode, with the optional methods that it lacks. Other attributes are those of the pool.

    Args:
        pool: the pool.
        takes_deadline: False if its methods take the batch only.
    """

    def __init__(self, pool: Any, *, takes_deadline: bool) -> None:
        self._pool = pool
        begin = getattr(pool, "begin", _never)
        self.execute = pool.execute if takes_deadline else lambda batch, _=None, /: pool.execute(batch)
        self.begin = begin if takes_deadline or begin is _never else lambda batch, _=None, /: begin(batch)
        self.connects = getattr(pool, "connects", bool)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


def with_begin(pool: Any) -> Member:
    """Return the pool if it has all of `protocols.Begins`, else an adapter that adds what is missing."""
    member: Member = _adapted(pool, "begin", "connects")
    return member


def with_async_begin(pool: Any) -> AsyncBegins:
    """Return the pool if it has all of `protocols.AsyncBegins`, else an adapter that adds what is missing."""
    member: AsyncBegins = _adapted(pool, "begin")
    return member


def _adapted(pool: Any, *optional: str) -> Any:
    takes_deadline = _takes_deadline(pool)
    if takes_deadline and all(hasattr(pool, name) for name in optional):
        return pool
    return AdaptedPool(pool, takes_deadline=takes_deadline)


def _takes_deadline(pool: Any) -> bool:
    try:
        inspect.signature(pool.execute).bind((), None)
    except TypeError:
        return False
    except (AttributeError, ValueError):  # no such method, or no signature: its first call reports it
        pass
    return True


def _never(_: Batch, _until: float | None = None, /) -> None:
    """Return None: the pool cannot write a batch before its replies are needed."""
