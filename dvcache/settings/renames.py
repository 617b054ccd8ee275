"""Names of other cache libraries, and their counterparts here: the one list of them.

Errors and checks, `python -m dvcache migrate` and the tables of the migration page all read it. `python -m
tests.migration_tables --write` writes those tables. The names of an adapter are text here: nothing of it is imported.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple


class Rename(NamedTuple):
    """A name of another library: dotted path, setting or option."""

    old: str
    new: str
    """The counterpart; empty if there is none."""
    why: str = ""
    """The reason, or what to do if there is no counterpart."""


def _table(*renames: Rename) -> Mapping[str, Rename]:
    return {each.old: each for each in renames}


_CACHE: Final = "django_valkey.cache.ValkeyCache"
_TYPES: Final = "an annotation of django-redis 7; use the class itself"
_PRIVATE: Final = "an internal of django-redis; leave it out"
_METHODS: Final = f"{_CACHE} has the methods; leave the mixin out"
_OWN: Final = "your own class may inherit from the one here: python -m dvcache docs extending"

_SAME: Final = (
    *("client.DefaultClient", "client.HerdClient", "client.SentinelClient", "client.ShardClient"),
    *("client.default.DefaultClient", "client.herd.HerdClient"),
    *("client.sentinel.SentinelClient", "client.sharded.ShardClient"),
    *("compressors.base.BaseCompressor", "compressors.gzip.GzipCompressor", "compressors.identity.IdentityCompressor"),
    *("compressors.lz4.Lz4Compressor", "compressors.lzma.LzmaCompressor", "compressors.zlib.ZlibCompressor"),
    *("compressors.zstd.ZStdCompressor", "exceptions.ConnectionInterrupted", "exceptions.CompressorError"),
    *("hash_ring.HashRing", "pool.ConnectionFactory", "pool.SentinelConnectionFactory", "pool.get_connection_factory"),
    *("serializers.base.BaseSerializer", "serializers.json.JSONSerializer", "serializers.msgpack.MSGPackSerializer"),
    *("serializers.pickle.PickleSerializer", "util.CacheKey", "util.default_reverse_key", "VERSION", "__version__"),
)
"""Paths in `django_redis` that are the same in `django_valkey`."""

PATHS: Final = _table(
    Rename("django_redis.cache.RedisCache", _CACHE),
    *(Rename(f"django_redis.{path}", f"django_valkey.{path}") for path in _SAME),
    Rename("django_redis.get_redis_connection", "django_valkey.get_valkey_connection", "returns a client of valkey-py"),
    Rename("django_redis.cache.omit_exception", "django_valkey.base.omit_exception", _OWN),
    Rename("django_redis.cache.CONNECTION_INTERRUPTED", "", _PRIVATE),
    Rename("django_redis.cache.ClientType", "", _TYPES),
    Rename("django_redis.client.default.glob_escape", "django_valkey.util.glob_escape"),
    Rename("django_redis.client.default.special_re", "", "use django_valkey.util.glob_escape"),
    Rename("django_redis.client.default.CompressorType", "dvcache.Compressor", "a Protocol"),
    Rename("django_redis.client.default.SerializerType", "dvcache.Serializer", "a Protocol"),
    Rename("django_redis.client.herd.Marker", "", "entries of its herd client are misses here"),
    Rename("django_redis.client.mixins.ClientProtocol", "", _METHODS),
    Rename("django_redis.client.mixins.SortedSetMixin", "", _METHODS),
    Rename("django_redis.client.mixins.protocols.ClientProtocol", "", _METHODS),
    Rename("django_redis.client.mixins.sorted_sets.SortedSetMixin", "", _METHODS),
    Rename("django_redis.client.sentinel.replace_query", "", _PRIVATE),
    Rename("django_redis.client.sharded.UNSET", "", _PRIVATE),
    Rename("django_redis.client.sharded.UnsetType", "", _PRIVATE),
    *(
        Rename(f"django_redis.pool.{name}", "", _TYPES)
        for name in (
            *("ConnectionPoolType", "ConnectionPoolType_co", "RedisParserType", "RedisParserType_co"),
            *("RedisType", "ConnectionFactoryProtocol"),
        )
    ),
    Rename("django.core.cache.backends.redis.RedisCache", _CACHE),
    Rename("django.core.cache.backends.redis.RedisCacheClient", "django_valkey.client.DefaultClient", _OWN),
    Rename("django.core.cache.backends.redis.RedisSerializer", "django_valkey.serializers.pickle.PickleSerializer"),
    Rename(
        "django_valkey.async_cache.caches.AsyncValkeyCache",
        "django_valkey.async_cache.cache.AsyncValkeyCache",
        "this path is only in django-valkey's documentation",
    ),
    Rename("django_valkey.async_cache.iscoroutinefunction", "inspect.iscoroutinefunction", "Python's own"),
    Rename("django_valkey.base_client.special_re", "", "use django_valkey.util.glob_escape"),
    Rename("django_valkey.util.special_re", "", "use django_valkey.util.glob_escape"),
    Rename("django_valkey.client.sentinel.replace_query", "", "an internal of django-valkey; leave it out"),
    Rename(
        "django_valkey.cluster_cache.cache.ClusterCommands",
        "",
        "django_valkey.cluster_cache.cache.ClusterValkeyCache has the methods; leave the mixin out",
    ),
)
"""Dotted paths of classes and functions."""

PACKAGES: Final[Mapping[str, str]] = {"django_valkey.serializer.": "django_valkey.serializers."}
"""Prefixes of dotted paths that are only in django-valkey's documentation."""

_DOCUMENTED: Final = "the old name is only in django-valkey's documentation"
_GLOBALS: Final = (
    *("IGNORE_EXCEPTIONS", "LOG_IGNORED_EXCEPTIONS", "LOGGER", "SCAN_ITERSIZE", "CONNECTION_FACTORY"),
    "CLOSE_CONNECTION",
)

MISSPELT_SETTINGS: Final[Mapping[str, str]] = {
    "DJANGO_VALKEY_IGNORE_EXCEPTION": "DJANGO_VALKEY_IGNORE_EXCEPTIONS",
    "DJANGO_VALKEY_LOG_EXCEPTION": "DJANGO_VALKEY_LOG_IGNORED_EXCEPTIONS",
    "DJANGO_VALKEY_LOG_IGNORED_EXCEPTION": "DJANGO_VALKEY_LOG_IGNORED_EXCEPTIONS",
    "CACHE_COMPRESS_MIN_LEVEL": "CACHE_COMPRESS_MIN_LENGTH",
    "compress_zlib_wbits": "COMPRESS_ZLIB_WBITS",
    "DECOMPERSS_LZMA_FILTERS": "DECOMPRESS_LZMA_FILTERS",
    "COMPRESSION_ZSTD_OPTIONS": "COMPRESS_ZSTD_OPTIONS",
}
"""Django settings under names that are only in django-valkey's documentation."""

MISSPELT_OPTIONS: Final[Mapping[str, str]] = {
    "LOG_IGNORED_EXCEPTIONS": "LOG_IGNORE_EXCEPTIONS",
    **{
        name: MISSPELT_SETTINGS[name]
        for name in ("compress_zlib_wbits", "DECOMPERSS_LZMA_FILTERS", "COMPRESSION_ZSTD_OPTIONS")
    },
}
"""Names in OPTIONS that are only in django-valkey's documentation."""

MISSPELT_POOL_ARGUMENTS: Final[Mapping[str, str]] = {"max_connection": "max_connections"}
"""Names in OPTIONS["CONNECTION_POOL_KWARGS"] that are only in django-valkey's documentation."""

SETTINGS: Final = _table(
    *(Rename(f"DJANGO_REDIS_{name}", f"DJANGO_VALKEY_{name}") for name in _GLOBALS),
    *(Rename(old, new, _DOCUMENTED) for old, new in MISSPELT_SETTINGS.items()),
)
"""Django settings."""

OPTIONS: Final = _table(
    Rename("REDIS_CLIENT_CLASS", "BASE_CLIENT_CLASS", "the class of raw clients, one of valkey-py's"),
    Rename("REDIS_CLIENT_KWARGS", "BASE_CLIENT_KWARGS", "arguments of raw clients"),
    *(Rename(old, new, _DOCUMENTED) for old, new in MISSPELT_OPTIONS.items()),
)
"""Names in OPTIONS."""

KEPT_OPTIONS: Final = (
    *("CLIENT_CLASS", "CONNECTION_FACTORY", "CONNECTION_POOL_CLASS", "CONNECTION_POOL_KWARGS", "PARSER_CLASS"),
    *("USERNAME", "PASSWORD", "SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT", "SENTINELS", "SENTINEL_KWARGS"),
    *("IGNORE_EXCEPTIONS", "SERIALIZER", "COMPRESSOR", "PICKLE_VERSION", "REPLICA_READ_ONLY", "CLOSE_CONNECTION"),
)
"""Options of django-redis that keep their names."""

LIBRARIES: Final[Mapping[str, str]] = {
    "DJANGO_REDIS_": "django_redis",
    "DJANGO_ASYNC_REDIS_": "django_async_redis",
    "DJANGO_CACHEX_": "django_cachex",
}
"""Prefixes of settings with counterparts here (DJANGO_VALKEY_), and the package that reads them."""

CLIENT_POSITIONS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("persist", "ttl", "pttl", "has_key", "smembers", "scard", "hkeys", "hlen", "zcard"), 2),
    **dict.fromkeys(("get_many", "delete_many", "keys", "iter_keys"), 2),
    **dict.fromkeys(("get", "delete", "delete_pattern", "incr", "decr", "incr_version", "set_many", "spop"), 3),
    **dict.fromkeys(("expire", "expire_at", "pexpire", "pexpire_at", "touch", "sismember", "srandmember"), 3),
    **dict.fromkeys(("hdel", "hexists", "zpopmax", "zpopmin", "zscore"), 3),
    **dict.fromkeys(
        ("set", "add", "smove", "sscan", "sscan_iter", "zcount", "zincrby", "zremrangebyscore", "zrank"), 4
    ),
}
"""Arguments before `client` in methods of django-redis; here `client` and what follows are given by name only."""

DIFFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "django_redis": {
        "entries": "keys and values are the same, for every serializer and compressor: its entries are read here, and"
        " ours there. Members of sets and sorted sets are excepted, see below",
        "members of sets and sorted sets with a compressor": "django-redis compresses what is longer than 15 bytes"
        " even if that makes it longer; here it is then stored as it is. Such a member is listed, but sismember, srem,"
        " zscore and zrank do not find it, and zadd adds it again; delete these keys, or fill them again",
        "floats": "are stored as text, which django-redis reads with JSON only: processes of the old release fail on"
        " floats of the new one",
        "herd client": "its entries are instances of its own class, so they are misses here",
        "hashes": 'django-redis 7 names them like other entries and their fields alone: set OPTIONS["PREFIX_HASHES"]'
        ' = True and OPTIONS["PREFIX_HASH_FIELDS"] = False to find them (python -m dvcache docs hashes)',
        "ints and floats in sorted sets": "django-redis serializes such members, here they are text: unless the"
        " serializer is JSON, zrange lists a member that it stored, but zscore, zrem and zincrby do not find it; delete"
        " the key, or remove the members by zremrangebyscore, and add them again; the same is true of floats in sets",
        "errors": "are valkey.exceptions.ConnectionError, TimeoutError, ResponseError and dvcache.CacheError instead"
        " of redis.exceptions (python -m dvcache docs errors)",
        "raw clients": "are clients of valkey-py; client= and what follows it are given by name only",
        "ignored errors": "IGNORE_EXCEPTIONS returns an empty value of the method's type; wrong types still raise",
    },
    "django.core.cache.backends.redis": {
        "entries": "keys and bytes are the same (pickles and ints): its entries are read here",
        "floats": "are stored as text, which Django's own backend cannot read: processes of the old release fail on"
        " floats of the new one",
        "OPTIONS": "are not connection arguments: those belong in OPTIONS['CONNECTION_POOL_KWARGS']",
        "errors": "are valkey.exceptions.ConnectionError, TimeoutError, ResponseError and dvcache.CacheError instead"
        " of redis.exceptions (python -m dvcache docs errors)",
    },
    "django_valkey": {
        "entries": "keys and bytes are the same: entries are read in both directions",
        "negative ints": "are read by django-valkey as floats, here exactly",
        "results": "set_many returns a list, add returns False, an empty pattern is a ValueError"
        " (python -m dvcache docs differences)",
    },
}
"""How the behaviour differs, by library and subject."""

STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "django_redis": (
        'add "django_valkey" to INSTALLED_APPS and run: python manage.py check',
        "when nothing imports it: pip uninstall --yes django-redis (and redis, if nothing else uses it)",
    ),
    "django.core.cache.backends.redis": ('add "django_valkey" to INSTALLED_APPS and run: python manage.py check',),
    "django_valkey": (
        "pip uninstall --yes django-valkey, then: pip install --force-reinstall --no-deps dvcache",
        'add "django_valkey" to INSTALLED_APPS and run: python manage.py check',
    ),
}
"""Steps after the changes, by library."""

_ROOTS: Final[Mapping[str, str]] = {"redis": "valkey", "aioredis": "valkey.asyncio"}
"""Packages with the same layout as valkey-py, and its counterpart."""
NO_PARSER: Final = "leave it out: valkey-py reads replies with libvalkey"


def is_parser(path: str) -> bool:
    """Return True for the path of a parser of replies."""
    return "Parser" in path.rpartition(".")[2] or path.partition(".")[0] == "hiredis"


def driver(path: str) -> str:
    """Return the path in valkey-py for one in redis-py or aioredis; an empty string for other packages."""
    package, _, rest = path.partition(".")
    if rest.rpartition(".")[2] == "RedisCluster":
        return "valkey.cluster.ValkeyCluster"
    root = _ROOTS.get(package)
    return f"{root}.{layout(rest)}".removesuffix(".") if root else ""


def layout(rest: str) -> str:
    """Return a path inside redis-py as it is inside valkey-py."""
    return re.sub("StrictRedis|Redis", "Valkey", rest).replace("redis", "valkey")


def path(old: str) -> Rename | None:
    """Return the counterpart of a dotted path; None if it is not of another library, or has the same name here."""
    if found := PATHS.get(old):
        return found
    for wrong, right in PACKAGES.items():
        if old.startswith(wrong):
            return Rename(old, right + old.removeprefix(wrong), _DOCUMENTED)
    if old.startswith("redis.") and is_parser(old):
        return Rename(old, "", NO_PARSER)
    new = driver(old)
    return Rename(old, new) if new else None
