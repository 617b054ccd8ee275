"""Guard that calls the overrides of a user's class in place of operations.

An overridden operation is called by its name. `super()` inside the override reaches the built-in operation.
`policy_overrides` lists the operations that use each override.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from django_valkey._overrides.policy_overrides import Layer
from dvcache.context import Context, Guard, Policy
from dvcache.effects import Call, Op
from dvcache.operations.expiry import pttl
from dvcache.policies.ignore_errors import IN_PARTS
from dvcache.types import DEFAULT, MISSING, Arg, Key, Timeout

T = TypeVar("T")

_NEGATED: Final = {"decr": "incr", "decr_version": "incr_version"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden(Context):
    """Context of an object whose operations go through layers."""

    reached: dict[str, Context] = field(init=False, default_factory=dict, repr=False, compare=False)
    """Contexts of operations reached by `super()`, by name; each is made once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overriding:
    """Guard that puts layers around operations.

    `front` is outside the object: its overrides replace the operation. `own` is the object's class: an operation
    arriving by a name that it overrides was called by `super()`, or by that name in the other mode.
    """

    operations: Mapping[str, Callable[..., Op[Any]]]
    """All operations by name."""
    counters: Mapping[str, Callable[..., Op[Any]]]
    """`incr` and `decr` of this module, by name."""
    below: Policy
    """Policy below the own layer."""
    front: Layer | None = None
    own: Layer | None = None
    outer: Guard | None = None
    """Guard around all of these."""

    def __call__(self, cx: Context, name: str, op: Op[T], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Op[T]:
        """Return the operation with the overrides applied, inside the outer guard."""
        found = self._found(cx, name, args, kwargs) or op
        return found if self.outer is None else self.outer(cx, name, found, args, kwargs)

    def replaces(self, name: str) -> bool:
        """Return True if an override replaces an operation, for any arguments."""
        return self.front is not None and name in self.front.names

    def _found(self, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Op[Any] | None:
        if self.front is not None and self.replaces(name):
            return _called(self.front, cx, name, args, kwargs)
        if self.own is not None and name in self.own.names:
            return self.operations[name](self._reached(cx, name), *args, **kwargs)
        opposite = _NEGATED.get(name, "")
        if (layer := self._resting(cx, {opposite})) is not None:
            return _negated(layer, cx, opposite, *args, **kwargs)
        if name in self.counters and self._resting(cx, {"get", "set"}) is not None and not kwargs.get("client"):
            return self.counters[name](cx, *args, **kwargs)
        if name in IN_PARTS:
            return self.operations[name](self._reached(cx, name), *args, **kwargs)
        return None

    def _reached(self, cx: Context, name: str) -> Context:
        """Return the context for an operation below the own layer, or for one that guards its own parts."""
        reached = cx.reached if isinstance(cx, Overridden) else {}
        if name not in reached:
            function = getattr(self.below, name, None)
            changed = {name: function} if function and self.own and name in self.own.names else {}
            reached[name] = replace(cx, policy=replace(cx.policy, guard=self.outer, **changed))
        return reached[name]

    def _resting(self, cx: Context, names: AbstractSet[str]) -> Layer | None:
        """Return the outermost layer that overrides one of these names, None while one of its overrides is running."""
        layers = [layer for layer in (self.own, self.front) if layer is not None and layer.names & names]
        return layers[0] if layers and not any(layer.is_inside(cx) for layer in layers) else None


def _called(layer: Layer, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Op[Any]:
    return (yield Call(lambda: layer.call(cx, name, args, kwargs)))


def _negated(layer: Layer, cx: Context, name: str, key: Key, delta: Any = 1, *args: Any, **kwargs: Any) -> Op[Any]:
    return (yield Call(lambda: layer.call(cx, name, (key, -delta, *args), kwargs)))


def left_to_codec(_: Context, stored: bytes, delta: int, creation: tuple[Arg, ...]) -> Op[Any]:  # noqa: ARG001  # as in Policy
    """Report that the script cannot add: only the user's hooks can read and write these numbers."""
    yield from ()
    return [None]


def incr(
    cx: Context,
    key: Key,
    delta: float = 1,
    version: int | None = None,
    *,
    default: float | None = None,
    timeout: Timeout = DEFAULT,
) -> Op[Any]:
    """Add to a number that only the user's `get` and `set` can read and write: not atomic, as Django's own.

    Arguments and errors are those of `counters.incr`.
    """
    # The script cannot be used: the stored form is known only to the user's hooks.
    value: Any = yield from cx.policy.get(cx, key, MISSING, version)
    if value is not MISSING:
        left = yield from pttl(cx, key, version)
        timeout = DEFAULT if left == 0 else None if left is None else left / 1000
    elif default is None:
        raise ValueError(f"Key '{key!s}' not found")
    else:
        value = default
    yield from cx.policy.set(cx, key, value + delta, timeout, version, False, False)
    return value + delta


def decr(
    cx: Context,
    key: Key,
    delta: float = 1,
    version: int | None = None,
    *,
    default: float | None = None,
    timeout: Timeout = DEFAULT,
) -> Op[Any]:
    """Subtract from such a number. Arguments and errors are those of `counters.decr`."""
    return incr(cx, key, -delta, version, default=default, timeout=timeout)
