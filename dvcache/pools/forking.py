"""What a pool does in a forked child: the connections that it inherits are its parent's."""

import os
import weakref
from typing import Final, Protocol


class Renewable(Protocol):
    """Something that must start afresh in a forked child."""

    def renew(self) -> None:
        """Forget inherited connections and locks. Called in the child, before anything else runs there."""
        ...


_living: Final[weakref.WeakSet[Renewable]] = weakref.WeakSet()
_registered = False


def renewed_after_fork(pool: Renewable) -> None:
    """Have `pool.renew()` called in every child forked while the pool lives."""
    global _registered  # noqa: PLW0603  # once a process, and not before the first pool
    if not _registered:
        _registered = True
        os.register_at_fork(after_in_child=_renew_all)
    _living.add(pool)


def _renew_all() -> None:
    for pool in list(_living):
        pool.renew()
