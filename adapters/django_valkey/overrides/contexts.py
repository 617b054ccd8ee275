"""The contexts of a cache, and of its client, one of whose classes the project made."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from operator import attrgetter
from typing import Any, Final

from django_valkey.exceptions import ConfigurationError
from django_valkey.overrides.choosing import AsyncChosen, Chosen, ThreadedChosen
from django_valkey.overrides.classes import CACHE_HOOKS, CHOOSING, CLIENT_HOOKS, COUNTERS, OPERATIONS, STREAMS, own
from django_valkey.overrides.hooks import HookedCodec, HookedKeys
from django_valkey.overrides.layers import CLIENT, Awaiting, OwnContext, Refusing, Waiting
from dvcache import AsyncClient, Client
from dvcache.operations.context import Context, Guard
from dvcache.operations.layers import Layer, Through
from dvcache.operations.overriding import Overriding, left_to_codec
from dvcache.types import Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a cache class and a client class override, by who asks."""

    front: Layer | None
    """The client's, before the cache's sync methods."""
    async_front: Layer | None
    own: Layer | None
    """The cache's."""
    async_own: Layer | None
    of_client: Layer | None
    """The client's, in its own methods."""
    client_hooks: frozenset[str]
    cache_hooks: frozenset[str]
    forwarded: frozenset[str]
    """Methods of the cache that are the client's, though no operations."""
    choosing: Colour | None
    """Of which code the client is that chooses what carries the commands; None if it does not."""


@cache
def plan(cache_class: Any, client_class: Any) -> Plan | None:
    """Return what is overridden; None if nothing is.

    Args:
        cache_class: the class of the cache.
        client_class: the class of its client, None for a built-in one.

    Raises:
        ConfigurationError: the client's class is the project's, and its methods are not for this cache.
    """
    made = Plan(
        front=_front(cache_class, client_class),
        async_front=_awaiting(client_class, _CLIENT),
        own=_waiting(cache_class, _ITSELF) if cache_class.colour == "sync" else None,
        async_own=_awaiting_twins(cache_class),
        of_client=_of_client(client_class),
        client_hooks=own(client_class or object, CLIENT_HOOKS),
        cache_hooks=own(cache_class, CACHE_HOOKS),
        forwarded=_forwarded(cache_class, client_class),
        choosing=_choosing(client_class),
    )
    return made if any(getattr(made, each.name) for each in fields(made)) else None


_CLIENT: Final = attrgetter("client")
"""Of a cache, its client."""


def _ITSELF(owner: object) -> object:  # noqa: N802  # a constant like the other
    return owner


def _front(cache_class: Any, client_class: Any) -> Layer | None:
    if client_class is None or cache_class.colour == client_class.colour == "async":
        return None
    if cache_class.colour == "async":
        raise ConfigurationError(
            f"{client_class.__module__}.{client_class.__qualname__} is for sync code, and every method of "
            f"{cache_class.__name__} is a coroutine; inherit AsyncDefaultClient, or set BACKEND to "
            "'django_valkey.cache.ValkeyCache'",
            key=CLIENT,
        )
    if client_class.colour == "async":
        return Refusing(OPERATIONS.keys() | STREAMS, client_class)
    return _waiting(client_class, _CLIENT)


def _of_client(client_class: Any) -> Layer | None:
    if client_class is None or client_class.colour == "async":
        return _awaiting(client_class, _ITSELF)
    return _waiting(client_class, _ITSELF)


def _waiting(cls: type, target: Callable[[Any], object]) -> Layer | None:
    names = own(cls, OPERATIONS)
    return Waiting(names, target) if names else None


def _awaiting(client_class: Any, target: Callable[[Any], object]) -> Layer | None:
    """Return the layer of a client: a coroutine of its own by either name, else what it has for sync code."""
    if client_class is None:
        return None
    plain, prefixed = own(client_class, OPERATIONS), own(client_class, OPERATIONS, "a")
    attributes = {name: f"a{name}" if name in prefixed else name for name in plain | prefixed}
    threaded = frozenset() if client_class.colour == "async" else plain - prefixed
    return Awaiting(attributes, threaded, target) if attributes else None


def _awaiting_twins(cache_class: type) -> Layer | None:
    """Return the layer of a cache: its `a*` methods, which a class that overrides the others was given."""
    attributes = {name: f"a{name}" for name in own(cache_class, OPERATIONS, "a")}
    return Awaiting(attributes, frozenset(), _ITSELF) if attributes else None


def _choosing(client_class: Any) -> Colour | None:
    """Return the colour of a client that chooses. On shards and clusters each key has its own place."""
    if client_class is None or any(hasattr(client_class, name) for name in ("get_server_name", "keyslot")):
        return None
    return client_class.colour if own(client_class, CHOOSING) else None


def _forwarded(cache_class: type, client_class: type | None) -> frozenset[str]:
    if client_class is None:
        return frozenset()
    names = own(client_class, (*STREAMS, "lock", "get_lock"))
    return frozenset(name for name in names if hasattr(cache_class, name)) - own(cache_class, names)


@dataclass(frozen=True, slots=True)
class Contexts:
    """The contexts of a plan under one wiring, without their owners."""

    plan: Plan
    core: Context
    sync: OwnContext
    asynchronous: OwnContext
    of_client: OwnContext

    def of_cache(self, cache: Any, *, asynchronous: bool) -> OwnContext:
        """Return the context of a cache, for sync code or for async code."""
        return replace(self.asynchronous if asynchronous else self.sync, **self._parts(cache), owner=cache)

    def clients(self, cache: Any, given: tuple[Client, AsyncClient]) -> tuple[Client, AsyncClient]:
        """Return what carries the commands of a cache: what its client chooses, or what is given."""
        alias = self.core.alias
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
        plan: what is overridden.
        context: the wiring's own, without overrides.
    """
    if (plan.cache_hooks | plan.client_hooks) & _OF_VALUES:
        context = replace(context, policy=replace(context.policy, increment=left_to_codec))
    return Contexts(
        plan,
        context,
        _around(context, plan.front, plan.own, context.policy.guard),
        _around(context, plan.async_front, plan.async_own, context.policy.guard),
        _around(context, None, plan.of_client, None),
    )


def _around(context: Context, front: Layer | None, own: Layer | None, outer: Guard | None) -> OwnContext:
    below = context.policy if front is None else Through(context.policy, front).policy()
    policy = below if own is None else Through(below, own).policy()
    guard = outer
    if front is not None or own is not None:
        guard = Overriding(operations=OPERATIONS, counters=COUNTERS, below=below, front=front, own=own, outer=outer)
    values = {each.name: getattr(context, each.name) for each in fields(context)}
    return OwnContext(**{**values, "policy": replace(policy, guard=guard)})
