"""Operations with `client=`, inside the policy's guard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, signature
from typing import Any

from django_valkey._methods import client_argument
from dvcache.context import Context
from dvcache.drive import Called
from dvcache.effects import Op, Pages
from dvcache.types import Mode


def called(cx: Context, mode: Mode, op: Callable[..., Any], client: Any, call: Called) -> Op[Any]:
    """Return an operation, on a caller's client if there is one, inside the policy's guard.

    Args:
        cx: the context.
        mode: the mode of the caller.
        op: the operation.
        client: a valkey-py client or pipeline, or None.
        call: the operation's arguments, by position and by keyword.
    """
    flow = unguarded(cx, mode, op, client, call)
    guard = cx.policy.guard
    if guard is None:
        return flow
    args, kwargs = call
    return guard(cx, op.__name__, flow, args, kwargs if client is None else {**kwargs, "client": client})


def unguarded(cx: Context, mode: Mode, op: Callable[..., Any], client: Any, call: Called) -> Op[Any]:
    """Return an operation, on a caller's client if there is one. Arguments are those of `called`."""
    args, kwargs = call
    if client is None:
        flow: Op[Any] = op(cx, *args, **kwargs)
        return flow
    cx = client_argument.undivided(cx, client)
    return client_argument.on(client, mode, op.__name__, cx, op(cx, *args, **kwargs))


def paged_call(cx: Context, mode: Mode, op: Callable[..., Any], client: Any, call: Called) -> Pages[Any]:
    """Return the pages of an operation, read through a caller's client if there is one. Arguments as of `called`."""
    args, kwargs = call
    pages: Pages[Any] = op(cx, *args, **kwargs)
    return pages if client is None else client_argument.pages_on(client, mode, op.__name__, cx, pages)


@dataclass(frozen=True, slots=True)
class ModalOperation:
    """An operation for callers of one mode."""

    op: Callable[..., Op[Any]]
    mode: Mode

    def __call__(self, cx: Context, *args: Any, client: Any = None, **kwargs: Any) -> Op[Any]:
        """Return the operation, on a caller's client if there is one."""
        return unguarded(cx, self.mode, self.op, client, (args, kwargs))

    def by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name."""
        return {**dict(zip((name for name, _ in _defaults(self.op)), args, strict=False)), **kwargs}

    def given(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of a call without those that are the operation's defaults."""
        defaults = _defaults(self.op)
        count = len(args)
        while 0 < count <= len(defaults) and args[count - 1] is defaults[count - 1][1]:
            count -= 1
        by_name = dict(defaults)
        return args[:count], {name: each for name, each in kwargs.items() if each is not by_name.get(name, _NONE)}


_NONE = object()


@cache
def _defaults(op: Callable[..., Any]) -> tuple[tuple[str, object], ...]:
    """Return the names and the defaults of an operation's arguments, those by position first."""
    _, *parameters = signature(op).parameters.values()
    if any(each.kind is Parameter.VAR_POSITIONAL for each in parameters):
        parameters = [each for each in parameters if each.kind is Parameter.KEYWORD_ONLY]
    return tuple((each.name, each.default) for each in parameters)
