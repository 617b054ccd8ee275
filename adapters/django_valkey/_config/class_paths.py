"""The classes of this package that settings may name, for `dvcache.Settings.parse`, which reads `CLASS_PATHS`."""

from typing import Final

from dvcache.settings.class_paths import BuiltInClass, ClassPaths

CLASS_PATHS: Final = ClassPaths(
    "django_valkey",
    BuiltInClass("client", "plain", "client.default.DefaultClient", "async_cache.client.default.AsyncDefaultClient"),
    BuiltInClass(
        "client", "plain", "client.default.HashClient", "async_cache.client.default.AsyncHashClient", hashes=True
    ),
    BuiltInClass("client", "plain", "client.herd.HerdClient", "async_cache.client.herd.AsyncHerdClient", herd=True),
    BuiltInClass(
        "client", "sentinel", "client.sentinel.SentinelClient", "async_cache.client.sentinel.AsyncSentinelClient"
    ),
    BuiltInClass("client", "sharded", "client.sharded.ShardClient", "async_cache.client.sharded.AsyncShardClient"),
    BuiltInClass(
        "client",
        "cluster",
        "cluster_cache.client.default.DefaultClusterClient",
        "cluster_cache.client.default.AsyncDefaultClusterClient",
    ),
    BuiltInClass("base", "plain", "base_client.BaseClient"),
    BuiltInClass("factory", "plain", "pool.ConnectionFactory", "async_cache.pool.AsyncConnectionFactory"),
    BuiltInClass(
        "factory", "sentinel", "pool.SentinelConnectionFactory", "async_cache.pool.AsyncSentinelConnectionFactory"
    ),
    BuiltInClass(
        "factory",
        "cluster",
        "cluster_cache.pool.ClusterConnectionFactory",
        "cluster_cache.pool.AsyncClusterConnectionFactory",
    ),
    factory_setting="DJANGO_VALKEY_CONNECTION_FACTORY",
    pool_fault="Settings DJANGO_VALKEY_CONNECTION_FACTORY or CACHE[].OPTIONS.CONNECTION_POOL_CLASS is not configured "
    "correctly.",
)
