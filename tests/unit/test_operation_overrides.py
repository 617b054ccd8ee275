"""Test operations through a user class's overrides, by replay: the calls, and the commands sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from django_valkey._overrides import calls
from django_valkey._overrides.derivations import WITHIN_SUPER, derived
from django_valkey._overrides.discovery import OPERATIONS
from django_valkey._overrides.overriding import Overriding, OwnContext
from dvcache.context import Context
from dvcache.effects import Call, OnPrimary
from dvcache.policies.plain import PLAIN
from dvcache.testing import replay
from dvcache.types import MISSING
from tests.support.operation_contexts import CX


@dataclass
class Recorded:
    """An object with overrides that records their calls. It is its own client."""

    names: frozenset[str]
    called: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)

    @property
    def client(self) -> "Recorded":
        return self

    def perform(self, target: object, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:
        assert target is self
        self.called.append((name, args, dict(kwargs)))
        return "called"


def context(owner: Recorded, *, is_client: bool = False) -> OwnContext:
    """Return the context of an object with overrides, or of a cache whose client has them."""
    own, delegated = (frozenset[str](), owner.names) if is_client else (owner.names, frozenset[str]())
    guard = Overriding(
        operations=OPERATIONS,
        perform=owner.perform,
        own=own,
        derived=derived(own) - (own - WITHIN_SUPER),
        delegate=owner.perform,
        delegated=delegated,
        derived_from_client=derived(delegated),
    )
    values = {name: getattr(CX, name) for name in Context.__dataclass_fields__}
    return OwnContext(**{**values, "policy": replace(PLAIN, guard=guard)}, owner=owner)


def asked(cx: Context, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call the operation as a facade does."""
    assert cx.policy.guard is not None
    return cx.policy.guard(cx, name, OPERATIONS[name](cx, *args, **kwargs), args, kwargs)


def overrides(*names: str) -> Recorded:
    return Recorded(frozenset(names))


WHERE = pytest.mark.parametrize("is_client", [False, True], ids=["own", "client"])


def test_override_of_the_client_is_called_with_the_callers_arguments() -> None:
    client = overrides("get")
    op = asked(context(client, is_client=True), "get", "a", version=2)
    assert replay(op, (Call, "value")) == "value"
    assert asked(context(client, is_client=True), "get", "a", version=2).send(None).function() == "called"
    assert client.called == [("get", ("a",), {"version": 2})]


def test_super_reaches_the_built_in_operation() -> None:
    assert replay(asked(context(overrides("get")), "get", "a"), ((("GET", b"p:1:a"),), [b"7"])) == 7


def test_get_or_set_reached_by_super_uses_the_other_overrides() -> None:
    cx = context(overrides("get", "get_or_set"))
    assert replay(asked(cx, "get_or_set", "a", 5), (Call, 7)) == 7


@WHERE
def test_derived_operation_calls_the_override_once_for_each_key(*, is_client: bool) -> None:
    cx = context(overrides("get"), is_client=is_client)
    assert replay(asked(cx, "has_key", "a"), (Call, MISSING)) is False
    assert replay(asked(cx, "get_many", ["a", "b", "a"]), (Call, 1), (Call, MISSING)) == {"a": 1}
    assert (
        replay(
            asked(cx, "get_or_set", "a", 5), (Call, MISSING), ((("SET", b"p:1:a", b"5", "PX", 300_000, "NX"),), ["OK"])
        )
        == 5
    )


@WHERE
def test_derived_operation_does_not_call_a_running_override(*, is_client: bool) -> None:
    owner = overrides("get", "set")
    cx = context(owner, is_client=is_client)
    with calls._entered(owner):
        assert replay(asked(cx, "has_key", "a"), ((("EXISTS", b"p:1:a"),), [1])) is True
        assert replay(asked(cx, "get_many", ["a"]), ((("MGET", b"p:1:a"),), [[b"1"]])) == {"a": 1}
        assert replay(asked(cx, "add", "a", 1, None), ((("SET", b"p:1:a", b"1", "NX"),), [None])) is False
        assert replay(asked(cx, "get_or_set", "a", 5), (OnPrimary((("GET", b"p:1:a"),)), [b"7"])) == 7


@WHERE
@pytest.mark.parametrize(("left", "timeout"), [(-1, {"timeout": None}), (1500, {"timeout": 1.5}), (-2, {})])
def test_counter_uses_the_overrides_and_keeps_the_timeout(
    left: int, timeout: dict[str, Any], *, is_client: bool
) -> None:
    owner = overrides("get", "set")
    op = asked(context(owner, is_client=is_client), "decr", "a", 2)
    op.send(None)
    assert op.send(7) == (("PTTL", b"p:1:a"),)
    op.send([left]).function()
    assert owner.called == [("set", ("a", 5), timeout)]
    with pytest.raises(StopIteration) as stopped:
        op.send(True)
    assert stopped.value.value == 5


def test_counter_of_a_missing_entry_is_an_error_or_starts_at_its_default() -> None:
    cx = context(overrides("get", "set"))
    with pytest.raises(ValueError, match="Key 'a' not found"):
        replay(asked(cx, "incr", "a"), (Call, MISSING))
    assert replay(asked(cx, "incr", "a", default=10), (Call, MISSING), (Call, None)) == 11
    assert replay(asked(cx, "incr", "a", 2, default=0, timeout=None), (Call, MISSING), (Call, None)) == 2


def test_timeout_left_out_is_left_out_for_the_override_too() -> None:
    owner = overrides("set")
    effect = asked(context(owner), "add", "a", 1).send(None)
    assert effect.function() == "called"
    assert owner.called == [("set", ("a", 1), {"nx": True})]


def test_decr_uses_incr_and_delete_many_uses_delete() -> None:
    owner = overrides("incr", "delete")
    asked(context(owner), "decr", "a", 2).send(None).function()
    asked(context(owner), "delete_many", ["a", "b"]).send(None).function()
    assert owner.called == [("incr", ("a", -2), {}), ("delete", ("a",), {})]
