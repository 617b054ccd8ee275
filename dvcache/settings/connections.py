"""The connection arguments of a CACHES entry: those of the OPTIONS, of each URL of LOCATION and of the sentinels."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from dvcache.errors import ConfigurationError
from dvcache.settings.class_paths import TopologyKind
from dvcache.settings.classes import References
from dvcache.settings.components import provider
from dvcache.settings.connection_arguments import UNREADABLE, accepted, contradictions, typed
from dvcache.settings.custom_pools import CARRIERS, PACKERS
from dvcache.settings.faults import Faults
from dvcache.settings.location import KEY, Url, split
from dvcache.types import Scheme

SENTINEL_KWARGS: Final = "OPTIONS['SENTINEL_KWARGS']"
OF_SENTINEL: Final = "min_other_sentinels"
"""Argument of valkey-py's `Sentinel` itself, besides those of its connections."""
_POOL_KWARGS: Final = "OPTIONS['CONNECTION_POOL_KWARGS']"
_CLIENT_KWARGS: Final = "OPTIONS['BASE_CLIENT_KWARGS']"
_CHECK_HOSTNAME: Final = "OPTIONS['TLS_CHECK_HOSTNAME']"
_OF_CLIENTS: Final = {
    *("username", "password", "credential_provider", "socket_timeout", "socket_connect_timeout", "socket_keepalive"),
    *("socket_keepalive_options", "health_check_interval", "client_name", "max_connections", "protocol"),
}
"""Connection arguments that a `ValkeyCluster` passes on to its nodes, besides those of TLS."""
_BLOCKING: Final = {"max_connections": 50}
"""Default size of valkey-py's BlockingConnectionPool."""
_IN_CLEAR: Final = frozenset({"valkey", "unix"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Url):
    """One URL of LOCATION with all its connection arguments, in their types."""

    is_master: bool | None
    """True for a primary, False for a replica, None if not given."""


def connections(
    urls: Sequence[Url],
    options: Mapping[str, Any],
    classes: References,
    kind: TopologyKind | None,
    faults: Faults,
) -> tuple[list[Location], dict[str, object], dict[str, object]]:
    """Return the URLs with all their arguments, the arguments of the options alone, and those of the sentinels."""
    # In a django-valkey cluster BASE_CLIENT_KWARGS is the only place for connection arguments.
    of_client = options.get("BASE_CLIENT_KWARGS", {}) if kind == "cluster" else {}
    of_pool = options.get("CONNECTION_POOL_KWARGS", {})
    of_sentinels = options.get("SENTINEL_KWARGS", {}) if kind in {"sentinel", None} else {}
    faults.extend([*_in_upper_case(of_client, _CLIENT_KWARGS), *_in_upper_case(of_pool, _POOL_KWARGS)])
    receives = classes.own_pool or classes.own_factory or classes.connection
    others = {name for name in of_pool if receives and name not in accepted()}
    apart = {name: of_pool[name] for name in of_pool if name in PACKERS | others and of_pool[name] is not None}
    named = ("USERNAME", "PASSWORD", "SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT")
    groups: list[tuple[Mapping[str, Any], str]] = [
        (
            {name: value for name, value in of_client.items() if name in _OF_CLIENTS or name.startswith("ssl")},
            _CLIENT_KWARGS,
        ),
        ({name: value for name, value in of_pool.items() if not _is_apart(name, others)}, _POOL_KWARGS),
        ({name: value for name, value in of_sentinels.items() if name != OF_SENTINEL}, SENTINEL_KWARGS),
        *[({name.lower(): options[name]}, f"OPTIONS[{name!r}]") for name in named if options.get(name)],
    ]
    count = len(groups)
    groups += [(each.arguments, KEY) for each in urls]
    read_groups = [typed(arguments, key, faults) for arguments, key in groups]
    (client, pool, watching, *own), written = read_groups[:count], read_groups[count:]
    given = _with_provider(client, options, _CLIENT_KWARGS, faults)
    for each in own:
        given |= each
    if "CREDENTIAL_PROVIDER" in options:
        credentials = {"credential_provider": options["CREDENTIAL_PROVIDER"]}
        given |= _with_provider(credentials, options, "OPTIONS['CREDENTIAL_PROVIDER']", faults)
    blocking = classes.pool is not None and classes.pool.path.endswith(".BlockingConnectionPool")
    given |= _BLOCKING if blocking and not classes.own_pool else {}
    given |= _with_provider(pool, options, _POOL_KWARGS, faults) | apart
    watching = with_key(_with_provider(watching, {}, SENTINEL_KWARGS, faults))
    read = [merged(each, arguments, given, faults) for each, arguments in zip(urls, written, strict=True)]
    _check(read, given, watching, faults)
    return read, given, watching


def _check(
    read: Sequence[Location], given: Mapping[str, object], watching: Mapping[str, object], faults: Faults
) -> None:
    """Add a fault for each contradiction between the arguments of one connection."""
    # memory:// and embedded:// ignore TLS arguments, which a test may keep from production.
    checks = [
        (each.arguments, KEY, each.scheme not in _IN_CLEAR, f"write valkeys:// instead of {each.scheme}://")
        for each in read
    ]
    checks += [(watching, SENTINEL_KWARGS, bool(watching.get("ssl")), "write 'ssl': True as well")]
    # Without a readable URL, the options may still contradict each other.
    checks += [] if read else [(given, _POOL_KWARGS, True, "")]
    found = [contradictions(arguments, key, tls=is_tls, cure=cure) for arguments, key, is_tls, cure in checks]
    faults.extend(chain(*found))


def _is_apart(name: str, others: set[str]) -> bool:
    """Return True for an argument that is not one of a connection, or is told already."""
    return name in CARRIERS or name in others or (name not in accepted() and str(name).lower() in accepted())


def _in_upper_case(arguments: Mapping[Any, object], key: str) -> Iterator[ConfigurationError]:
    """Yield a fault for each connection argument that is not in lower case."""
    for name in arguments:
        if isinstance(name, str) and name not in accepted() and name.lower() in accepted():
            yield ConfigurationError(f"there is no argument {name!r}; did you mean {name.lower()}?", key=key)


def _with_provider(
    arguments: Mapping[str, object], options: Mapping[str, object], key: str, faults: Faults
) -> dict[str, object]:
    """Return connection arguments with their credential provider built; add a fault for a wrong one."""
    made = dict(arguments)
    named = made.pop("credential_provider", None)
    if named is not None:
        try:
            made["credential_provider"] = provider(named, options, key)
        except ConfigurationError as error:
            faults.append(error)
    return made


def with_key(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments with `ssl_keyfile` set to `ssl_certfile` if only the certificate is given."""
    # `ssl` and valkey-py's sync connection read the key from the certificate file themselves; valkey-py's async
    # connection sends no client certificate unless a key file is named.
    certificate = arguments.get("ssl_certfile")
    keyed = arguments if certificate is None else {"ssl_keyfile": certificate, **arguments}
    return dict(keyed)


def of_service(url: str) -> Location:
    """Parse the URL of a Sentinel service.

    Raises:
        ConfigurationError: the URL or one of its arguments is wrong.
    """
    faults = Faults()
    found = [
        merged(each, typed(each.arguments, KEY, faults), {}, faults) for each in split((url,), faults, of_service=True)
    ]
    if faults:
        raise faults[0]
    return found[0]


def merged(url: Url, written: Mapping[str, object], given: Mapping[str, object], faults: Faults) -> Location:
    """Return a URL with all its arguments: those written in it take precedence over those given by the options."""
    faults.extend(_contradictions(url.scheme, given, written))
    arguments: dict[str, Any] = with_key({**given, **written})
    scheme: Scheme = "valkeys" if arguments.pop("ssl", False) and url.scheme == "valkey" else url.scheme
    if re.search(r"[\s,;/\\]", str(arguments.get("host", ""))):
        faults.add(f"the host of the URL {UNREADABLE}", KEY)
    if scheme == "embedded":
        from dvcache.pools.embedded.shared import check_embeddable  # noqa: PLC0415  # slow import

        try:
            check_embeddable()
        except ConfigurationError as error:
            faults.append(error)
    role = arguments.pop("is_master", None)
    return Location(scheme=scheme, name=url.name, port=url.port, arguments=arguments, url=url.url, is_master=role)


def _contradictions(
    scheme: Scheme, given: Mapping[str, object], written: Mapping[str, object]
) -> Iterator[ConfigurationError]:
    """Yield a fault for each argument from OPTIONS that names another server or database than the URL."""
    if scheme in {"memory", "embedded"}:  # a test may replace only LOCATION and keep the options for production
        return
    without_effect = {"host", "port", "ssl"} if scheme == "unix" else {"path"}
    for name in ("host", "port", "path", "db", "ssl"):
        value = given.get(name)
        if value and (name in without_effect or written.get(name, value) != value):
            message = f"{name} contradicts LOCATION, which is {scheme}://; write it in the URL, or leave it out"
            yield ConfigurationError(message, key=_POOL_KWARGS)


def check_hosts(
    read: Sequence[Location], watching: Mapping[str, object], faults: Faults, *, wanted: bool
) -> tuple[list[Location], dict[str, object]]:
    """Return the URLs and the arguments of the sentinels with TLS_CHECK_HOSTNAME applied, if nothing contradicts it."""
    checked = {"ssl_check_hostname": wanted}
    if wanted and not watching.get("ssl") and any(each.scheme != "valkeys" for each in read):
        faults.add("needs TLS: write valkeys:// instead of valkey:// in LOCATION", _CHECK_HOSTNAME)
    secured = [each.arguments for each in read if each.scheme == "valkeys"]
    for arguments in (*secured, *([watching] if watching.get("ssl") else [])):
        if bool(arguments.get("ssl_check_hostname", wanted)) is not wanted:
            faults.add("contradicts ssl_check_hostname; leave that out", _CHECK_HOSTNAME)
        verified = {"ssl_cert_reqs": arguments.get("ssl_cert_reqs"), **checked}
        faults.extend(contradictions(verified, _CHECK_HOSTNAME, tls=True))
    nodes = [
        replace(each, arguments={**each.arguments, **checked}) if each.scheme == "valkeys" else each for each in read
    ]
    return nodes, {**watching, **(checked if watching.get("ssl") else {})}
