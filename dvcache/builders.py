"""The builder functions of the wiring: each makes one part of a container from its settings and other parts."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from dvcache.cache import AsyncCache, Cache
from dvcache.clients import build
from dvcache.clients.loop_warning import WarnsInLoops
from dvcache.clients.loss_limit import AsyncLimitedLosses, LimitedLosses, Losses
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.codec import ValueCodec
from dvcache.context import Codec, Context, Herd, Keys, Policy
from dvcache.effects import Tasks
from dvcache.keys import PrefixedKeys
from dvcache.places import place
from dvcache.policies.ignore_errors import forgiving
from dvcache.policies.plain import PLAIN
from dvcache.pools.circuit_breaker import CircuitBreaker
from dvcache.pools.custom.raw_clients import RawClients
from dvcache.pools.factory import Pools
from dvcache.process.background_tasks import BackgroundTasks
from dvcache.process.ignored_errors import IgnoredErrors
from dvcache.protocols import AsyncClient, Client, PoolFactory
from dvcache.provider_checks import checked_pools
from dvcache.settings import Settings, description
from dvcache.types import Clock, Endpoint


def pool_factory(settings: Settings) -> PoolFactory:
    """Return the factory of real connections, with circuit breakers if errors are ignored."""
    return Pools(CircuitBreaker if settings.ignore_exceptions else None)


def clock() -> Clock:
    """Return the clock of the system, in seconds since the epoch."""
    return time.time


def keys(settings: Settings) -> Keys:
    """Return the conversion of keys."""
    return PrefixedKeys(settings.key_prefix, settings.version, settings.key_function, settings.reverse_key_function)


def codec(settings: Settings) -> Codec:
    """Return the conversion of values."""
    own = getattr(settings.compressor, "min_length", None)  # a user's compressor may set its own bound
    return ValueCodec(
        settings.serializer,
        settings.compressor,
        min_length=own if isinstance(own, int) else settings.compress_min_length,
        alias=settings.alias,
        where=settings.where,
        raise_undecodable=settings.raise_undecodable,
        fallbacks=settings.serializer_fallbacks,
        max_size=settings.max_decompressed_size,
        max_value_size=settings.max_value_size,
        unwrap=settings.unwrap,
    )


def tasks() -> BackgroundTasks:
    """Return the owner of background refreshes."""
    return BackgroundTasks()


def ignored(settings: Settings) -> IgnoredErrors:
    """Return the counter of ignored errors."""
    return IgnoredErrors(logging.getLogger(settings.logger) if settings.log_ignored_exceptions else None)


def policy(settings: Settings, ignored: IgnoredErrors) -> Policy:
    """Return the functions that read and write entries."""
    policy = PLAIN if settings.herd is None else _herd()
    return forgiving(policy, ignored) if settings.ignore_exceptions else policy


def _herd() -> Policy:
    from dvcache.policies.herd import HERD  # noqa: PLC0415  # slow import

    return HERD


def context(settings: Settings, keys: Keys, codec: Codec, policy: Policy, clock: Clock, tasks: Tasks) -> Context:  # noqa: PLR0917  # called by the container only
    """Return the context of operations."""
    return Context(
        alias=settings.alias,
        where=settings.where,
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


def client(settings: Settings, pool_factory: PoolFactory) -> Client:
    """Return the client of the topology for sync code."""
    pool = checked_pools(pool_factory, "pool", settings.alias, settings.where)
    client: Client = _topology_client(Runner, settings, pool)
    return WarnsInLoops(client, place(settings.alias, settings.where)) if settings.warn_in_loop else client


def async_client(settings: Settings, pool_factory: PoolFactory) -> AsyncClient:
    """Return the client of the topology for event loops."""
    pool = checked_pools(pool_factory, "async_pool", settings.alias, settings.where)
    client: AsyncClient = _topology_client(AsyncRunner, settings, pool)
    return client


def _topology_client(made: build.ClientClass, settings: Settings, pool: Callable[[Endpoint], Any]) -> Any:
    """Return the client of the topology, with a deadline for each batch if the settings have one."""
    seconds = None if all(each.scheme == "memory" for each in settings.endpoints) else settings.deadline
    client = build.client(made, pool, settings.endpoints, _server_use(settings), seconds)
    if seconds is None or not settings.ignore_exceptions:
        return client
    return (LimitedLosses if made is Runner else AsyncLimitedLosses)(client, Losses(seconds, settings.alias))


def cache(context: Context, client: Client) -> Cache:
    """Return the cache for sync code."""
    return Cache(context, client)


def async_cache(context: Context, client: AsyncClient) -> AsyncCache:
    """Return the cache for event loops."""
    return AsyncCache(context, client)


_CARRIERS: Final = ("pool_factory", "client", "async_client")
"""Providers whose replacement may keep commands off the network."""


def raw_clients(settings: Settings, given: Mapping[str, object]) -> RawClients:
    """Return the maker of valkey-py's clients, which refuses while a replacement keeps commands off the network."""
    replaced = [name for name in _CARRIERS if name in given and not isinstance(given[name], Pools)]
    return RawClients(
        settings.endpoints,
        in_cluster=settings.cluster,
        are_shards=bool(settings.shards),
        replaced="".join(replaced[:1]),
    )
