"""Contexts for a cache and its client, if one of their classes is the project's own."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Final

from django_valkey._overrides.calls import CLIENT, Perform, acall, call, refuse
from django_valkey._overrides.derivations import WITHIN_SUPER, derived
from django_valkey._overrides.discovery import (
    CACHE_HOOKS,
    CHOOSING,
    CLIENT_HOOKS,
    STREAMS,
    Operations,
    is_own,
    operations,
    own,
)
from django_valkey._overrides.hooks import HookedCodec, HookedKeys, left_to_codec
from django_valkey._overrides.overriding import Overriding, OwnContext
from django_valkey._overrides.raw_clients import AsyncChosen, Chosen, ThreadedChosen
from django_valkey._raw import replaced_pools
from django_valkey.exceptions import ConfigurationError
from dvcache import AsyncClient, Client
from dvcache.context import Context, Guard
from dvcache.drive import arun, run
from dvcache.types import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The overrides of a cache class and a client class. A guard is None if there are none for its methods."""

    sync: Overriding | None
    """Guard of the cache's sync methods."""
    asynchronous: Overriding | None
    """Guard of the cache's coroutines."""
    of_client: Overriding | None
    """Guard of the client's methods."""
    client_hooks: frozenset[str]
    cache_hooks: frozenset[str]
    forwarded: frozenset[str]
    """Methods other than operations that the cache forwards to the client."""
    choosing: Mode | None
    """`"sync"` or `"async"` if the client class overrides `get_client`, else None."""

    def __bool__(self) -> bool:
        guards = self.sync or self.asynchronous or self.of_client
        return bool(guards or self.client_hooks or self.cache_hooks or self.forwarded or self.choosing)

    def delegating(self, cache: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Return the methods of a cache that call overrides of its client, by name. They take any arguments."""
        if self.sync is not None and cache.mode == "sync":
            yield from ((name, _delegating(cache, name)) for name in self.sync.delegating())
        if self.asynchronous is not None:
            for name in self.asynchronous.delegating():
                method = _adelegating(cache, name)
                yield from ((each, method) for each in _names(cache, name))


def _names(cache: Any, name: str) -> Iterator[str]:
    """Return the names of an operation's coroutine method that the class of the cache does not define itself."""
    yield f"a{name}"
    if cache.mode == "async" and not is_own(type(cache), name):
        yield name


def _delegating(cache: Any, name: str) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        cx = cache._context  # noqa: SLF001  # a method of the cache
        return run(cx.policy.guard.delegation(cx, name, args, kwargs), cache._client)  # noqa: SLF001  # as above

    return method


def _adelegating(cache: Any, name: str) -> Callable[..., Any]:
    async def method(*args: Any, **kwargs: Any) -> Any:
        cx = cache._async_context  # noqa: SLF001  # a method of the cache
        return await arun(cx.policy.guard.delegation(cx, name, args, kwargs), cache._async_client)  # noqa: SLF001  # as above

    return method


@cache
def plan(cache_class: Any, client_class: Any) -> Plan:
    """Return the overrides, possibly none, found once for each pair of classes.

    Args:
        cache_class: the class of the cache.
        client_class: the class of its client, None for a built-in one.

    Raises:
        ConfigurationError: the client is a sync class and the cache an async one.
    """
    client: Any = client_class or object
    modes = cache_class.mode, getattr(client, "mode", cache_class.mode)
    if modes == ("async", "sync"):
        raise ConfigurationError(
            f"{client.__module__}.{client.__qualname__} is for sync code, but every method of "
            f"{cache_class.__name__} is a coroutine; inherit AsyncDefaultClient, or set BACKEND to "
            "'django_valkey.cache.ValkeyCache'",
            key=CLIENT,
        )
    sync, prefixed, of_client = operations(cache_class), operations(cache_class, "a"), operations(client)
    plain, both = own(client, of_client), own(client, of_client) | own(client, of_client, "a")
    refuses = modes == ("sync", "async")
    return Plan(
        sync=_guard(
            sync, call, own(cache_class, sync), sync.keys() | STREAMS if refuses else plain, refuse if refuses else call
        ),
        asynchronous=_guard(prefixed, acall, own(cache_class, prefixed, "a"), both),
        of_client=_guard(of_client, acall, both) if modes[1] == "async" else _guard(of_client, call, plain),
        client_hooks=own(client, CLIENT_HOOKS),
        cache_hooks=own(cache_class, CACHE_HOOKS),
        forwarded=_forwarded(cache_class, client),
        choosing=_choosing(client),
    )


def _guard(
    operations: Operations,
    perform: Perform,
    own: AbstractSet[str],
    delegated: AbstractSet[str] = frozenset(),
    delegate: Perform | None = None,
) -> Overriding | None:
    if not own and not delegated:
        return None
    return Overriding(
        operations=operations,
        perform=perform,
        own=own,
        derived=derived(own) - (own - WITHIN_SUPER),
        delegate=delegate or perform,
        delegated=delegated,
        derived_from_client=derived(delegated),
    )


def _choosing(client_class: Any) -> Mode | None:
    """Return the mode of a client class that overrides `get_client`, else None."""
    # On shards and clusters the key decides about the server, so an override of `get_client` cannot.
    if any(hasattr(client_class, name) for name in ("get_server_name", "keyslot")):
        return None
    mode: Mode | None = client_class.mode if own(client_class, CHOOSING) else None
    return mode


def _forwarded(cache_class: type, client_class: type) -> frozenset[str]:
    names = own(client_class, (*STREAMS, "lock", "get_lock"))
    return frozenset(name for name in names if hasattr(cache_class, name)) - own(cache_class, names)


@dataclass(frozen=True, slots=True)
class Contexts:
    """The contexts of a plan for one container, without a cache."""

    plan: Plan
    core: Context
    sync: OwnContext
    asynchronous: OwnContext
    of_client: OwnContext

    def of_cache(self, cache: Any, *, asynchronous: bool) -> OwnContext:
        """Return the context of a cache, for sync or async code."""
        return replace(self.asynchronous if asynchronous else self.sync, **self._parts(cache), owner=cache)

    def of(self, client: Any, cache: Any) -> OwnContext:
        """Return the context of a cache's client."""
        return replace(self.of_client, **self._parts(cache), owner=client)

    def clients(self, cache: Any, given: tuple[Client, AsyncClient]) -> tuple[Client, AsyncClient]:
        """Return the clients for a cache's commands: those that its client class chooses, or the given ones."""
        alias = self.core.alias
        if replaced_pools.is_off_network():
            return given
        if self.plan.choosing == "sync":
            return Chosen(cache, alias), ThreadedChosen(Chosen(cache, alias))
        return given if self.plan.choosing is None else (given[0], AsyncChosen(cache, alias))

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
    sync, asynchronous = (_around(context, guard, context.policy.guard) for guard in (plan.sync, plan.asynchronous))
    return Contexts(plan, context, sync, asynchronous, _around(context, plan.of_client, None))


def _around(context: Context, overriding: Overriding | None, outer: Guard | None) -> OwnContext:
    guard = outer
    if overriding is not None:
        guard = replace(overriding, outer=outer)
    values = {each.name: getattr(context, each.name) for each in fields(context)}
    return OwnContext(**{**values, "policy": replace(context.policy, guard=guard)})
