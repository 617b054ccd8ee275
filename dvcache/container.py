"""Wiring of the library; the only importer of dependency_injector.

`Wiring` declares the providers, one builder function each; `Container` is the typed object that programs use.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import cache
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack, cast

try:
    from dependency_injector import providers
except ImportError as error:
    if "interpreter" not in str(error):
        raise
    raise ImportError(
        "dvcache needs dependency-injector, which only one interpreter of a process can load, and another one has; "
        "under mod_wsgi write 'WSGIApplicationGroup %{GLOBAL}', or run each application in its own process"
    ) from error

from typing_extensions import override

from dvcache import provider_checks
from dvcache.cache import AsyncCache, Cache
from dvcache.clients import build
from dvcache.clients.loop_warning import WarnsInLoops
from dvcache.clients.loss_limit import AsyncLimitedLosses, LimitedLosses, Losses
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.codec import ValueCodec
from dvcache.context import Codec, Context, Herd, Keys, Policy
from dvcache.effects import Tasks
from dvcache.errors import ClosedError
from dvcache.keys import PrefixedKeys
from dvcache.policies.herd import HERD
from dvcache.policies.ignore_errors import forgiving
from dvcache.policies.plain import PLAIN
from dvcache.pools.circuit_breaker import CircuitBreaker
from dvcache.pools.factory import Pools
from dvcache.process.background_tasks import BackgroundTasks
from dvcache.process.ignored_errors import IgnoredErrors
from dvcache.protocols import AsyncClient, Client, PoolFactory, Releasable
from dvcache.settings import Settings, description
from dvcache.types import Clock, Endpoint


def _pool_factory(settings: Settings) -> PoolFactory:
    return Pools(CircuitBreaker if settings.ignore_exceptions else None)


def _clock() -> Clock:
    return time.time


def _keys(settings: Settings) -> Keys:
    return PrefixedKeys(settings.key_prefix, settings.version, settings.key_function, settings.reverse_key_function)


def _codec(settings: Settings) -> Codec:
    own = getattr(settings.compressor, "min_length", None)  # a user's compressor may set its own bound
    return ValueCodec(
        settings.serializer,
        settings.compressor,
        min_length=own if isinstance(own, int) else settings.compress_min_length,
        alias=settings.alias,
        raise_undecodable=settings.raise_undecodable,
        fallbacks=settings.serializer_fallbacks,
        max_size=settings.max_decompressed_size,
        max_value_size=settings.max_value_size,
        unwrap=settings.unwrap,
    )


def _tasks() -> BackgroundTasks:
    return BackgroundTasks()


def _ignored(settings: Settings) -> IgnoredErrors:
    return IgnoredErrors(logging.getLogger(settings.logger) if settings.log_ignored_exceptions else None)


def _policy(settings: Settings, ignored: IgnoredErrors) -> Policy:
    policy = PLAIN if settings.herd is None else HERD
    return forgiving(policy, ignored) if settings.ignore_exceptions else policy


def _context(settings: Settings, keys: Keys, codec: Codec, policy: Policy, clock: Clock, tasks: Tasks) -> Context:  # noqa: PLR0917  # called by the container only
    return Context(
        alias=settings.alias,
        servers=description.servers(settings),
        keys=keys,
        codec=codec,
        policy=policy,
        timeout=settings.timeout,
        version=settings.version,
        clock=clock,
        scan_count=settings.scan_count,
        clear_scope=settings.clear_scope,
        prefixed_hashes=settings.prefixed_hashes,
        prefixed_fields=settings.prefixed_fields,
        default_marker=settings.default_marker,
        jitter=settings.timeout_jitter,
        herd=settings.herd or Herd(),
        placement=settings.placement,
        tasks=tasks,
    )


def _server_use(settings: Settings) -> build.ServerUse:
    return build.ServerUse(
        read_from_primary=settings.read_from == "primary",
        read_only=settings.read_only,
        write_anywhere=settings.write_anywhere,
        cluster=settings.cluster,
        shards=settings.shards,
    )


def _client(settings: Settings, pool_factory: PoolFactory) -> Client:
    client: Client = _topology_client(Runner, settings, pool_factory.pool)
    return WarnsInLoops(client, settings.alias) if settings.warn_in_loop else client


def _async_client(settings: Settings, pool_factory: PoolFactory) -> AsyncClient:
    client: AsyncClient = _topology_client(AsyncRunner, settings, pool_factory.async_pool)
    return client


def _topology_client(made: build.ClientClass, settings: Settings, pool: Callable[[Endpoint], Any]) -> Any:
    """Return the client of the topology, with a deadline for each batch if the settings have one."""
    seconds = None if all(each.scheme == "memory" for each in settings.endpoints) else settings.deadline
    client = build.client(made, pool, settings.endpoints, _server_use(settings), seconds)
    if seconds is None or not settings.ignore_exceptions:
        return client
    return (LimitedLosses if made is Runner else AsyncLimitedLosses)(client, Losses(seconds, settings.alias))


def _cache(context: Context, client: Client) -> Cache:
    return Cache(context, client)


def _async_cache(context: Context, client: AsyncClient) -> AsyncCache:
    return AsyncCache(context, client)


@cache
def _wiring() -> Any:
    """Return the class `Wiring`, declared on first use: `containers` imports installed web frameworks."""
    from dependency_injector import containers  # noqa: PLC0415  # slow import

    class Wiring(containers.DeclarativeContainer):
        """Dependency graph of the providers. Each can be replaced by name; building one does no I/O."""

        settings: providers.Provider[Settings] = providers.Dependency(instance_of=Settings)
        pool_factory: providers.Provider[PoolFactory] = providers.ThreadSafeSingleton(_pool_factory, settings)
        clock: providers.Provider[Clock] = providers.ThreadSafeSingleton(_clock)
        keys: providers.Provider[Keys] = providers.ThreadSafeSingleton(_keys, settings)
        codec: providers.Provider[Codec] = providers.ThreadSafeSingleton(_codec, settings)
        ignored: providers.Provider[IgnoredErrors] = providers.ThreadSafeSingleton(_ignored, settings)
        policy: providers.Provider[Policy] = providers.ThreadSafeSingleton(_policy, settings, ignored)
        tasks: providers.Provider[BackgroundTasks] = providers.ThreadSafeSingleton(_tasks)
        context: providers.Provider[Context] = providers.ThreadSafeSingleton(
            _context, settings, keys, codec, policy, clock, tasks
        )
        client: providers.Provider[Client] = providers.ThreadSafeSingleton(_client, settings, pool_factory)
        async_client: providers.Provider[AsyncClient] = providers.ThreadSafeSingleton(
            _async_client, settings, pool_factory
        )
        cache: providers.Provider[Cache] = providers.ThreadSafeSingleton(_cache, context, client)
        async_cache: providers.Provider[AsyncCache] = providers.ThreadSafeSingleton(_async_cache, context, async_client)

    return Wiring


def __getattr__(name: str) -> Any:
    if name == "Wiring":
        return _wiring()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Replacements(TypedDict, total=False):
    """Objects that `Container` takes by provider name, to use in place of the built ones."""

    pool_factory: PoolFactory
    clock: Clock
    keys: Keys
    codec: Codec
    policy: Policy
    context: Context
    client: Client
    async_client: AsyncClient


class Container:
    """The caches of one configuration and the connections that they share.

    Nothing connects before the first operation. A container may be shared by threads and event loops.

    Args:
        settings: the result of `Settings.parse`.
        given: objects to use in place of those the wiring would build, for example a fake pool factory in a test.

    Raises:
        ConfigurationError: `settings` is not a `Settings`, a replacement's name is not a provider's, or its object
            lacks a method of the provider's Protocol.
    """

    def __init__(self, settings: Settings, **given: Unpack[Replacements]) -> None:
        provider_checks.check_settings(settings, Settings)
        provider_checks.check(given, settings.alias)
        wiring = _wiring()(settings=providers.Object(settings))
        for name, replacement in given.items():
            wiring.providers[name].override(providers.Object(replacement))
        self._wiring = wiring
        self._clients: dict[str, Client | AsyncClient] = {}
        self._closed = False
        self.settings = settings

    @override
    def __repr__(self) -> str:
        state = ", closed" if self._closed else ""
        return f"<Container of {description.described(self.settings)}{state}>"

    def context(self) -> Context:
        """Return the context that operations run in."""
        context: Context = self._open_wiring().context()
        return context

    def client(self) -> Client:
        """Return the client that runs batches; the container closes it."""
        client: Client = self._open_wiring().client()
        self._clients["sync"] = client
        return client

    def async_client(self) -> AsyncClient:
        """Return the client that runs batches on event loops; the container closes it."""
        client: AsyncClient = self._open_wiring().async_client()
        self._clients["async"] = client
        return client

    def cache(self) -> Cache:
        """Return the cache, the same object on each call.

        Raises:
            ClosedError: the container is closed.
        """
        self.client()
        return cast("Cache", self._wiring.cache())

    def async_cache(self) -> AsyncCache:
        """Return the asynchronous cache, the same object on each call.

        Raises:
            ClosedError: the container is closed.
        """
        self.async_client()
        return cast("AsyncCache", self._wiring.async_cache())

    def release(self) -> None:
        """Close idle connections; the next operation opens new ones. May be called from any thread."""
        factory = self._wiring.pool_factory()
        if isinstance(factory, Releasable):
            factory.release()

    def ignored_errors(self) -> dict[tuple[str, str], int]:
        """Return the number of ignored errors (IGNORE_EXCEPTIONS), by operation and name of the error's class."""
        ignored: IgnoredErrors = self._wiring.ignored()
        return ignored.counts()

    def close(self) -> None:
        """Close every connection, sync and async, in this thread and on every event loop. May be called twice."""
        self._closed = True
        self._wiring.tasks().close()
        for client in self._clients.values():
            client.close()

    async def aclose(self) -> None:
        """Cancel background refreshes, close every connection, and wait for this loop's connections to close."""
        await self._wiring.tasks().aclose()
        self.close()
        for _ in range(3):  # a TLS transport closes its underlying transport one tick later
            await asyncio.sleep(0)

    def _open_wiring(self) -> Any:
        if self._closed:
            raise ClosedError(f"the container of {self.settings.alias!r} is closed; make a new one")
        return self._wiring

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
