"""Renew objects in a forked child, which must not use the parent's connections and locks."""

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


def renewed_after_fork(renewable: Renewable) -> None:
    """Register an object: its `renew()` is called in every child that is forked while the object lives."""
    global _registered  # noqa: PLW0603  # once per process, and not before the first object
    if not _registered:
        _registered = True
        os.register_at_fork(after_in_child=_renew_all)
    _living.add(renewable)


def _renew_all() -> None:
    for each in list(_living):
        each.renew()
