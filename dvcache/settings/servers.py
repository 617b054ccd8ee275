"""The servers of a CACHES entry: LOCATION and OPTIONS become endpoints."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dvcache.settings import arrangement, custom_pools, deadline, location, sentinels
from dvcache.settings.address_remap import remap
from dvcache.settings.arrangement import PlacedServer
from dvcache.settings.classes import References
from dvcache.settings.connections import Location, check_hosts, connections
from dvcache.settings.faults import Faults
from dvcache.settings.ineffective_arguments import warnings_of
from dvcache.settings.pickling import Arguments
from dvcache.settings.topology import ChosenTopology, for_plain_aliases
from dvcache.types import Address, Endpoint, PoolSource

DEFAULT_TIMEOUT: Final = 5.0
"""Default socket timeout in seconds."""
_FIELDS: Final = frozenset(
    {"host", "port", "path", "db", "max_connections", "socket_timeout", "socket_connect_timeout"}
)
"""Connection arguments that are fields of an endpoint."""


def servers(  # noqa: PLR0917  # the parts of one entry
    written: object,
    options: Mapping[str, Any],
    classes: References,
    wanted: ChosenTopology,
    names: tuple[str, str],
    faults: Faults,
) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of `Settings` for the servers, and warnings; with a fault there are no endpoints.

    `names` are the alias and the name of its settings in messages.
    """
    urls = location.urls(written, faults)
    on_sentinels = wanted.kind == "sentinel"
    split = location.split(urls, faults, of_service=on_sentinels or wanted.kind is None)
    read, given, watching = connections(split, options, classes, wanted.kind, faults)
    watched: tuple[Address, ...] = ()
    if on_sentinels or (wanted.kind is None and "SENTINELS" in options):
        wrong = Faults()
        watched = sentinels.addresses(options.get("SENTINELS"), wrong)
        watching = sentinels.arguments(options.get("SENTINEL_KWARGS", {}), watching, wrong)
        # Without SENTINELS, the alias under a global Sentinel factory is a single server: that is one fault.
        is_service = on_sentinels and (watched or not wanted.by_global_factory)
        wrong += sentinels.misnamed(read) if is_service else []
        faults.extend(for_plain_aliases(wrong, classes.adapter) if wanted.by_global_factory else wrong)
    announced = remap(options, faults, is_used=wanted.kind not in {"plain", "sharded"})
    limit = {}
    if "DEADLINE" in options:
        limit["deadline"] = deadline.seconds(options["DEADLINE"])
        timeouts = [each.arguments for each in read] or [given]
        longest = [each.get("socket_timeout", DEFAULT_TIMEOUT) for each in timeouts]
        faults.extend(deadline.shorter(limit["deadline"], longest))
    if wanted.kind is None:
        return {}, []
    source = custom_pools.source(options, classes, faults, kind=wanted.kind)
    if not read or len(read) < len(urls):
        return {}, []
    found = arrangement.arranged(written, read, options, wanted)
    faults.extend(found.faults)
    read = [each for each, _ in found.servers]
    if "TLS_CHECK_HOSTNAME" in options:
        read, watching = check_hosts(read, watching, faults, wanted=bool(options["TLS_CHECK_HOSTNAME"]))
    sources = custom_pools.of_urls(source, read, faults)
    warned = [*warnings_of(read, options, kind=wanted.kind, carried=source is not None), *found.warned]
    if faults:
        return {}, warned
    alias, where = names
    shared = {
        "alias": alias,
        "where": where,
        "sentinels": watched,
        "in_cluster": wanted.kind == "cluster",
        "remap": announced,
    }
    of_urls = [_fields(each, on_sentinels=on_sentinels) | shared for each in read]
    return {"endpoints": _endpoints(found.servers, read, of_urls, watching, sources), **found.fields, **limit}, warned


def _endpoints(
    servers: Sequence[PlacedServer],
    read: Sequence[Location],
    of_urls: Sequence[Mapping[str, Any]],
    watching: Mapping[str, object],
    sources: Sequence[PoolSource | None],
) -> tuple[Endpoint, ...]:
    others = [{name: value for name, value in each.arguments.items() if name not in _FIELDS} for each in read]
    *of_nodes, of_sentinels = [Arguments(each) for each in (*others, watching)]
    endpoints = [
        Endpoint(**fields, role=role, options=arguments, sentinel_options=of_sentinels, driver=source)
        for (_, role), fields, arguments, source in zip(servers, of_urls, of_nodes, sources, strict=True)
    ]
    return tuple(dict.fromkeys(endpoints))


def _fields(url: Location, *, on_sentinels: bool) -> dict[str, Any]:
    """Return the fields of an endpoint that its URL gives."""
    given = url.arguments
    timeout = given.get("socket_timeout", DEFAULT_TIMEOUT)
    address: dict[str, Any] = {"host": "" if url.scheme in {"memory", "embedded"} else "localhost"}
    address |= {name: given[name] for name in ("host", "port", "path") if name in given}
    return {
        "scheme": url.scheme,
        "db": given.get("db", 0),
        "max_connections": given.get("max_connections") or None,
        "timeout": timeout,
        "connect_timeout": given.get("socket_connect_timeout", timeout),
        **({"host": "", "service": url.name} if on_sentinels else address),
    }
