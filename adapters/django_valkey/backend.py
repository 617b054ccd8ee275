"""What every backend of this package is, whatever the colour of its methods."""

from collections.abc import Callable
from functools import cached_property
from inspect import isfunction
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from typing_extensions import override

from django_valkey import wiring
from django_valkey.attributes import Attributes
from django_valkey.exceptions import improperly_configured
from django_valkey.overrides.classes import is_built_in, is_own
from django_valkey.overrides.contexts import Contexts
from django_valkey.overrides.hooks import decoded, encoded, text
from django_valkey.overrides.twins import add_twins
from django_valkey.wiring import Wired
from dvcache import AsyncClient, Client, NotSupportedError
from dvcache.operations import clusters
from dvcache.operations.context import Context
from dvcache.settings import twins
from dvcache.types import Colour, Driver, Key, Timeout

_CONTEXTS: Final = ("_context", "_async_context")
_WIRED: Final = ("_wired", "_own", "_client", "_async_client", *_CONTEXTS)
_ASSIGNABLE: Final = frozenset({"key_prefix", "version", "default_timeout", "key_func"})
_OF_CLUSTERS: Final = frozenset(
    name for name, found in vars(clusters).items() if isfunction(found) and found.__module__ == clusters.__name__
)
"""The operations that a cluster's caches have beside the others'."""


class Backend(Attributes, BaseCache):
    """A cache as Django makes one: for each thread and each asynchronous task, of LOCATION and the rest of the entry.

    It owns nothing. Connections belong to the alias's container, of which there is one in the process: a pool for all
    threads, and one connection for each event loop, which outlive the request that opened them.

    Args:
        server: LOCATION.
        params: the rest of the alias's entry in CACHES.

    Raises:
        ConfigurationError: a setting is wrong; names the alias, the key and the cure.
    """

    colour: ClassVar[Colour] = "sync"
    DEFAULT_CLIENT_CLASS: ClassVar[str] = "django_valkey.client.DefaultClient"

    _chooses_client: ClassVar[bool] = False
    """Whether the project overrides `get_client_class`."""
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
        self.default_timeout = wired.context.timeout  # BaseCache made a whole number of it
        self._assigned: dict[str, Any] = {}

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            """Have what is assigned count in every method from now on, as in Django's own caches."""
            object.__setattr__(self, name, value)
            if name in _ASSIGNABLE and "_assigned" in self.__dict__:
                self._assigned[name] = value
                for each in _WIRED:
                    self.__dict__.pop(each, None)

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        add_twins(cls)
        cls._chooses_client = is_own(cls, "get_client_class")

    def _wire(self) -> Wired:
        wired = wiring.wired(type(self), *self._arguments)
        if assigned := self.__dict__.get("_assigned"):
            wired = wired.reassigned(assigned)
        self._wired, self._client, self._async_client = wired, wired.client, wired.async_client
        own = self._own = wired.own_with(self.get_client_class()) if self._chooses_client else wired.own
        if own is None:
            self._context = self._async_context = wired.context
        else:
            self._client, self._async_client = own.clients(self, (wired.client, wired.async_client))
            self.__dict__.update((name, self._forwarded(name)) for name in own.plan.forwarded)
        return wired

    def _forwarded(self, name: str) -> Callable[..., Any]:
        def method(*args: Any, **kwargs: Any) -> Any:
            return getattr(self.client, name)(*args, **kwargs)

        return method

    def _is_hooked(self, name: str) -> bool:
        own = self._own
        return own is not None and name in own.plan.client_hooks

    def _let_go(self) -> None:
        """Use no connections of settings that are not those of this moment; the next use finds the right ones.

        Django calls `close()` of a thread's caches before it forgets them for another CACHES, but what it forgets may
        live on in the thread's context for ever.
        """
        wired: Wired | None = self.__dict__.get("_wired")
        if wired is not None and wired.container.settings.close_connection:
            wired.container.release()
            if "client" in self.__dict__:
                self.client.rest()
        if wired is not None and not wiring.is_current(wired):
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
        """The alias's CLIENT_CLASS on this cache: the same operations, and valkey-py's clients of the servers."""
        return self.get_client_class()(*self._arguments, self)

    def client_in(self, colour: Colour) -> Any:
        """Return `client`, or its twin of the other colour.

        Raises:
            NotSupportedError: the client's class is the project's own, which serves its own colour.
        """
        if colour == self.colour:
            return self.client
        cls = twins.named(type(self.client), "OPTIONS['CLIENT_CLASS']", colour)
        if cls is type(self.client):
            raise NotSupportedError(f"OPTIONS['CLIENT_CLASS']: {cls.__name__} has no {colour} twin")
        return cls(*self._arguments, self)

    def get_client_class(self) -> type[Any]:
        """Return the class of `client`: CLIENT_CLASS, or its twin where it is of the other colour."""
        _, params = self._arguments
        reference = (params.get("OPTIONS") or {}).get("CLIENT_CLASS") or self.DEFAULT_CLIENT_CLASS
        if is_built_in(reference) and self._wired.container.settings.shards:
            reference = "django_valkey.client.sharded.ShardClient"
        elif is_built_in(reference) and self.is_on_cluster:
            reference = "django_valkey.cluster_cache.client.DefaultClusterClient"
        with improperly_configured():
            return twins.named(reference, "OPTIONS['CLIENT_CLASS']", self.colour)

    @property
    def driver(self) -> Driver | None:
        """What makes the pools that carry the commands, where classes of the project's own do."""
        return self._wired.container.settings.endpoints[0].driver

    @property
    def is_on_cluster(self) -> bool:
        """Whether LOCATION names nodes of a cluster."""
        return self._wired.container.settings.cluster

    @property
    def is_on_sentinels(self) -> bool:
        """Whether sentinels say where the servers are."""
        return bool(self._wired.container.settings.endpoints[0].service)

    @override
    def make_key(self, key: Key, version: int | None = None, prefix: str | None = None) -> Any:
        """Return the key as it is stored, a `CacheKey`: by the client's `make_key` if the project overrides that.

        Args:
            key: the entry's name, without prefix and version.
            version: the version; the alias's own where None.
            prefix: the prefix; the alias's own where None.
        """
        if self._is_hooked("make_key"):
            return self.client.make_key(key, version=version, **({} if prefix is None else {"prefix": prefix}))
        return text(self._wired.context.keys.key(key, version, prefix))

    def make_pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> Any:
        """Return the glob over stored keys, in which prefix and version are literal.

        Raises:
            ValueError: the pattern is None or empty.
        """
        if self._is_hooked("make_pattern"):
            return self.client.make_pattern(pattern, version=version, **({} if prefix is None else {"prefix": prefix}))
        return text(self._wired.context.keys.pattern(pattern, version, prefix))

    def encode(self, value: object) -> bytes | float:
        """Return a value as it is stored: an int or a float as it is, the rest as bytes."""
        return self.client.encode(value) if self._is_hooked("encode") else encoded(self._wired.context.codec, value)

    def decode(self, value: bytes) -> object:
        """Return the value of stored bytes.

        Raises:
            DecodeError: they cannot be read.
        """
        return self.client.decode(value) if self._is_hooked("decode") else decoded(self._wired.context.codec, value)

    def reverse_key(self, key: str) -> str:
        """Return the caller's name of a stored key; a key that is not of this prefix and version comes back whole.

        Raises:
            NotSupportedError: the KEY_FUNCTION cannot be reversed, and there is no REVERSE_KEY_FUNCTION.
        """
        return self._context.keys.original(key.encode("utf-8", "surrogateescape"))

    @override
    def get_backend_timeout(self, timeout: Timeout = DEFAULT_TIMEOUT) -> Timeout:  # type: ignore[override]  # a moment in the stubs
        """Return how many seconds an entry lives, None for ever. What overrides it is asked by every operation."""
        return self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout

    @override
    def validate_key(self, key: object) -> None:
        """Accept every key: memcached's limits are not the server's."""
