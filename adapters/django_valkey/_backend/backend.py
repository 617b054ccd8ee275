"""Base of all backends of this package, sync and async."""

import logging
from collections.abc import Callable
from copy import copy
from functools import cached_property
from inspect import isfunction
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from typing_extensions import override

from django_valkey._config import registry
from django_valkey._config.registry import Wired
from django_valkey._overrides.async_methods import add_async_methods
from django_valkey._overrides.discovery import is_built_in, is_own
from django_valkey._overrides.hooks import decoded, encoded, text
from django_valkey._overrides.own_contexts import Contexts
from django_valkey.exceptions import improperly_configured
from dvcache import AsyncClient, Client, NotSupportedError
from dvcache.context import Context
from dvcache.operations import clusters
from dvcache.settings import classes, description
from dvcache.types import Key, Mode, PoolSource, Timeout
from dvcache.views import viewed


class Attributes:
    """Read-only settings of a cache, under django-valkey's private names."""

    if TYPE_CHECKING:
        _wired: Wired
        _arguments: tuple[object, dict[str, Any]]

    @property
    def _server(self) -> object:
        return self._arguments[0]

    @property
    def _params(self) -> dict[str, Any]:
        return self._arguments[1]

    @property
    def _ignore_exceptions(self) -> bool:
        return self._wired.container.settings.ignore_exceptions

    @property
    def _log_ignored_exceptions(self) -> bool:
        return self._wired.container.settings.log_ignored_exceptions

    @property
    def _default_scan_itersize(self) -> int:
        return self._wired.container.settings.scan_count

    @property
    def logger(self) -> logging.Logger | None:
        """Logger of ignored exceptions, None if they are not logged."""
        settings = self._wired.container.settings
        return logging.getLogger(settings.logger) if settings.log_ignored_exceptions else None


_CONTEXTS: Final = ("_context", "_async_context")


_WIRED: Final = ("_wired", "_own", "_client", "_async_client", *_CONTEXTS)


_ASSIGNABLE: Final = frozenset({"key_prefix", "version", "default_timeout", "key_func"})


_OF_CLUSTERS: Final = frozenset(
    name for name, found in vars(clusters).items() if isfunction(found) and found.__module__ == clusters.__name__
)
"""Operations that only caches on a cluster have."""


class Backend(Attributes, BaseCache):
    """A cache object, created by Django for each thread and each async task.

    It owns nothing. Connections belong to the alias's container, one for the process: a pool for all threads, and a
    multiplexed connection for each event loop. They outlive the request that opened them.

    Args:
        server: LOCATION.
        params: the rest of the alias's entry in CACHES.

    Raises:
        ConfigurationError: a setting is wrong; the message names the alias, the key and the cure.
    """

    mode: ClassVar[Mode] = "sync"
    DEFAULT_CLIENT_CLASS: ClassVar[str] = "django_valkey.client.DefaultClient"

    _chooses_client: ClassVar[bool] = False
    """True if the project overrides `get_client_class`."""
    _wired: Wired
    _own: Contexts | None
    _context: Context
    _async_context: Context
    _client: Client
    _async_client: AsyncClient

    def __init__(self, server: object, params: dict[str, Any]) -> None:
        self._arguments = server, params
        wired = self._wire()
        BaseCache.__init__(self, wired.params)
        self.default_timeout = wired.context.timeout  # BaseCache truncates it to a whole number
        self._assigned: dict[str, Any] = {}

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            """Apply an assigned prefix, version, timeout or key function to all methods, as in Django's own caches."""
            object.__setattr__(self, name, value)
            if name in _ASSIGNABLE and "_assigned" in self.__dict__:
                self._assigned[name] = value
                for each in _WIRED:
                    self.__dict__.pop(each, None)

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        add_async_methods(cls)
        cls._chooses_client = is_own(cls, "get_client_class")

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {description.described(self._wired.container.settings)}>"

    def _wire(self) -> Wired:
        wired = registry.wired(type(self), *self._arguments)
        if assigned := self.__dict__.get("_assigned"):
            wired = wired.reassigned(assigned)
        self._wired, self._client, self._async_client = wired, wired.client, wired.async_client
        own = self._own = wired.own_with(self.get_client_class()) if self._chooses_client else wired.own
        if own is None:  # no overrides: every cache object shares the container's context
            self._context = self._async_context = wired.context
        else:
            self._client, self._async_client = own.clients(self, (wired.client, wired.async_client))
            self.__dict__.update((name, self._forwarded(name)) for name in own.plan.forwarded)
            self.__dict__.update(own.plan.delegating(self))
        return wired

    def _forwarded(self, name: str) -> Callable[..., Any]:
        def method(*args: Any, **kwargs: Any) -> Any:
            return getattr(self.client, name)(*args, **kwargs)

        return method

    def _is_hooked(self, name: str) -> bool:
        own = self._own
        return own is not None and name in own.plan.client_hooks

    def _let_go(self) -> None:
        """Drop the container if its settings are no longer current; the next use finds the current one."""
        # Django calls `close()` on a thread's caches before it drops them for changed CACHES. A dropped cache object
        # may stay referenced in the thread's context, and would keep the old container open.
        wired: Wired | None = self.__dict__.get("_wired")
        if wired is not None and wired.container.settings.close_connection:
            wired.container.release()
            if "client" in self.__dict__:
                self.client.rest()
        if wired is not None and not registry.is_current(wired):
            for name in (*_WIRED, "client"):
                self.__dict__.pop(name, None)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name in _OF_CLUSTERS and self.is_on_cluster:
                return getattr(self.client, name)
            if name[:1] == "a" and name[1:] in _OF_CLUSTERS and self.is_on_cluster:
                return getattr(self.client_in("async"), name[1:])
            if name not in _WIRED:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            if "_wired" not in self.__dict__:
                self._wire()
            if self._own is not None and name in _CONTEXTS:
                self.__dict__[name] = self._own.of_cache(self, asynchronous=name == "_async_context")
            return self.__dict__[name]

    @cached_property
    def client(self) -> Any:
        """The alias's CLIENT_CLASS bound to this cache: the same operations, and valkey-py clients of the servers."""
        return self.get_client_class()(*self._arguments, self)

    def client_in(self, mode: Mode) -> Any:
        """Return `client`, or its counterpart of the other mode.

        Raises:
            NotSupportedError: the client's class is the project's own, which has no counterpart.
        """
        if mode == self.mode:
            return self.client
        cls = classes.named(type(self.client), "OPTIONS['CLIENT_CLASS']", mode)
        if cls is type(self.client):
            raise NotSupportedError(f"OPTIONS['CLIENT_CLASS']: {cls.__name__} has no {mode} counterpart")
        return cls(*self._arguments, self)

    def get_client_class(self) -> type[Any]:
        """Return the class of `client`: CLIENT_CLASS, or its counterpart in this backend's mode."""
        _, params = self._arguments
        reference = (params.get("OPTIONS") or {}).get("CLIENT_CLASS") or self.DEFAULT_CLIENT_CLASS
        if is_built_in(reference) and self._wired.container.settings.shards:
            reference = "django_valkey.client.sharded.ShardClient"
        elif is_built_in(reference) and self.is_on_cluster:
            reference = "django_valkey.cluster_cache.client.DefaultClusterClient"
        with improperly_configured():
            return classes.named(reference, "OPTIONS['CLIENT_CLASS']", self.mode)

    @property
    def driver(self) -> PoolSource | None:
        """The pool source from the project's own classes, None for the built-in pools."""
        return self._wired.container.settings.endpoints[0].driver

    @property
    def is_on_cluster(self) -> bool:
        """True if the alias is on a cluster."""
        return self._wired.container.settings.cluster

    @property
    def is_on_sentinels(self) -> bool:
        """True if the alias uses Sentinel."""
        return bool(self._wired.container.settings.endpoints[0].service)

    @override
    def make_key(self, key: Key, version: int | None = None, prefix: str | None = None) -> Any:
        """Return the stored key, a `CacheKey`. A project's override of the client's `make_key` is called.

        Args:
            key: the key, without prefix and version.
            version: the version; None for the alias's own.
            prefix: the prefix; None for the alias's own.
        """
        if self._is_hooked("make_key"):
            return self.client.make_key(key, version=version, **({} if prefix is None else {"prefix": prefix}))
        return text(self._wired.context.keys.key(key, version, prefix))

    def with_options(
        self, *, timeout: Timeout = DEFAULT_TIMEOUT, prefix: str | None = None, version: int | None = None
    ) -> Self:
        """Return a view of this cache with other defaults, over the same connections.

        Args:
            timeout: the default lifetime: seconds or a timedelta; None for no expiry; if omitted, that of this cache.
            prefix: the key prefix; None for that of this cache.
            version: the version; None for that of this cache.
        """
        cx = viewed(self._wired.context, timeout, prefix, version)
        view = copy(self)
        for name in (*_WIRED, "client", "_prepared"):
            view.__dict__.pop(name, None)
        view._assigned = dict(self._assigned)  # noqa: SLF001  # of this class
        view.default_timeout = cx.timeout
        if prefix is not None:
            view.key_prefix = prefix
        if version is not None:
            view.version = cx.version
        return view

    def make_pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> Any:
        """Return the glob over stored keys, with prefix and version escaped.

        Raises:
            ValueError: the pattern is None or empty.
        """
        if self._is_hooked("make_pattern"):
            return self.client.make_pattern(pattern, version=version, **({} if prefix is None else {"prefix": prefix}))
        return text(self._wired.context.keys.pattern(pattern, version, prefix))

    def encode(self, value: object) -> bytes | float:
        """Return the stored form of a value: an int or a float unchanged, anything else as bytes."""
        return self.client.encode(value) if self._is_hooked("encode") else encoded(self._wired.context.codec, value)

    def decode(self, value: bytes) -> object:
        """Return the value of stored bytes.

        Raises:
            DecodeError: the bytes cannot be read.
        """
        return self.client.decode(value) if self._is_hooked("decode") else decoded(self._wired.context.codec, value)

    def reverse_key(self, key: str) -> str:
        """Return the caller's key for a stored key; a key of another prefix or version is returned unchanged.

        Raises:
            NotSupportedError: there is a KEY_FUNCTION but no REVERSE_KEY_FUNCTION.
        """
        return self._context.keys.original(key.encode("utf-8", "surrogateescape"))

    @override
    def get_backend_timeout(self, timeout: Timeout = DEFAULT_TIMEOUT) -> Timeout:  # type: ignore[override]  # the stubs return a point in time
        """Return the timeout in seconds, None for no expiry. Every operation calls an override of this."""
        return self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout

    @override
    def validate_key(self, key: object) -> None:
        """Accept every key: the server does not have memcached's limits."""
