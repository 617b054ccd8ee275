"""The context and the guard of objects with overrides: they perform operations through the overrides."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from typing_extensions import override

from django_valkey._methods import client_argument
from django_valkey._methods.calls_with_client import ModalOperation
from django_valkey._overrides.calls import Perform, is_inside
from django_valkey._overrides.derivations import DERIVED
from dvcache.context import Context, Guard
from dvcache.effects import Call, Op
from dvcache.policies import plain
from dvcache.types import DEFAULT, Timeout
from dvcache.value_types import many, one, value_type

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnContext(Context):
    """The context of a cache or a client whose class has overrides."""

    owner: Any = None
    """The cache or the client."""
    seconds: Callable[[Any], Timeout] | None = None
    """The cache's `get_backend_timeout`, if its class overrides that."""

    @override
    def milliseconds(self, timeout: Timeout) -> int | None:
        if self.seconds is not None:
            timeout = self.seconds(DEFAULT_TIMEOUT if timeout is DEFAULT else timeout)
        return Context.milliseconds(self, timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overriding:
    """Guard that calls overrides in place of operations.

    If a method is overridden, Python calls the override and not this guard. So an overridden operation that arrives
    here was called through `super()`.
    """

    operations: Mapping[str, ModalOperation]
    """All operations by name."""
    perform: Perform
    """Calls an override of the object."""
    own: AbstractSet[str]
    """Operations that the class of the object overrides."""
    derived: AbstractSet[str]
    """Operations derived from them."""
    delegate: Perform
    """Calls an override of the object's client."""
    delegated: AbstractSet[str] = frozenset()
    """Operations that the class of the client overrides, if the object is a cache."""
    derived_from_client: AbstractSet[str] = frozenset()
    """Operations derived from those."""
    outer: Guard | None = None
    """Guard around all of these."""

    def __call__(self, cx: Context, name: str, op: Op[T], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Op[T]:
        """Return the operation with the overrides applied, inside the outer guard."""
        if name in self.operations:  # not a part of one
            args, kwargs = self.operations[name].given(args, kwargs)
        as_, kwargs = _without_type(kwargs)
        found = _of_type(as_, cx, self.applied(cx, name, op, args, kwargs), name, args, kwargs)
        return found if self.outer is None else self.outer(cx, name, found, args, kwargs)

    def delegating(self) -> AbstractSet[str]:
        """Return the operations of which every call goes to the client's override, with the arguments of the call."""
        return (self.delegated & self.operations.keys()) - self.own

    def delegation(self, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Op[Any]:
        """Return a call of the client's override, inside the outer guard. It may have arguments of its own."""
        assert isinstance(cx, OwnContext)
        as_, kwargs = _without_type(kwargs)
        found = _of_type(as_, cx, _called(self.delegate, cx.owner.client, name, args, kwargs), name, args, kwargs)
        return found if self.outer is None else self.outer(cx, name, found, args, kwargs)

    def applied(self, cx: Context, name: str, op: Op[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Op[Any]:
        """Return the operation with the overrides applied."""
        assert isinstance(cx, OwnContext)
        owner = cx.owner
        if name in self.delegated:
            return _called(self.delegate, owner.client, name, args, kwargs)
        if kwargs.get("nx") or kwargs.get("atomic"):  # a cluster's `mset`: no other method can store all or nothing
            return op
        # The herd's own get_or_set lets one caller compute a value; `super()` reaches that.
        is_super = name in self.own and (name != "get_or_set" or cx.policy.get_or_set is plain.get_or_set)
        if name in self.derived and (is_super or (name not in self.own and not is_inside(owner))):
            return _derived(_Methods(self, cx, self.own, name), args, kwargs)
        if name in self.derived_from_client:
            if not is_inside(owner.client):
                return _derived(_Methods(self, cx, frozenset(), name), args, kwargs)
            if name == "get_or_set":  # its part `get` would be the override again
                cx = replace(cx, policy=replace(cx.policy, guard=self.outer))
                return self.operations[name](cx, *args, **kwargs)
        return op


def _without_type(kwargs: Mapping[str, Any]) -> tuple[object, Mapping[str, Any]]:
    """Return the argument `as_`, and the others: overrides written for Django do not take it."""
    if "as_" not in kwargs:
        return object, kwargs
    return kwargs["as_"], {name: each for name, each in kwargs.items() if name != "as_"}


def _of_type(  # noqa: PLR0917  # the arguments of a guard
    as_: object, cx: Context, found: Op[Any], name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Op[Any]:
    """Return `get` or `get_many` with the values of another type than `as_` left out."""
    if as_ is object or client_argument.is_pipeline(kwargs.get("client")):
        return found
    kind = value_type(as_)
    if name == "get_many":
        return many(found, kind, cx.codec)
    default = args[1] if len(args) > 1 else kwargs.get("default")
    return one(found, kind, cx.codec, default, default)


@dataclass(frozen=True, slots=True)
class _Methods:
    """The methods of an object, for a derived operation. Implements `derivations.Methods`."""

    guard: Overriding
    cx: OwnContext
    own: AbstractSet[str]
    """The overrides to use."""
    name: str
    """The derived operation."""

    def __call__(self, name: str, *args: Any, client: Any = None, **kwargs: Any) -> Op[Any]:
        given = {each: value for each, value in kwargs.items() if value is not None or each == "timeout"}
        if (timeout := given.get("timeout")) is DEFAULT or timeout is DEFAULT_TIMEOUT:
            given.pop("timeout", None)
        if client is not None:
            if client_argument.is_pipeline(client):  # it has no results yet
                raise client_argument.refused(self.name)
            given["client"] = client
        if name in self.own:
            return _called(self.guard.perform, self.cx.owner, name, args, given)
        return self.guard.applied(self.cx, name, self.guard.operations[name](self.cx, *args, **given), args, given)

    def guarded(self, name: str, op: Op[T], *args: object) -> Op[T]:
        return op if self.guard.outer is None else self.guard.outer(self.cx, name, op, args, {})


def _derived(methods: _Methods, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Op[Any]:
    return DERIVED[methods.name][0](methods, **methods.guard.operations[methods.name].by_name(args, kwargs))


def _called(perform: Perform, target: Any, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Op[Any]:
    return (yield Call(lambda: perform(target, name, args, kwargs)))
