"""Callers of the herd policy, as the model of `test_herd_model` knows them."""

from contextvars import Context as Variables
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from dvcache.effects import Op

GONE: Final = "no entry"


@dataclass(eq=False)
class Caller:
    """A running operation, and the model's knowledge of it."""

    kind: str
    op: Op[Any]
    new: int
    process: int
    variables: Variables = field(default_factory=copy_context)
    effect: Any = None
    saw: set[object] = field(default_factory=set)
    """Every state of the entry while this operation ran."""
    beside: list["Caller"] = field(default_factory=list)
    """Operations of the same process that ran at the same time: callers of get_or_set share a result."""
    token: bytes = b""
    claimed_at: int = 0
    asked_at: int = 0
    """Time at which the effect was yielded; for a script sent in full, that of its first attempt."""
    claimed: object = GONE
    won_stale: bool = False
    waited: float = 0.0
    """Seconds spent waiting for another caller's value."""
