"""Renew pools in a forked child, where inherited connections belong to the parent."""

import os
import weakref
from typing import Final, Protocol


class Renewable(Protocol):
    """An object that must start afresh in a forked child."""

    def renew(self) -> None:
        """Forget inherited connections and locks. Called in the child, before anything else runs there."""
        ...


_living: Final[weakref.WeakSet[Renewable]] = weakref.WeakSet()
_registered = False


def renewed_after_fork(pool: Renewable) -> None:
    """Register a pool whose `renew()` is called in every child forked while the pool lives."""
    global _registered  # noqa: PLW0603  # once per process, and not before the first pool
    if not _registered:
        _registered = True
        os.register_at_fork(after_in_child=_renew_all)
    _living.add(pool)


def _renew_all() -> None:
    for pool in list(_living):
        pool.renew()
