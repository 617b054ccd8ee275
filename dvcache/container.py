"""Wiring of the library; the only importer of dependency_injector.

`Wiring` declares the providers, one builder function each; `Container` is the typed object that programs use.
"""

import asyncio
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

from dvcache import builders, provider_checks
from dvcache.cache import AsyncCache, Cache
from dvcache.context import Codec, Context, Keys, Policy
from dvcache.errors import ClosedError
from dvcache.pools.custom.raw_clients import AsyncRawClient, RawClient
from dvcache.process.background_tasks import BackgroundTasks
from dvcache.process.ignored_errors import IgnoredErrors
from dvcache.protocols import AsyncClient, Client, PoolFactory, Releasable
from dvcache.settings import Settings, description
from dvcache.types import Clock


@cache
def _wiring() -> Any:
    """Return the class `Wiring`, declared on first use: `containers` imports installed web frameworks."""
    from dependency_injector import containers  # noqa: PLC0415  # slow import

    class Wiring(containers.DeclarativeContainer):
        """Dependency graph of the providers. Each can be replaced by name; building one does no I/O."""

        settings: providers.Provider[Settings] = providers.Dependency(instance_of=Settings)
        pool_factory: providers.Provider[PoolFactory] = providers.ThreadSafeSingleton(builders.pool_factory, settings)
        clock: providers.Provider[Clock] = providers.ThreadSafeSingleton(builders.clock)
        keys: providers.Provider[Keys] = providers.ThreadSafeSingleton(builders.keys, settings)
        codec: providers.Provider[Codec] = providers.ThreadSafeSingleton(builders.codec, settings)
        ignored: providers.Provider[IgnoredErrors] = providers.ThreadSafeSingleton(builders.ignored, settings)
        policy: providers.Provider[Policy] = providers.ThreadSafeSingleton(builders.policy, settings, ignored)
        tasks: providers.Provider[BackgroundTasks] = providers.ThreadSafeSingleton(builders.tasks)
        context: providers.Provider[Context] = providers.ThreadSafeSingleton(
            builders.context, settings, keys, codec, policy, clock, tasks
        )
        client: providers.Provider[Client] = providers.ThreadSafeSingleton(builders.client, settings, pool_factory)
        async_client: providers.Provider[AsyncClient] = providers.ThreadSafeSingleton(
            builders.async_client, settings, pool_factory
        )
        cache: providers.Provider[Cache] = providers.ThreadSafeSingleton(builders.cache, context, client)
        async_cache: providers.Provider[AsyncCache] = providers.ThreadSafeSingleton(
            builders.async_cache, context, async_client
        )

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
        provider_checks.check(given, settings.alias, settings.where)
        wiring = _wiring()(settings=providers.Object(settings))
        for name, replacement in given.items():
            wiring.providers[name].override(providers.Object(replacement))
        self._wiring = wiring
        self._clients: dict[str, Client | AsyncClient] = {}
        self._raw = builders.raw_clients(settings, given)
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

    def raw(self, *, write: bool = True) -> RawClient:
        """Return valkey-py's client of the servers: pipelines, and commands that the cache does not have.

        Keys and values are sent as they are: `cache.make_key(key)` is the stored key. Clients share a pool, which
        the container closes. On a cluster the client is a `valkey.cluster.ValkeyCluster`, which connects at once.

        Args:
            write: whether to select the primary; False selects a replica if there is one.

        Raises:
            NotSupportedError: no client reaches the servers: in memory, shards, a replaced pool factory or client.
            ClosedError: the container is closed.
        """
        self._open_wiring()
        return self._raw.client(write=write)

    async def async_raw(self, *, write: bool = True) -> AsyncRawClient:
        """Return valkey-py's client for the running event loop; its connections end with the loop, or the container.

        Arguments and errors are those of `raw`. On a cluster it is a `valkey.asyncio.cluster.ValkeyCluster`.
        """
        self._open_wiring()
        return await self._raw.async_client(write=write)

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
        self._raw.close()

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
