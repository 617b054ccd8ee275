"""IGNORE_EXCEPTIONS: an operation without a reply returns an empty value.

Covers `TransportError`, including a server that cannot serve now (`UnavailableError`), and its counterpart raised by
users' classes. Other errors (refused commands, values that cannot be stored) are raised, and so are those of operations
without an empty value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from dvcache.context import Context, Policy
from dvcache.effects import Op
from dvcache.errors import ConnectionInterrupted
from dvcache.places import place
from dvcache.policies.empty_values import EMPTY
from dvcache.process.ignored_errors import IgnoredErrors

T = TypeVar("T")


def forgiving(policy: Policy, ignored: IgnoredErrors | None = None) -> Policy:
    """Return the policy with a guard that turns transport errors of every operation into empty values.

    Args:
        policy: reads and writes entries.
        ignored: counts and logs ignored errors; a new one by default.
    """
    return replace(policy, guard=Forgiving(ignored or IgnoredErrors()))


@dataclass(frozen=True, slots=True)
class Forgiving:
    """Guard that supplies the result of an operation without a reply."""

    ignored: IgnoredErrors

    def __call__(self, cx: Context, name: str, op: Op[T], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Op[T]:
        """Perform `op`; on a transport error return its empty value."""
        empty = EMPTY.get(name)
        if empty is None:
            return (yield from op)
        try:
            return (yield from op)
        except ConnectionInterrupted as error:
            self.ignored.note(place(cx.alias, cx.where), name, error, cx.now())
        return cast("T", empty(cx, *args, **kwargs))
