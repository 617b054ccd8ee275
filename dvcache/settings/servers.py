"""The servers of a CACHES entry and their roles, primary or replica.

LOCATION is `[primary, replica, …]`; `is_master` in a URL's query sets the role of that URL.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Final

from dvcache.errors import ConfigurationError, ConfigurationWarning
from dvcache.settings import classes, custom_pools, misplaced_arguments, tls
from dvcache.settings import location as location_setting
from dvcache.settings.address_remap import remap
from dvcache.settings.connection_arguments import accepted, typed
from dvcache.settings.ineffective_arguments import ineffective
from dvcache.settings.location import Location
from dvcache.settings.sentinels import sentinels
from dvcache.settings.topology import GLOBAL_FACTORY, Topology, check_pool, check_unused, is_blocking, topology
from dvcache.types import Endpoint, Role

_POOL_KWARGS: Final = "OPTIONS['CONNECTION_POOL_KWARGS']"
_OF_CLIENTS: Final = {
    *("username", "password", "credential_provider", "socket_timeout", "socket_connect_timeout", "socket_keepalive"),
    *("socket_keepalive_options", "health_check_interval", "client_name", "max_connections", "protocol"),
}
"""Connection arguments that a `ValkeyCluster` passes on to its nodes, besides those of TLS."""

_BLOCKING: Final = {"max_connections": 50}
"""Default size of valkey-py's BlockingConnectionPool."""


def of_entry(
    location: object, options: Mapping[str, Any], alias: str, factory: object, client: object = None
) -> dict[str, Any]:
    """Return the fields of `Settings` for the servers and their roles.

    Args:
        location: the LOCATION.
        options: the OPTIONS, without None values.
        alias: the name of the entry in CACHES.
        factory: the global connection factory, used if the options name none.
        client: the client class, used if the options name none.

    Raises:
        ConfigurationError: a URL, a connection argument or the topology is wrong.
    """
    urls = location_setting.urls(location)
    wanted = topology(options, factory, client)
    if wanted.factory is None:  # the user's own factory may read them
        misplaced_arguments.refuse_in_options(options)
    if wanted.misplaced:
        _warn(f"{_where(wanted.misplaced, alias)} names a client class; the connection factory of that client was used")
    made = _endpoint_of(wanted, options, alias)
    given = (_of_client(options) if wanted.cluster else {}) | _connection(
        options, more=custom_pools.is_own(options, wanted)
    )
    read = [location_setting.read(url, given, of_service=wanted.sentinel) for url in urls]
    _warn_of_ineffective(made(read[0], "primary"), read, options, alias, cluster=wanted.cluster)
    if wanted.cluster:
        return _seeds([made(each, "primary") for each in read], read, options, alias)
    if wanted.sharded:
        return _shards([made(each, "primary") for each in read], read, options, alias)
    # A single URL with a sentinel client: writes go to the primary of the service, reads to its replicas.
    if wanted.makes_pairs and isinstance(location, str) and len(read) == 1:
        if read[0].is_master is not None:
            ignored = "is_master was ignored; a single URL means the primary and the replicas of the service"
            _warn(f"CACHES[{alias!r}]: LOCATION: {ignored}")
        read = [replace(read[0], is_master=role) for role in (True, False)]
    if isinstance(location, AbstractSet) and len(read) > 1:
        raise ConfigurationError("a set has no order; write a list: [primary, replica, …]", key="LOCATION")
    roles = _roles_of_services(read) if wanted.sentinel else _roles_of_servers(read)
    arranged = _arranged([made(each, role) for each, role in zip(read, roles, strict=True)])
    if options.get("READ_FROM") == "replica" and len(arranged["endpoints"]) == 1:
        _warn(f"CACHES[{alias!r}]: OPTIONS['READ_FROM'] has no effect; LOCATION names no replica")
    return arranged | _routing(options, read_only=arranged["read_only"])


def _warn_of_ineffective(
    made: Endpoint, read: Sequence[Location], options: Mapping[str, Any], alias: str, *, cluster: bool
) -> None:
    """Warn of connection arguments without effect, unless a class of the user's own receives them."""
    if made.driver is None:
        given = {name: value for each in read for name, value in each.arguments.items()}
        given |= {
            name: value for name, value in options.get("CONNECTION_POOL_KWARGS", {}).items() if name == "queue_class"
        }
        for said in ineffective(given):
            _warn(f"CACHES[{alias!r}]: {said}")
    if cluster:
        for said in ineffective(options.get("BASE_CLIENT_KWARGS", {}), cluster=True):
            _warn(f"CACHES[{alias!r}]: OPTIONS['BASE_CLIENT_KWARGS']: {said}")
    for said in ineffective(options.get("SENTINEL_KWARGS", {})):
        _warn(f"CACHES[{alias!r}]: OPTIONS['SENTINEL_KWARGS']: {said}")


def _seeds(
    made: Sequence[Endpoint], read: Sequence[Location], options: Mapping[str, Any], alias: str
) -> dict[str, Any]:
    """Return the fields of a cluster: LOCATION lists some of its nodes, in any order and of any role."""
    for each in read:
        if each.scheme in {"unix", "embedded"}:
            message = (
                f"{each.scheme}:// cannot reach a cluster; write URLs of its nodes, as in 'valkey://10.0.0.1:6379'"
            )
            raise ConfigurationError(message, key="LOCATION")
        if each.is_master is not None:
            message = "is_master has no effect in a cluster; leave it out, and see OPTIONS['READ_FROM'] for replicas"
            raise ConfigurationError(message, key="LOCATION")
    # The cluster announces only addresses, so discovered nodes get all other arguments from the seed nodes.
    if len({replace(each, host="", port=0) for each in made}) > 1:
        message = "the URLs of a cluster's nodes differ; write the same scheme, database and credentials in each URL"
        raise ConfigurationError(message, key="LOCATION")
    if not options.get("REPLICA_READ_ONLY", True):
        _warn(f"CACHES[{alias!r}]: OPTIONS['REPLICA_READ_ONLY'] has no effect; replicas of a cluster accept no writes")
    seeds = dict.fromkeys(replace(each, in_cluster=True) for each in made)
    read_from = "replica" if options.get("BASE_CLIENT_KWARGS", {}).get("read_from_replicas") else "primary"
    return {"endpoints": tuple(seeds), "cluster": True, "read_from": options.get("READ_FROM", read_from)}


def _shards(
    made: Sequence[Endpoint], read: Sequence[Location], options: Mapping[str, Any], alias: str
) -> dict[str, Any]:
    """Return the fields of shards; each URL in LOCATION is the shard's name on the hash ring."""
    if any(each.is_master is not None for each in read):
        message = "is_master has no effect on shards, which have no replicas; leave it out"
        raise ConfigurationError(message, key="LOCATION")
    # A database listed twice would hold two shares of the keys and be scanned twice.
    servers = [(each.scheme, each.host, each.port, each.path, each.db) for each in made]
    for n, server in enumerate(servers):
        if server in servers[:n]:
            message = f"the URLs {servers.index(server) + 1} and {n + 1} name the same database; write each shard once"
            raise ConfigurationError(message, key="LOCATION")
    for name in ("READ_FROM", "REPLICA_READ_ONLY"):
        if name in options:
            _warn(f"CACHES[{alias!r}]: OPTIONS[{name!r}] has no effect; shards have no replicas")
    # The ring does not depend on the order of shards, but the cursor of a SCAN over all shards holds a shard's index,
    # and LOCATION may be a set, whose order differs between processes.
    named = dict(sorted((each.url, endpoint) for each, endpoint in zip(read, made, strict=True)))
    return {"endpoints": tuple(named.values()), "shards": tuple(named)}


def _endpoint_of(wanted: Topology, options: Mapping[str, Any], alias: str) -> Callable[[Location, Role], Endpoint]:
    driver = custom_pools.of_entry(options, wanted)
    announced = remap(options)
    if announced is not None and not (wanted.sentinel or wanted.cluster):
        if "ADDRESS_REMAP" in options:
            message = "has no effect: only sentinels and clusters announce addresses; leave it out"
            raise ConfigurationError(message, key="OPTIONS['ADDRESS_REMAP']")
        announced = None

    def finished(endpoint: Endpoint, location: Location) -> Endpoint:
        checked = tls.checked_hosts(endpoint, wanted=options.get("TLS_CHECK_HOSTNAME"))
        return replace(checked, driver=driver(location), remap=announced)

    if not wanted.sentinel:
        check_unused(options)
        return lambda location, role: finished(location.endpoint(alias, role), location)
    try:
        found = sentinels(options)
        check_pool(options)
    except ConfigurationError as error:
        raise _for_plain(error, wanted) from None

    def service(location: Location, role: Role) -> Endpoint:
        try:
            return finished(found.endpoint(location, alias, role), location)
        except ConfigurationError as error:
            raise _for_plain(error, wanted) from None

    return service


def _for_plain(error: ConfigurationError, wanted: Topology) -> ConfigurationError:
    """Return the error, with a second cure if only the global connection factory selects Sentinel."""
    if not wanted.by_global_factory:
        return error
    cure = "set OPTIONS['CONNECTION_FACTORY'] = 'django_valkey.pool.ConnectionFactory'"
    why = "the global connection factory selects Sentinel"
    return ConfigurationError(f"{error.reason} ({why}; if this alias is a single server, {cure})", key=error.key)


def _connection(options: Mapping[str, Any], *, more: bool) -> dict[str, object]:
    """Return the connection arguments of the options; with `more` also those unknown to valkey-py."""
    arguments: dict[str, object] = {}
    for name in ("USERNAME", "PASSWORD", "SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"):
        if options.get(name):
            arguments |= typed({name.lower(): options[name]}, f"OPTIONS[{name!r}]")
    if "CREDENTIAL_PROVIDER" in options:
        key = "OPTIONS['CREDENTIAL_PROVIDER']"
        arguments["credential_provider"] = classes.provider(options["CREDENTIAL_PROVIDER"], options, key)
    blocking = _BLOCKING if is_blocking(options) else {}
    of_pool = _of_pool(options.get("CONNECTION_POOL_KWARGS", {}), more=more)
    return arguments | blocking | classes.with_provider(of_pool, options, _POOL_KWARGS)


def _of_client(options: Mapping[str, Any]) -> dict[str, object]:
    """Return the connection arguments in BASE_CLIENT_KWARGS, the only place for them in a django-valkey cluster."""
    kwargs = options.get("BASE_CLIENT_KWARGS", {})
    taken = {name for name in accepted() if name in _OF_CLIENTS or name.startswith("ssl")}
    misplaced_arguments.refuse_case(kwargs, "OPTIONS['BASE_CLIENT_KWARGS']")
    key = "OPTIONS['BASE_CLIENT_KWARGS']"
    known = typed({name: value for name, value in kwargs.items() if name in taken}, key)
    return classes.with_provider(known, options, key)


def _of_pool(kwargs: Mapping[str, Any], *, more: bool) -> dict[str, object]:
    misplaced_arguments.refuse_case(kwargs, _POOL_KWARGS)
    others = {name: value for name, value in kwargs.items() if more and name not in accepted()}
    objects = {name: value for name, value in kwargs.items() if name in custom_pools.PACKERS and value is not None}
    apart = {*custom_pools.CARRIERS, *others}
    known = {name: value for name, value in kwargs.items() if name not in apart}
    return typed(known, _POOL_KWARGS) | others | objects


def _roles_of_services(read: Sequence[Location]) -> list[Role]:
    return ["replica" if each.is_master is False else "primary" for each in read]


def _roles_of_servers(read: Sequence[Location]) -> list[Role]:
    """Return the role of each server: without an `is_master=1`, the first server without a role is the primary."""
    alone = next((each.scheme for each in read if each.scheme in {"memory", "embedded"}), None)
    if alone and len(read) > 1:
        raise ConfigurationError(f"{alone}:// has no replicas; write it as the only URL", key="LOCATION")
    said = [each.is_master for each in read]
    if True not in said:
        if None not in said:
            message = "names only replicas; list the primary too: [primary, replica, …]"
            raise ConfigurationError(message, key="LOCATION")
        said[said.index(None)] = True
    return ["primary" if each else "replica" for each in said]


def _arranged(endpoints: list[Endpoint]) -> dict[str, Any]:
    """Return the endpoints with the primary first; without a primary the alias is read-only."""
    writer = next((each for each in endpoints if each.role == "primary"), None)
    primary = writer or replace(endpoints[0], role="primary")
    return {"endpoints": tuple(dict.fromkeys([primary, *endpoints])), "read_only": writer is None}


def _routing(options: Mapping[str, Any], *, read_only: bool) -> dict[str, Any]:
    routing = {
        "read_from": options.get("READ_FROM", "replica"),
        "write_anywhere": not options.get("REPLICA_READ_ONLY", True),
    }
    if read_only and (routing["write_anywhere"] or routing["read_from"] == "primary"):
        name = "REPLICA_READ_ONLY" if routing["write_anywhere"] else "READ_FROM"
        message = "contradicts LOCATION, which names only replicas and makes the alias read-only; leave it out"
        raise ConfigurationError(message, key=f"OPTIONS[{name!r}]")
    return routing


def _where(key: str, alias: str) -> str:
    if key == GLOBAL_FACTORY:
        return "connection_factory (in Django: DJANGO_VALKEY_CONNECTION_FACTORY)"
    return f"CACHES[{alias!r}]: {key}"


def _warn(message: str) -> None:
    warnings.warn(message, ConfigurationWarning, stacklevel=5)
