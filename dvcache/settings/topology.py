"""The topology of a CACHES entry, from the classes that it names: single servers, Sentinel, cluster or shards.

A class may be a dotted path or the class itself, sync or async: the mode does not change the topology. A class of the
user's own has the topology of its nearest built-in ancestor.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal, TypeAlias

from dvcache.errors import ConfigurationError
from dvcache.settings import classes, other_libraries
from dvcache.settings.option_names import is_foreign
from dvcache.settings.spelling import hint

Kind: TypeAlias = Literal["plain", "sentinel", "cluster", "sharded"]


def _paths(kind: Kind, modules: str, names: str) -> dict[str, Kind]:
    return dict.fromkeys(map(".".join, product(modules.split(), names.split())), kind)


_SYNC: Final = "django_valkey.client"
_ASYNC: Final = "django_valkey.async_cache.client"
_CLUSTER: Final = "django_valkey.cluster_cache"

_HERD: Final[Mapping[str, Kind]] = {
    **_paths("plain", f"{_SYNC} {_SYNC}.herd", "HerdClient"),
    **_paths("plain", f"{_ASYNC} {_ASYNC}.herd", "AsyncHerdClient"),
}
_HASH: Final[Mapping[str, Kind]] = {
    **_paths("plain", f"{_SYNC} {_SYNC}.default", "HashClient"),
    **_paths("plain", f"{_ASYNC} {_ASYNC}.default", "AsyncHashClient"),
}
_SHARD: Final[Mapping[str, Kind]] = {
    **_paths("sharded", f"{_SYNC} {_SYNC}.sharded", "ShardClient"),
    **_paths("sharded", f"{_ASYNC} {_ASYNC}.sharded", "AsyncShardClient"),
}
_CLIENTS: Final[Mapping[str, Kind]] = {
    **_HERD,
    **_HASH,
    **_SHARD,
    **_paths("plain", f"{_SYNC} {_SYNC}.default", "DefaultClient"),
    **_paths("plain", f"{_ASYNC} {_ASYNC}.default", "AsyncDefaultClient"),
    **_paths("sentinel", f"{_SYNC} {_SYNC}.sentinel", "SentinelClient"),
    **_paths("sentinel", f"{_ASYNC} {_ASYNC}.sentinel", "AsyncSentinelClient"),
    **_paths(
        "cluster", f"{_CLUSTER}.client {_CLUSTER}.client.default", "DefaultClusterClient AsyncDefaultClusterClient"
    ),
}
"""Built-in clients. One named as CONNECTION_FACTORY selects its own factory."""

_CLIENT_BASES: Final[Mapping[str, Kind]] = {**_CLIENTS, **_paths("plain", "django_valkey.base_client", "BaseClient")}
"""Base classes for clients of the user's own."""

_FACTORIES: Final[Mapping[str, Kind]] = {
    **_paths("plain", "django_valkey.pool", "ConnectionFactory"),
    **_paths("plain", "django_valkey.async_cache.pool", "AsyncConnectionFactory"),
    **_paths("sentinel", "django_valkey.pool", "SentinelConnectionFactory"),
    **_paths("sentinel", "django_valkey.async_cache.pool", "AsyncSentinelConnectionFactory"),
    **_paths("cluster", f"{_CLUSTER}.pool", "ClusterConnectionFactory AsyncClusterConnectionFactory"),
    **_CLIENTS,
    **dict.fromkeys(_SHARD, "plain"),
}
_DRIVERS: Final = "valkey valkey.asyncio"
_PLAIN: Final = "ConnectionPool BlockingConnectionPool"
_POOLS: Final[Mapping[str, Kind]] = {
    **_paths(
        "plain", f"{_DRIVERS} valkey.connection valkey.asyncio.connection", "ConnectionPool BlockingConnectionPool"
    ),
    **_paths("sentinel", f"{_DRIVERS} valkey.sentinel valkey.asyncio.sentinel", "SentinelConnectionPool"),
}

GLOBAL_FACTORY: Final = "connection_factory"
"""Key in errors for the global connection factory."""

_CLIENT: Final = "OPTIONS['CLIENT_CLASS']"
_POOL: Final = "OPTIONS['CONNECTION_POOL_CLASS']"
_WITHOUT_SENTINELS: Final[Mapping[str, str]] = {
    "CLUSTER": "a cluster needs no sentinels; set OPTIONS['CONNECTION_FACTORY'] ="
    " 'django_valkey.cluster_cache.pool.ClusterConnectionFactory', and name no class of Sentinel",
    "SHARDED": "each shard is a single server, not a service of Sentinel; set OPTIONS['CONNECTION_FACTORY'] ="
    " 'django_valkey.pool.ConnectionFactory', and name no class of Sentinel",
}
_DOCUMENTED: Final = (
    "Settings DJANGO_VALKEY_CONNECTION_FACTORY or CACHE[].OPTIONS.CONNECTION_POOL_CLASS is not configured correctly."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The topology of an entry."""

    sentinel: bool
    cluster: bool
    sharded: bool
    makes_pairs: bool
    """True if a single URL means both the primary and the replicas of a service."""
    by_global_factory: bool
    """True if only the global connection factory selects Sentinel."""
    misplaced: str
    """The key that names a client in place of a factory; empty if none does."""
    factory: type[Any] | None
    """The connection factory in effect, if it is the user's own class."""
    factory_key: str
    """The key that names the connection factory in effect."""


def topology(options: Mapping[str, object], connection_factory: object = None, client_class: object = None) -> Topology:
    """Return the topology of an entry.

    Args:
        options: the OPTIONS, without None values.
        connection_factory: the global connection factory, used if the options name none.
        client_class: the client class, used if the options name none; a cluster client always selects a cluster.

    Raises:
        ConfigurationError: a class has no known ancestor, or classes contradict each other.
    """
    client = _kind(options.get("CLIENT_CLASS"), _CLIENT_BASES, _CLIENT)
    pool = _kind(options.get("CONNECTION_POOL_CLASS"), _POOLS, _POOL, "plain")
    own = options.get("CONNECTION_FACTORY")
    named, key = (connection_factory, GLOBAL_FACTORY) if own is None else (own, "OPTIONS['CONNECTION_FACTORY']")
    misplaced = named is not None and any(path in _CLIENTS for path in _lineage(named, _FACTORIES, key))
    meant, meant_key = (named, key) if named is not None and not misplaced else _of_client(options, named, key)
    factory = _kind(meant, _FACTORIES, meant_key, "plain")
    asked = {client, factory, pool, _kind(client_class, _CLIENT_BASES, _CLIENT, "plain")}
    wanted = Topology(
        sentinel="sentinel" in asked,
        cluster=_asks(options, asked, "cluster"),
        sharded=_asks(options, asked, "sharded"),
        makes_pairs=client == "sentinel",
        by_global_factory=own is None and factory == "sentinel" and "sentinel" not in {client, pool},
        misplaced=key if misplaced else "",
        factory=_own(meant, meant_key),
        factory_key=meant_key,
    )
    _check_factory(wanted, factory)
    if wanted.cluster and wanted.sharded:
        message = "contradicts the cluster of this alias, which distributes keys itself; choose one of them"
        raise ConfigurationError(message, key="OPTIONS['SHARDED']")
    return wanted


def _asks(options: Mapping[str, object], asked: Collection[Kind | None], kind: Literal["cluster", "sharded"]) -> bool:
    """Return True if the option or a class selects this topology."""
    option = kind.upper()
    by_class, by_option, key = kind in asked, options.get(option), f"OPTIONS[{option!r}]"
    if by_class and by_option is not None and not by_option:
        meant = "a cluster" if kind == "cluster" else "shards"
        raise ConfigurationError(f"False contradicts the classes of {meant}; leave it out", key=key)
    if (by_class or by_option) and "sentinel" in asked:
        raise ConfigurationError(_WITHOUT_SENTINELS[option], key=key)
    return by_class or bool(by_option)


def _of_client(options: Mapping[str, object], named: object, key: str) -> tuple[object, str]:
    """Return the factory of the user's own client, if no factory is named or the client is named as the factory."""
    client, key = (options.get("CLIENT_CLASS"), _CLIENT) if named is None else (named, key)
    own = _own(client, key)
    return (named, key) if own is None else (getattr(own, "CONNECTION_FACTORY_PATH", None), key)


def _own(reference: object, key: str) -> type[Any] | None:
    """Return the class if it is the user's own. The path of a built-in class is not imported."""
    if reference is None or (isinstance(reference, str) and not is_foreign(reference)):
        return None
    found = classes.load(reference, key)
    other_libraries.refuse_in("CONNECTION_FACTORY", found, key)
    return found if isinstance(found, type) and is_foreign(found) else None


def _check_factory(wanted: Topology, kind: Kind | None) -> None:
    """Raise for the user's own factory if it does not fit the topology."""
    asked = "sentinel" if wanted.sentinel else "cluster" if wanted.cluster else "plain"
    if wanted.factory is not None and kind != asked:
        base = {"sentinel": "SentinelConnectionFactory", "cluster": "ClusterConnectionFactory"}[asked]
        message = f"connects to single servers, but this alias is on a {asked}; inherit {base}"
        raise ConfigurationError(message.replace("on a sentinel", "on sentinels"), key=wanted.factory_key)


def asks_for_herd(options: Mapping[str, object]) -> bool:
    """Return True if the client class is a herd client.

    Args:
        options: the OPTIONS, without None values.
    """
    reference = options.get("CLIENT_CLASS")
    return reference is not None and any(path in _HERD for path in _lineage(reference, _CLIENT_BASES, _CLIENT))


def prefixes_hashes(options: Mapping[str, object]) -> bool:
    """Return True if keys of hashes get prefix and version: by PREFIX_HASHES, else by the client class.

    Args:
        options: the OPTIONS, without None values.
    """
    # Of django-valkey's clients only HashClient prefixes hashes. Without a client class there are no hashes from
    # django-valkey to stay compatible with.
    if "PREFIX_HASHES" in options:
        return bool(options["PREFIX_HASHES"])
    reference = options.get("CLIENT_CLASS")
    return reference is None or any(path in _HASH for path in _lineage(reference, _CLIENT_BASES, _CLIENT))


def check_pool(options: Mapping[str, object]) -> None:
    """Raise for a pool class without Sentinel discovery.

    Args:
        options: the OPTIONS of an alias on sentinels.
    """
    if _kind(options.get("CONNECTION_POOL_CLASS"), _POOLS, _POOL, "plain") == "plain":
        cure = "With Sentinel write 'valkey.sentinel.SentinelConnectionPool', or leave it out"
        raise ConfigurationError(f"{_DOCUMENTED} {cure}", key=_POOL)


def check_unused(options: Mapping[str, object]) -> None:
    """Raise for SENTINELS or SENTINEL_KWARGS without Sentinel.

    Args:
        options: the OPTIONS of an alias without Sentinel.
    """
    for name in ("SENTINELS", "SENTINEL_KWARGS"):
        if options.get(name):
            cure = (
                "set OPTIONS['CLIENT_CLASS'] = 'django_valkey.client.SentinelClient' or "
                f"OPTIONS['CONNECTION_FACTORY'] = 'django_valkey.pool.SentinelConnectionFactory', or leave {name} out"
            )
            raise ConfigurationError(
                f"has no effect: no class of this alias selects Sentinel; {cure}", key=f"OPTIONS[{name!r}]"
            )


def is_blocking(options: Mapping[str, object]) -> bool:
    """Return True if the entry names valkey-py's BlockingConnectionPool, which has its own default size."""
    path = _path(options.get("CONNECTION_POOL_CLASS"))
    return path.endswith(".BlockingConnectionPool") and not is_foreign(path)


def _kind(reference: object, known: Mapping[str, Kind], key: str, other: Kind | None = None) -> Kind | None:
    """Return the topology of a built-in class, or of a class that inherits from one at any depth.

    Args:
        reference: a dotted path or a class.
        known: the topologies of the built-in classes, by path.
        key: the setting that names the class, for the error.
        other: the topology of a class without a known ancestor; None rejects it.
    """
    if reference is None:
        return None
    kinds = [known[path] for path in _lineage(reference, known, key) if path in known]
    if not kinds and other is None:
        bases = " or ".join(sorted({path.rpartition(".")[2] for path in known}))
        raise ConfigurationError(f"{_path(reference)!r} must inherit {bases}", key=key)
    # A sentinel or cluster class also inherits from plain ones, so any other kind takes precedence.
    return next((kind for kind in kinds if kind != "plain"), kinds[0] if kinds else other)


def _lineage(reference: object, known: Mapping[str, Kind], key: str) -> tuple[str, ...]:
    """Return the dotted paths of a class and its ancestors; a known path alone, without importing it."""
    if not isinstance(reference, str | type):
        raise ConfigurationError(f"must be a dotted path or a class, not {type(reference).__name__}", key=key)
    path = _path(reference)
    # Built-in classes are known by path: importing django_valkey here would need Django.
    if path in known:
        return (path,)
    try:
        found = classes.load(reference, key)
    except ConfigurationError as error:
        near = hint(path, known)  # a suggestion for the whole path beats one for a name in the module
        reason = f"{error.reason.partition('; did you mean')[0]}{near}" if near else error.reason
        raise ConfigurationError(reason, key=key) from error
    if not isinstance(found, type):
        raise ConfigurationError(f"must name a class, not {type(found).__name__}", key=key)
    return tuple(map(_path, found.__mro__))


def _path(reference: object) -> str:
    if isinstance(reference, type):
        return f"{reference.__module__}.{reference.__qualname__}"
    return str(reference).strip()
