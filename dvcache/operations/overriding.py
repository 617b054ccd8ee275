"""Overriding: an operation is what a class of the user's own makes of it.

An operation that is overridden is called by its name. What an override reaches by `super()` is the operation as it is
without the class. What goes through which override, `layers` says.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from dvcache.operations.context import Context, Guard, Policy
from dvcache.operations.expiry import pttl
from dvcache.operations.forgiving import IN_PARTS
from dvcache.operations.layers import Layer
from dvcache.types import DEFAULT, MISSING, Arg, Call, Key, Op, Timeout

T = TypeVar("T")

_NEGATED: Final = {"decr": "incr", "decr_version": "incr_version"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden(Context):
    """The context of one object whose operations go through layers."""

    reached: dict[str, Context] = field(init=False, default_factory=dict, repr=False, compare=False)
    """Those for what `super()` reaches, by its name, each made once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overriding:
    """The guard that puts layers around operations.

    `front` stands before the object: what it overrides is called in the operation's place. `own` is the object's class:
    what arrives here by a name that it overrides was called by `super()`, or by that name of the other colour.
    """

    operations: Mapping[str, Callable[..., Op[Any]]]
    """Every operation by its name."""
    counters: Mapping[str, Callable[..., Op[Any]]]
    """`incr` and `decr` of this module, by their names."""
    below: Policy
    """The policy under the own layer."""
    front: Layer | None = None
    own: Layer | None = None
    outer: Guard | None = None
    """What stands around it all."""

    def __call__(self, cx: Context, name: str, op: Op[T], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Op[T]:
        """Return the operation as it is with the overrides, behind the outer guard."""
        found = self._found(cx, name, args, kwargs) or op
        return found if self.outer is None else self.outer(cx, name, found, args, kwargs)

    def replaces(self, name: str) -> bool:
        """Say whether an override stands in the place of an operation, whatever its arguments."""
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
        """Return the context for an operation under the own layer, or one that guards its own parts."""
        reached = cx.reached if isinstance(cx, Overridden) else {}
        if name not in reached:
            function = getattr(self.below, name, None)
            changed = {name: function} if function and self.own and name in self.own.names else {}
            reached[name] = replace(cx, policy=replace(cx.policy, guard=self.outer, **changed))
        return reached[name]

    def _resting(self, cx: Context, names: AbstractSet[str]) -> Layer | None:
        """Return the outermost layer that overrides one of these, unless one is at work and calls what rests on it."""
        layers = [layer for layer in (self.own, self.front) if layer is not None and layer.names & names]
        return layers[0] if layers and not any(layer.is_inside(cx) for layer in layers) else None


def _called(layer: Layer, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Op[Any]:
    return (yield Call(lambda: layer.call(cx, name, args, kwargs)))


def _negated(layer: Layer, cx: Context, name: str, key: Key, delta: Any = 1, *args: Any, **kwargs: Any) -> Op[Any]:
    return (yield Call(lambda: layer.call(cx, name, (key, -delta, *args), kwargs)))


def left_to_codec(_: Context, stored: bytes, delta: int, creation: tuple[Arg, ...]) -> Op[Any]:  # noqa: ARG001  # as in Policy
    """Leave an addition to the caller, where numbers are stored as only the user's hooks read and write them."""
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
