"""The topology that a CACHES entry asks for, by the classes that it names: plain servers, sentinels, a cluster, shards.

Under its own dotted path or as an object, in either colour: a class that is named under the other one means its twin.
A class of the user's own asks for what its nearest ancestor among the built-in ones does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal, TypeAlias

from dvcache.errors import ConfigurationError
from dvcache.settings import components, other_libraries
from dvcache.settings.names import is_foreign
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
"""Of which one that is named where a factory belongs means its own factory."""

_CLIENT_BASES: Final[Mapping[str, Kind]] = {**_CLIENTS, **_paths("plain", "django_valkey.base_client", "BaseClient")}
"""What a client of the user's own may inherit."""

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
"""The key that errors give to the factory for every alias."""

_CLIENT: Final = "OPTIONS['CLIENT_CLASS']"
_POOL: Final = "OPTIONS['CONNECTION_POOL_CLASS']"
_WITHOUT_SENTINELS: Final[Mapping[str, str]] = {
    "CLUSTER": "a cluster needs no sentinels; set OPTIONS['CONNECTION_FACTORY'] ="
    " 'django_valkey.cluster_cache.pool.ClusterConnectionFactory', and name no class of Sentinel",
    "SHARDED": "of shards each is one server, and no service of sentinels; set OPTIONS['CONNECTION_FACTORY'] ="
    " 'django_valkey.pool.ConnectionFactory', and name no class of Sentinel",
}
_DOCUMENTED: Final = (
    "Settings DJANGO_VALKEY_CONNECTION_FACTORY or CACHE[].OPTIONS.CONNECTION_POOL_CLASS is not configured correctly."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """What the classes of an entry ask for."""

    sentinel: bool
    cluster: bool
    sharded: bool
    makes_pairs: bool
    """A single URL means the service's primary and its replicas."""
    by_global_factory: bool
    """Sentinel is asked for by nothing but the factory for every alias."""
    misplaced: str
    """The key where a client is named instead of a factory; empty if there is none."""
    factory: type[Any] | None
    """The connection factory in effect, if it is a class of the user's."""
    factory_key: str
    """The key that names the factory in effect."""


def topology(options: Mapping[str, object], connection_factory: object = None, client_class: object = None) -> Topology:
    """Return what the classes of an entry ask for.

    Args:
        options: the OPTIONS, without those that are None.
        connection_factory: the factory for every alias that names none itself.
        client_class: the client of an entry that names none itself; one for a cluster means a cluster in any case.

    Raises:
        ConfigurationError: a class inherits none of those that say which topology is meant, or classes contradict
            each other.
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
        message = "a cluster deals its keys out itself, and takes no shards; ask for one of both"
        raise ConfigurationError(message, key="OPTIONS['SHARDED']")
    return wanted


def _asks(options: Mapping[str, object], asked: Collection[Kind | None], kind: Literal["cluster", "sharded"]) -> bool:
    """Say whether a cluster, or shards, are asked for, by the option or by a class."""
    option = kind.upper()
    by_class, by_option, key = kind in asked, options.get(option), f"OPTIONS[{option!r}]"
    if by_class and by_option is not None and not by_option:
        meant = "a cluster" if kind == "cluster" else "shards"
        raise ConfigurationError(f"False contradicts the classes of {meant}; leave it out", key=key)
    if (by_class or by_option) and "sentinel" in asked:
        raise ConfigurationError(_WITHOUT_SENTINELS[option], key=key)
    return by_class or bool(by_option)


def _of_client(options: Mapping[str, object], named: object, key: str) -> tuple[object, str]:
    """Return the factory of a client of the user's, where no factory is named or that client is named as one."""
    client, key = (options.get("CLIENT_CLASS"), _CLIENT) if named is None else (named, key)
    own = _own(client, key)
    return (named, key) if own is None else (getattr(own, "CONNECTION_FACTORY_PATH", None), key)


def _own(reference: object, key: str) -> type[Any] | None:
    """Return the class if it is the user's own; a path to one of ours is not followed."""
    if reference is None or (isinstance(reference, str) and not is_foreign(reference)):
        return None
    found = components.load(reference, key)
    other_libraries.refuse_in("CONNECTION_FACTORY", found, key)
    return found if isinstance(found, type) and is_foreign(found) else None


def _check_factory(wanted: Topology, kind: Kind | None) -> None:
    """Raise for a factory of the user's that cannot serve the topology."""
    asked = "sentinel" if wanted.sentinel else "cluster" if wanted.cluster else "plain"
    if wanted.factory is not None and kind != asked:
        base = {"sentinel": "SentinelConnectionFactory", "cluster": "ClusterConnectionFactory"}[asked]
        message = f"serves single servers, and this alias is on a {asked}; inherit {base}"
        raise ConfigurationError(message.replace("on a sentinel", "on sentinels"), key=wanted.factory_key)


def asks_for_herd(options: Mapping[str, object]) -> bool:
    """Say whether the class of the client asks for the herd policy.

    Args:
        options: the OPTIONS, without those that are None.
    """
    reference = options.get("CLIENT_CLASS")
    return reference is not None and any(path in _HERD for path in _lineage(reference, _CLIENT_BASES, _CLIENT))


def prefixes_hashes(options: Mapping[str, object]) -> bool:
    """Say whether hashes are named as other entries are: by PREFIX_HASHES, else by the class of the client.

    Of django-valkey's clients only HashClient names them so, and where no client is named there are no older hashes.

    Args:
        options: the OPTIONS, without those that are None.
    """
    if "PREFIX_HASHES" in options:
        return bool(options["PREFIX_HASHES"])
    reference = options.get("CLIENT_CLASS")
    return reference is None or any(path in _HASH for path in _lineage(reference, _CLIENT_BASES, _CLIENT))


def check_pool(options: Mapping[str, object]) -> None:
    """Raise for a pool class that asks no sentinel.

    Args:
        options: the OPTIONS of an alias on sentinels.
    """
    if _kind(options.get("CONNECTION_POOL_CLASS"), _POOLS, _POOL, "plain") == "plain":
        cure = "Under Sentinel write 'valkey.sentinel.SentinelConnectionPool', or leave it out"
        raise ConfigurationError(f"{_DOCUMENTED} {cure}", key=_POOL)


def check_unused(options: Mapping[str, object]) -> None:
    """Raise for sentinels that nothing asks.

    Args:
        options: the OPTIONS of an alias without Sentinel.
    """
    for name in ("SENTINELS", "SENTINEL_KWARGS"):
        if options.get(name):
            cure = (
                "set OPTIONS['CLIENT_CLASS'] = 'django_valkey.client.SentinelClient' or "
                f"OPTIONS['CONNECTION_FACTORY'] = 'django_valkey.pool.SentinelConnectionFactory', or leave {name} out"
            )
            raise ConfigurationError(f"nothing asks the sentinels; {cure}", key=f"OPTIONS[{name!r}]")


def is_blocking(options: Mapping[str, object]) -> bool:
    """Say whether the entry asks for valkey-py's BlockingConnectionPool, which has bounds of its own."""
    path = _path(options.get("CONNECTION_POOL_CLASS"))
    return path.endswith(".BlockingConnectionPool") and not is_foreign(path)


def _kind(reference: object, known: Mapping[str, Kind], key: str, other: Kind | None = None) -> Kind | None:
    """Return what a class asks for: a built-in one, or one that inherits from it, in however many steps.

    Args:
        reference: a dotted path or a class.
        known: the built-in classes.
        key: the setting that names the class, for the error.
        other: what a class asks for that inherits none of them; None refuses it.
    """
    if reference is None:
        return None
    kinds = [known[path] for path in _lineage(reference, known, key) if path in known]
    if not kinds and other is None:
        bases = " or ".join(sorted({path.rpartition(".")[2] for path in known}))
        raise ConfigurationError(f"{_path(reference)!r} must inherit {bases}", key=key)
    return next((kind for kind in kinds if kind != "plain"), kinds[0] if kinds else other)


def _lineage(reference: object, known: Mapping[str, Kind], key: str) -> tuple[str, ...]:
    """Return the dotted paths of a class and its ancestors; of a built-in one its own, and nothing is imported."""
    if not isinstance(reference, str | type):
        raise ConfigurationError(f"must be a dotted path or a class, not {type(reference).__name__}", key=key)
    path = _path(reference)
    if path in known:
        return (path,)
    try:
        found = components.load(reference, key)
    except ConfigurationError as error:
        near = hint(path, known)  # the whole path, rather than what the module has
        reason = f"{error.reason.partition('; did you mean')[0]}{near}" if near else error.reason
        raise ConfigurationError(reason, key=key) from error
    if not isinstance(found, type):
        raise ConfigurationError(f"must name a class, not {type(found).__name__}", key=key)
    return tuple(map(_path, found.__mro__))


def _path(reference: object) -> str:
    if isinstance(reference, type):
        return f"{reference.__module__}.{reference.__qualname__}"
    return str(reference).strip()
