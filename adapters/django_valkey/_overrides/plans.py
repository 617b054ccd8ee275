"""Combine the overrides of a cache class and a client class, once for each pair."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Final

from django_valkey._overrides.delegation import CLIENT, Awaiting, Refusing, Waiting
from django_valkey._overrides.discovery import CACHE_HOOKS, CHOOSING, CLIENT_HOOKS, STREAMS, Operations, operations, own
from django_valkey._overrides.policy_overrides import Layer
from django_valkey.exceptions import ConfigurationError
from dvcache.types import Mode


@dataclass(frozen=True, slots=True)
class Layers:
    """Layers of overrides around the methods of one object, for one mode."""

    operations: Operations
    """The built-in operations."""
    front: Layer | None
    """Overrides of the client, in front of the cache's operations."""
    own: Layer | None
    """Overrides of the object's own class."""

    def __bool__(self) -> bool:
        return self.front is not None or self.own is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The overrides of a cache class and a client class."""

    sync: Layers
    """The cache's sync methods."""
    asynchronous: Layers
    """The cache's coroutines."""
    of_client: Layers
    """The client's methods."""
    client_hooks: frozenset[str]
    cache_hooks: frozenset[str]
    forwarded: frozenset[str]
    """Methods other than operations that the cache forwards to the client."""
    choosing: Mode | None
    """`"sync"` or `"async"` if the client class overrides `get_client`, else None."""

    def __bool__(self) -> bool:
        layers = self.sync or self.asynchronous or self.of_client
        return bool(layers or self.client_hooks or self.cache_hooks or self.forwarded or self.choosing)


@cache
def plan(cache_class: Any, client_class: Any) -> Plan:
    """Return the overrides, possibly none.

    Args:
        cache_class: the class of the cache.
        client_class: the class of its client, None for a built-in one.

    Raises:
        ConfigurationError: the client is a sync class and the cache an async one.
    """
    waiting = _waiting(cache_class, _ITSELF) if cache_class.mode == "sync" else None
    return Plan(
        sync=Layers(operations(cache_class), _front(cache_class, client_class), waiting),
        asynchronous=Layers(
            operations(cache_class, "a"), _awaiting(client_class, _CLIENT), _awaiting_async_methods(cache_class)
        ),
        of_client=Layers(operations(client_class or object), None, _of_client(client_class)),
        client_hooks=own(client_class or object, CLIENT_HOOKS),
        cache_hooks=own(cache_class, CACHE_HOOKS),
        forwarded=_forwarded(cache_class, client_class),
        choosing=_choosing(client_class),
    )


_CLIENT: Final = attrgetter("client")
"""Return the client of a cache."""


def _ITSELF(owner: object) -> object:  # noqa: N802  # a constant like the other
    return owner


def _front(cache_class: Any, client_class: Any) -> Layer | None:
    # An async cache has no sync methods that the client could be in front of.
    if client_class is None or cache_class.mode == client_class.mode == "async":
        return None
    if cache_class.mode == "async":
        raise ConfigurationError(
            f"{client_class.__module__}.{client_class.__qualname__} is for sync code, but every method of "
            f"{cache_class.__name__} is a coroutine; inherit AsyncDefaultClient, or set BACKEND to "
            "'django_valkey.cache.ValkeyCache'",
            key=CLIENT,
        )
    if client_class.mode == "async":
        return Refusing(operations(cache_class).keys() | STREAMS, client_class)
    return _waiting(client_class, _CLIENT)


def _of_client(client_class: Any) -> Layer | None:
    if client_class is None or client_class.mode == "async":
        return _awaiting(client_class, _ITSELF)
    return _waiting(client_class, _ITSELF)


def _waiting(cls: type, target: Callable[[Any], object]) -> Layer | None:
    names = own(cls, operations(cls))
    return Waiting(names, target) if names else None


def _awaiting(client_class: Any, target: Callable[[Any], object]) -> Layer | None:
    """Return the layer of a client: its own coroutine under either name, else its sync method."""
    if client_class is None:
        return None
    names = operations(client_class)
    plain, prefixed = own(client_class, names), own(client_class, names, "a")
    attributes = {name: f"a{name}" if name in prefixed else name for name in plain | prefixed}
    threaded = frozenset() if client_class.mode == "async" else plain - prefixed
    return Awaiting(attributes, threaded, target) if attributes else None


def _awaiting_async_methods(cache_class: type) -> Layer | None:
    """Return the layer of a cache: its `a*` methods, written by the project or added by `add_async_methods`."""
    attributes = {name: f"a{name}" for name in own(cache_class, operations(cache_class, "a"), "a")}
    return Awaiting(attributes, frozenset(), _ITSELF) if attributes else None


def _choosing(client_class: Any) -> Mode | None:
    """Return the mode of a client class that overrides `get_client`, else None."""
    # On shards and clusters the key decides about the server, so an override of `get_client` cannot.
    if client_class is None or any(hasattr(client_class, name) for name in ("get_server_name", "keyslot")):
        return None
    return client_class.mode if own(client_class, CHOOSING) else None


def _forwarded(cache_class: type, client_class: type | None) -> frozenset[str]:
    if client_class is None:
        return frozenset()
    names = own(client_class, (*STREAMS, "lock", "get_lock"))
    return frozenset(name for name in names if hasattr(cache_class, name)) - own(cache_class, names)
