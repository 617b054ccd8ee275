"""Test operations through a user class's overrides, by replay: the calls, and the commands sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from django_valkey._overrides import operation_overrides
from django_valkey._overrides.operation_overrides import Overridden, Overriding
from django_valkey._overrides.policy_overrides import Through
from dvcache.context import Context
from dvcache.effects import Call
from dvcache.operations import counters, many, values
from dvcache.policies.plain import PLAIN
from dvcache.testing import replay
from dvcache.types import MISSING
from tests.support.operation_contexts import CX

OPERATIONS = {op.__name__: op for op in (values.get, values.set, values.add, values.has_key, values.get_or_set)}
OPERATIONS |= {op.__name__: op for op in (many.get_many, many.delete_many, counters.incr, counters.decr)}
COUNTERS = {"incr": operation_overrides.incr, "decr": operation_overrides.decr}


@dataclass
class Recorded:
    """A layer that records calls."""

    names: frozenset[str]
    inside: bool = False
    called: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)

    def call(self, _: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> object:
        self.called.append((name, args, dict(kwargs)))
        return "called"

    def is_inside(self, _: Context, /) -> bool:
        return self.inside


def context(layer: Recorded, **where: Any) -> Overridden:
    """Return a context whose operations go through a layer, placed before the object unless `where` says otherwise."""
    around = {"below": PLAIN, **(where or {"front": layer})}
    guard = Overriding(operations=OPERATIONS, counters=COUNTERS, **around)
    own = {name: getattr(CX, name) for name in Context.__dataclass_fields__}
    return Overridden(**{**own, "policy": replace(Through(PLAIN, layer).policy(), guard=guard)})


def asked(cx: Context, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call the operation as a facade does."""
    assert cx.policy.guard is not None
    return cx.policy.guard(cx, name, OPERATIONS[name](cx, *args, **kwargs), args, kwargs)


def layer(*names: str, inside: bool = False) -> Recorded:
    return Recorded(frozenset(names), inside)


def test_outer_override_is_called_with_the_callers_arguments() -> None:
    own = layer("get")
    op = asked(context(own), "get", "a", version=2)
    assert replay(op, (Call, "value")) == "value"
    assert asked(context(own), "get", "a", version=2).send(None).function() == "called"
    assert own.called == [("get", ("a",), {"version": 2})]


def test_super_reaches_the_operation_without_the_class() -> None:
    own = layer("get")
    assert replay(asked(context(own, own=own), "get", "a"), ((("GET", b"p:1:a"),), [b"7"])) == 7


def test_derived_operation_calls_the_override_once_for_each_key() -> None:
    cx = context(layer("get"))
    assert replay(asked(cx, "has_key", "a"), (Call, MISSING)) is False
    assert replay(asked(cx, "get_many", ["a", "b", "a"]), (Call, 1), (Call, MISSING)) == {"a": 1}
    assert (
        replay(
            asked(cx, "get_or_set", "a", 5), (Call, MISSING), ((("SET", b"p:1:a", b"5", "PX", 300_000, "NX"),), ["OK"])
        )
        == 5
    )


def test_derived_operation_does_not_call_a_running_override() -> None:
    cx = context(layer("get", "set", inside=True))
    assert replay(asked(cx, "has_key", "a"), ((("EXISTS", b"p:1:a"),), [1])) is True
    assert replay(asked(cx, "get_many", ["a"]), ((("MGET", b"p:1:a"),), [[b"1"]])) == {"a": 1}
    assert replay(asked(cx, "add", "a", 1, None), ((("SET", b"p:1:a", b"1", "NX"),), [None])) is False


@pytest.mark.parametrize(("left", "timeout"), [(-1, {"timeout": None}), (1500, {"timeout": 1.5}), (-2, {})])
def test_counter_uses_the_overrides_and_keeps_the_timeout(left: int, timeout: dict[str, Any]) -> None:
    own = layer("get", "set")
    op = asked(context(own), "decr", "a", 2)
    op.send(None)
    assert op.send(7) == (("PTTL", b"p:1:a"),)
    op.send([left]).function()
    assert own.called == [("set", ("a", 5), timeout)]
    with pytest.raises(StopIteration) as stopped:
        op.send(True)
    assert stopped.value.value == 5


def test_counter_of_a_missing_entry_is_an_error_or_starts_at_its_default() -> None:
    cx = context(layer("get", "set"))
    with pytest.raises(ValueError, match="Key 'a' not found"):
        replay(asked(cx, "incr", "a"), (Call, MISSING))
    assert replay(asked(cx, "incr", "a", default=10), (Call, MISSING), (Call, None)) == 11


def test_timeout_left_out_is_left_out_for_the_override_too() -> None:
    own = layer("set")
    effect = asked(context(own), "add", "a", 1).send(None)
    assert effect.function() == "called"
    assert own.called == [("set", ("a", 1), {"nx": True})]


def test_decr_uses_incr_and_delete_many_uses_delete() -> None:
    own = layer("incr", "delete")
    asked(context(own), "decr", "a", 2).send(None).function()
    asked(context(own), "delete_many", ["a", "b"]).send(None).function()
    assert own.called == [("incr", ("a", -2), {}), ("delete", ("a",), {})]
