"""Connection factories for clusters: valkey-py clients, for commands without a cache method."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import valkey.asyncio.cluster
import valkey.cluster
from typing_extensions import override

from django_valkey._raw import connection_arguments, replaced_pools
from django_valkey.async_cache.pool import AsyncConnectionFactory
from django_valkey.pool import ConnectionFactory
from dvcache.pools.custom.idle import end_idle


class ClusterConnectionFactory(ConnectionFactory):
    """Makes clients of clusters, one for each node URL and options.

    Arguments and errors are those of `BaseConnectionFactory`.
    """

    path_base_cls = "valkey.cluster.ValkeyCluster"

    @override
    def get_connection_pool(self, params: Mapping[str, Any]) -> Any:
        return cluster_client(self, params)

    @override
    def get_connection(self, params: dict[str, Any]) -> valkey.cluster.ValkeyCluster:
        return self.get_or_create_connection_pool(params)  # type: ignore[no-any-return]  # see get_connection_pool

    @override
    def disconnect(self, connection: valkey.cluster.ValkeyCluster) -> None:
        for node in connection.get_nodes():
            if node.valkey_connection is not None:
                end_idle(node.valkey_connection.connection_pool)


class AsyncClusterConnectionFactory(AsyncConnectionFactory):
    """Makes async clients of clusters, each with connections of its own. The caller has to close them.

    Otherwise as `ClusterConnectionFactory`.
    """

    path_base_cls = "valkey.asyncio.cluster.ValkeyCluster"

    @override
    async def get_connection(self, params: dict[str, Any]) -> valkey.asyncio.cluster.ValkeyCluster:
        return cluster_client(self, params)  # type: ignore[no-any-return]  # the class says which

    @override
    async def disconnect(self, connection: valkey.asyncio.cluster.ValkeyCluster) -> None:
        await connection.aclose()


def cluster_client(factory: Any, params: Mapping[str, Any]) -> Any:
    """Return a new valkey-py cluster client."""
    # The client creates the pools of its nodes itself, with its own parser, which handles MOVED; so a configured
    # parser class is not passed on.
    replaced_pools.refuse_raw()
    known = {name: each for name, each in params.items() if name not in {"url", "parser_class"}}
    pools = {name: each for name, each in factory.pool_cls_kwargs.items() if name != "parser_class"}
    login = factory._credentials()  # noqa: SLF001  # this is a part of the factory
    url = connection_arguments.of_url(params["url"])
    options = factory.options
    checked = connection_arguments.checked_hosts(options, tls=urlsplit(url).scheme in {"valkeys", "rediss"})
    mapped = connection_arguments.of_cluster(options)
    arguments = {**known, **login, **pools, **factory.base_client_cls_kwargs, **checked, **mapped}
    return factory.base_client_cls.from_url(url, **arguments)
