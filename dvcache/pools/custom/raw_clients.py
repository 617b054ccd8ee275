"""Clients of valkey-py for the servers of a container: pipelines, and commands that the caches do not have."""

import asyncio
import inspect
import random
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias, cast

import valkey
import valkey.asyncio
import valkey.asyncio.cluster
import valkey.asyncio.sentinel
import valkey.cluster
import valkey.sentinel

from dvcache.errors import NotSupportedError
from dvcache.places import place
from dvcache.pools.connect import kept_alive
from dvcache.pools.custom.shared_pools import SharedPools
from dvcache.pools.custom.sources import Classes, FromClasses
from dvcache.types import Endpoint, PoolSource, SourcedPool

RawClient: TypeAlias = valkey.Valkey
"""A client for sync code. On a cluster it is a `valkey.cluster.ValkeyCluster`, which has its methods."""
AsyncRawClient: TypeAlias = valkey.asyncio.Valkey
"""A client for an event loop. On a cluster it is a `valkey.asyncio.cluster.ValkeyCluster`, which has its methods."""

_SERVERS: Final = FromClasses(sync=Classes(pool=valkey.ConnectionPool), aio=Classes(pool=valkey.asyncio.ConnectionPool))
_SERVICES: Final = FromClasses(
    sync=Classes(pool=valkey.sentinel.SentinelConnectionPool),
    aio=Classes(pool=valkey.asyncio.sentinel.SentinelConnectionPool),
)


class RawClients:
    """Makes clients of valkey-py, with one pool for each endpoint and event loop. May be shared by threads.

    Args:
        endpoints: the servers.
        in_cluster: whether they are nodes of a cluster.
        are_shards: whether they are shards, of which no client reaches all.
        replaced: the provider that a test has replaced, empty if commands reach the configured servers.
    """

    def __init__(
        self, endpoints: Sequence[Endpoint], *, in_cluster: bool, are_shards: bool, replaced: str = ""
    ) -> None:
        self._endpoints, self._in_cluster, self._are_shards = endpoints, in_cluster, are_shards
        self._replaced = replaced
        self._pools: Final = SharedPools()

    def client(self, *, write: bool) -> RawClient:
        """Return a client for sync code. It connects at its first command, on a cluster at once.

        Args:
            write: whether to select the primary; False selects a replica if there is one.

        Raises:
            NotSupportedError: there is no such client: in memory, of shards, or while a test replaces a provider.
        """
        endpoint = self._endpoint(write=write)
        with self._pools.lock:
            known = self._pools.of(None)
            if endpoint not in known:
                known[endpoint] = (
                    self._cluster() if self._in_cluster else _plain(endpoint, _source(endpoint).make(endpoint))
                )
            made = known[endpoint]
        return cast("RawClient", made) if self._in_cluster else valkey.Valkey(connection_pool=made)

    async def async_client(self, *, write: bool) -> AsyncRawClient:
        """Return a client for the running event loop, which ends with the loop. Otherwise as `client`."""
        endpoint = self._endpoint(write=write)
        known = self._pools.of(asyncio.get_running_loop())
        if endpoint not in known:
            made = (
                self._async_cluster() if self._in_cluster else _plain(endpoint, await _source(endpoint).amake(endpoint))
            )
            known.setdefault(endpoint, made)
            await self._pools.keep()
        made = known[endpoint]
        return cast("AsyncRawClient", made) if self._in_cluster else valkey.asyncio.Valkey(connection_pool=made)

    def close(self) -> None:
        """End every connection. May be called from any thread."""
        self._pools.close()

    def _endpoint(self, *, write: bool) -> Endpoint:
        first = self._endpoints[0]
        if self._replaced:
            raise NotSupportedError(
                f"{place(first.alias, first.where)}: a valkey-py client would reach the real server, while "
                f"{self._replaced} is replaced; use the cache's own methods, or a test server: LOCATION 'embedded://'"
            )
        if first.scheme == "memory":
            raise NotSupportedError("memory:// has no server for a valkey-py client; write embedded://")
        if self._are_shards:
            raise NotSupportedError(
                f"{place(first.alias, first.where)}: no valkey-py client reaches all shards; make a container for one"
            )
        replicas = [] if write or self._in_cluster else [each for each in self._endpoints if each.role == "replica"]
        return random.choice(replicas) if replicas else first  # noqa: S311  # no secret

    def _cluster(self) -> Any:
        nodes = [valkey.cluster.ClusterNode(each.host, each.port) for each in self._endpoints]
        known = frozenset(valkey.cluster.VALKEY_ALLOWED_KEYS) | _parameters(valkey.Valkey)
        return valkey.cluster.ValkeyCluster(startup_nodes=nodes, **_of_cluster(self._endpoints[0], known))

    def _async_cluster(self) -> Any:
        nodes = [valkey.asyncio.cluster.ClusterNode(each.host, each.port) for each in self._endpoints]
        cls = valkey.asyncio.cluster.ValkeyCluster
        return cls(startup_nodes=nodes, **_of_cluster(self._endpoints[0], _parameters(cls)))


def _source(endpoint: Endpoint) -> PoolSource:
    """Return the project's own source of pools if it can serve a raw client, else valkey-py's classes."""
    if endpoint.driver is not None and (endpoint.driver.discovers or not endpoint.service):
        return endpoint.driver
    return _SERVICES if endpoint.service else _SERVERS


def _plain(endpoint: Endpoint, sourced: SourcedPool) -> Any:
    """Return the pool, with valkey-py's own parser: a raw client reads the pushes that the caches drop."""
    if endpoint.driver is None:
        sourced.pool.connection_kwargs.pop("parser_class", None)
    return sourced.pool


def _of_cluster(endpoint: Endpoint, known: Iterable[str]) -> dict[str, Any]:
    """Return the arguments of a cluster's client, which makes the pools of its nodes itself."""
    given: Mapping[str, object] = kept_alive(endpoint.options)
    arguments: dict[str, Any] = {name: value for name, value in given.items() if name in known}
    if endpoint.scheme == "valkeys":
        arguments["ssl"] = True
    if endpoint.remap is not None:
        arguments["address_remap"] = endpoint.remap
    timeouts = {"socket_timeout": endpoint.timeout, "socket_connect_timeout": endpoint.connect_timeout}
    return arguments | timeouts


@cache
def _parameters(cls: type[Any]) -> frozenset[str]:
    return frozenset(inspect.signature(cls).parameters)
