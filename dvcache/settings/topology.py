"""The topology of a CACHES entry, a decision on its options and the records of its classes.

Sync or async does not change the topology. A class of the user's own has the topology of its nearest built-in ancestor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from dvcache.errors import ConfigurationError
from dvcache.settings.class_paths import ClassPaths, TopologyKind
from dvcache.settings.classes import GLOBAL_FACTORY, ClassRecord, References
from dvcache.settings.faults import Faults

_SELECTING: Final = frozenset(
    {
        *("OPTIONS", GLOBAL_FACTORY, "OPTIONS['CLIENT_CLASS']", "OPTIONS['CONNECTION_FACTORY']"),
        *("OPTIONS['CONNECTION_POOL_CLASS']", "OPTIONS['CLUSTER']", "OPTIONS['SHARDED']"),
    }
)
"""Keys of settings that select the topology."""
_WITHOUT_DOUBT: Final = frozenset({"OPTIONS['CONNECTION_POOL_CLASS']", "OPTIONS['SENTINEL_KWARGS']"})
"""Keys of settings that leave no doubt of the topology if they do not fit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTopology:
    """The topology of an entry, and what its client class asks for besides."""

    kind: TopologyKind | None
    """None if a fault leaves it open."""
    reads_replicas: bool
    """True if a single URL means both the primary and the replicas of a service."""
    ignores_role: bool
    """True if `is_master` of a single URL is ignored."""
    by_global_factory: bool
    """True if only the global connection factory selects Sentinel."""
    herd: bool
    """True if the client class has the herd policy."""
    prefixes_hashes: bool
    """True if keys of hashes get prefix and version."""


def topology(options: Mapping[str, Any], classes: References, faults: Faults) -> ChosenTopology:
    """Return the topology of an entry; add a fault for each contradiction."""
    before = len(faults)
    client, used, pool = _kind(classes.client), _kind(classes.used_factory), _kind(classes.pool)
    used = "plain" if used == "sharded" else used  # a client of shards as the factory means its factory
    asked: set[TopologyKind | None] = {client, used, pool, _kind(classes.default_client)}
    is_certain = classes.is_complete and not [fault for fault in faults if fault.key in _SELECTING]
    # Without any class, SENTINELS alone selects Sentinel. A class that does not use them contradicts them.
    alone = (
        bool(options.get("SENTINELS")) and asked == {None} and not (options.get("CLUSTER") or options.get("SHARDED"))
    )
    sentinel = "sentinel" in asked or alone
    cluster = _asks(options, asked, "cluster", classes.adapter, faults)
    sharded = _asks(options, asked, "sharded", classes.adapter, faults)
    if cluster and sharded:
        message = "contradicts the cluster of this alias, which distributes keys itself; choose one of them"
        faults.add(message, "OPTIONS['SHARDED']")
    kind: TopologyKind = "sentinel" if sentinel else "cluster" if cluster else "sharded" if sharded else "plain"
    of_all = classes.factory is not None and classes.factory.key == GLOBAL_FACTORY
    by_global_factory = of_all and used == "sentinel" and "sentinel" not in {client, pool}
    contradicts = len(faults) > before
    found = _misfits(options, classes, kind, used, pool) if is_certain else Faults()
    faults.extend(for_plain_aliases(found, classes.adapter) if by_global_factory else found)
    known = classes.client.known if classes.client else ()
    hashes = classes.client is None or any(each.hashes for each in known)
    return ChosenTopology(
        kind=kind if is_certain and not contradicts and all(fault.key in _WITHOUT_DOUBT for fault in found) else None,
        reads_replicas=sentinel and (client == "sentinel" or options.get("READ_FROM") == "replica"),
        ignores_role=client == "sentinel",
        by_global_factory=by_global_factory,
        herd=any(each.herd for each in known),
        prefixes_hashes=bool(options.get("PREFIX_HASHES", hashes)),
    )


def _kind(record: ClassRecord | None) -> TopologyKind | None:
    """Return the topology of a class, "plain" for one without a known ancestor."""
    if record is None:
        return None
    # A sentinel or cluster class also inherits from plain ones, so any other kind takes precedence.
    kinds: list[TopologyKind] = [each.topology for each in record.known if each.topology != "plain"]
    return kinds[0] if kinds else "plain"


def _asks(
    options: Mapping[str, Any],
    asked: set[TopologyKind | None],
    kind: Literal["cluster", "sharded"],
    adapter: ClassPaths,
    faults: Faults,
) -> bool:
    """Return True if the option or a class selects this topology."""
    option = kind.upper()
    by_class, by_option, key = kind in asked, options.get(option), f"OPTIONS[{option!r}]"
    if by_class and by_option is not None and not by_option:
        meant = "a cluster" if kind == "cluster" else "shards"
        faults.add(f"False contradicts the classes of {meant}; leave it out", key)
    if (by_class or by_option) and "sentinel" in asked:
        own = adapter.example("factory", "cluster" if kind == "cluster" else "plain")
        cure = f"set OPTIONS['CONNECTION_FACTORY'] = {own!r}, and " if own else ""
        why = {
            "cluster": "a cluster needs no sentinels",
            "sharded": "each shard is a single server, not a service of Sentinel",
        }[kind]
        faults.add(f"{why}; {cure}name no class of Sentinel", key)
    return by_class or bool(by_option)


def _misfits(
    options: Mapping[str, Any],
    classes: References,
    kind: TopologyKind,
    used: TopologyKind | None,
    pool: TopologyKind | None,
) -> Faults:
    """Return a fault for each class and option that does not fit the topology."""
    found = Faults()
    asked = "plain" if kind == "sharded" else kind
    if classes.own_factory is not None and used != asked:
        where, base = {
            "sentinel": ("sentinels", "SentinelConnectionFactory"),
            "cluster": ("a cluster", "ClusterConnectionFactory"),
        }[asked]
        message = f"connects to single servers, but this alias is on {where}; inherit {base}"
        found.add(message, classes.own_factory.key)
    if kind == "sentinel" and pool == "plain":
        cure = "With Sentinel write 'valkey.sentinel.SentinelConnectionPool', or leave it out"
        found.add(f"{classes.adapter.pool_fault} {cure}".strip(), "OPTIONS['CONNECTION_POOL_CLASS']")
    for name in ("SENTINELS", "SENTINEL_KWARGS"):
        if kind != "sentinel" and options.get(name):
            found.add(_unused(name, classes.adapter), f"OPTIONS[{name!r}]")
    return found


def _unused(name: str, adapter: ClassPaths) -> str:
    client, factory = adapter.example("client", "sentinel"), adapter.example("factory", "sentinel")
    cure = "set SENTINELS, without CLUSTER, SHARDED or a class for single servers"
    if client:
        cure = f"set OPTIONS['CLIENT_CLASS'] = {client!r} or OPTIONS['CONNECTION_FACTORY'] = {factory!r}"
    return f"has no effect: no class of this alias selects Sentinel; {cure}, or leave {name} out"


def for_plain_aliases(faults: Iterable[ConfigurationError], adapter: ClassPaths) -> list[ConfigurationError]:
    """Return the faults with a second cure, for an alias on sentinels only by the global connection factory."""
    cure = f"set OPTIONS['CONNECTION_FACTORY'] = {adapter.example('factory', 'plain')!r}"
    why = f"the global connection factory selects Sentinel; if this alias is a single server, {cure}"
    return [ConfigurationError(f"{fault.reason} ({why})", key=fault.key) for fault in faults]
