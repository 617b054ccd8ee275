"""Contexts for a cache and its client, if one of their classes is the project's own."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from django_valkey._overrides.delegation import OwnContext
from django_valkey._overrides.discovery import COUNTERS
from django_valkey._overrides.hooks import HookedCodec, HookedKeys
from django_valkey._overrides.operation_overrides import Overriding, left_to_codec
from django_valkey._overrides.plans import Layers, Plan
from django_valkey._overrides.policy_overrides import Through
from django_valkey._overrides.raw_clients import AsyncChosen, Chosen, ThreadedChosen
from django_valkey._raw import replaced_pools
from dvcache import AsyncClient, Client
from dvcache.context import Context, Guard


@dataclass(frozen=True, slots=True)
class Contexts:
    """The contexts of a plan for one container, without an owner."""

    plan: Plan
    core: Context
    sync: OwnContext
    asynchronous: OwnContext
    of_client: OwnContext

    def of_cache(self, cache: Any, *, asynchronous: bool) -> OwnContext:
        """Return the context of a cache, for sync or async code."""
        return replace(self.asynchronous if asynchronous else self.sync, **self._parts(cache), owner=cache)

    def clients(self, cache: Any, given: tuple[Client, AsyncClient]) -> tuple[Client, AsyncClient]:
        """Return the clients for a cache's commands: those that its client class chooses, or the given ones."""
        alias = self.core.alias
        if replaced_pools.is_off_network():
            return given
        if self.plan.choosing == "sync":
            return Chosen(cache, alias), ThreadedChosen(Chosen(cache, alias))
        return given if self.plan.choosing is None else (given[0], AsyncChosen(cache, alias))

    def of(self, client: Any, cache: Any) -> OwnContext:
        """Return the context of a cache's client."""
        return replace(self.of_client, **self._parts(cache), owner=client)

    def _parts(self, cache: Any) -> dict[str, Any]:
        own, hooks = self.plan.cache_hooks, self.plan.cache_hooks | self.plan.client_hooks
        parts: dict[str, Any] = {}
        if hooks & _OF_KEYS:
            parts["keys"] = HookedKeys(self.core.keys, cache)
        if hooks & _OF_VALUES:
            parts["codec"] = HookedCodec(self.core.codec, cache)
        if "get_backend_timeout" in own:
            parts["seconds"] = cache.get_backend_timeout
        return parts


_OF_KEYS: Final = frozenset({"make_key", "make_pattern", "validate_key", "make_and_validate_key"})
_OF_VALUES: Final = frozenset({"encode", "decode"})


def contexts(plan: Plan, context: Context) -> Contexts:
    """Return the contexts of a plan.

    Args:
        plan: the overrides.
        context: the container's context, without overrides.
    """
    if (plan.cache_hooks | plan.client_hooks) & _OF_VALUES:
        context = replace(context, policy=replace(context.policy, increment=left_to_codec))
    return Contexts(
        plan,
        context,
        _around(context, plan.sync, context.policy.guard),
        _around(context, plan.asynchronous, context.policy.guard),
        _around(context, plan.of_client, None),
    )


def _around(context: Context, layers: Layers, outer: Guard | None) -> OwnContext:
    front, own, guard = layers.front, layers.own, outer
    below = context.policy if front is None else Through(context.policy, front).policy()
    policy = below if own is None else Through(below, own).policy()
    if layers:
        guard = Overriding(
            operations=layers.operations, counters=COUNTERS, below=below, front=front, own=own, outer=outer
        )
    values = {each.name: getattr(context, each.name) for each in fields(context)}
    return OwnContext(**{**values, "policy": replace(policy, guard=guard)})
