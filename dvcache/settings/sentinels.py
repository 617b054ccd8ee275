"""Parse SENTINELS and SENTINEL_KWARGS, and the service names in LOCATION."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from dvcache.errors import ConfigurationError
from dvcache.settings import classes
from dvcache.settings.connection_arguments import refuse_together, typed, with_key
from dvcache.settings.location import Location
from dvcache.settings.pickling import Arguments
from dvcache.types import Address, Endpoint, Role

_KEY: Final = "OPTIONS['SENTINELS']"
_KWARGS: Final = "OPTIONS['SENTINEL_KWARGS']"
_SHAPE: Final = "SENTINELS must be provided as a list of (host, port)."
_EXAMPLE: Final = "[('127.0.0.1', 26379)]"
_ELSEWHERE: Final = ("host", "port", "path", "db", "is_master")
_OF_POOLS: Final = frozenset({"min_other_sentinels"})
"""Arguments of valkey-py's `Sentinel` itself, besides those of its connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinels:
    """Addresses and connection arguments of the sentinels of an entry."""

    addresses: tuple[Address, ...]
    options: Mapping[str, object] = field(repr=False)

    def endpoint(self, location: Location, alias: str, role: Role) -> Endpoint:
        """Return the endpoint for the nodes of one role of a service.

        Args:
            location: the URL; its host is the service name.
            alias: the alias that the endpoint belongs to.
            role: the role of the nodes.

        Raises:
            ConfigurationError: the URL names no service.
        """
        _check_service(location)
        return replace(
            location.endpoint(alias, role),
            host="",
            port=6379,
            path="",
            service=location.name,
            sentinels=self.addresses,
            sentinel_options=self.options,
        )


def sentinels(options: Mapping[str, Any]) -> Sentinels:
    """Return the sentinels of an entry.

    Args:
        options: the OPTIONS, without None values.

    Raises:
        ConfigurationError: SENTINELS or SENTINEL_KWARGS is missing or wrong.
    """
    given = options.get("SENTINELS")
    if not given or not isinstance(given, list | tuple):
        raise ConfigurationError(f"{_SHAPE} For example: {_EXAMPLE}", key=_KEY)
    addresses = dict.fromkeys(_address(each) for each in given)
    return Sentinels(addresses=tuple(addresses), options=_options(options.get("SENTINEL_KWARGS", {})))


def _address(pair: object) -> Address:
    match pair:
        case [str(host), int() | str() as port] if _is_host(host):
            return host, int(str(typed({"port": port}, _KEY)["port"]))
    raise ConfigurationError(f"{_SHAPE} Write each as in {_EXAMPLE}, without a scheme", key=_KEY)


def _is_host(host: str) -> bool:
    return host != "" and not set(host) & set("/@[], ") and host.count(":") != 1


def _options(given: Mapping[str, object]) -> Mapping[str, object]:
    read = with_key(typed({name: value for name, value in given.items() if name not in _OF_POOLS}, _KWARGS))
    read = classes.with_provider(read, {}, _KWARGS)
    for name in _ELSEWHERE:
        if read.get(name):
            raise ConfigurationError(
                f"{name} has no effect on sentinels; write their addresses in SENTINELS", key=_KWARGS
            )
    refuse_together(read, _KWARGS, tls=bool(read.get("ssl")), cure="write 'ssl': True as well")
    return Arguments(read | {name: _count(given[name]) for name in _OF_POOLS & given.keys()})


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ConfigurationError("min_other_sentinels must be a whole number, 0 or more", key=_KWARGS)


def _check_service(location: Location) -> None:
    wanted = "write the name of a service that the sentinels monitor, as in 'valkey://service_name/0'"
    if location.scheme not in {"valkey", "valkeys"}:
        message = f"{location.scheme}:// cannot be reached through sentinels; {wanted}"
    elif not location.name:
        message = f"the URL names no service; {wanted}"
    elif location.port is not None or ":" in location.name or location.name.lower() == "localhost":
        message = f"the URL names a server, but Sentinel needs a service name; {wanted}, without a port"
    else:
        return
    raise ConfigurationError(message, key="LOCATION")
