"""Check SENTINELS and SENTINEL_KWARGS, and the service names in LOCATION."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from dvcache.errors import ConfigurationError
from dvcache.settings.connections import OF_SENTINEL, SENTINEL_KWARGS, Location
from dvcache.settings.faults import Faults
from dvcache.types import Address

_KEY: Final = "OPTIONS['SENTINELS']"
_SHAPE: Final = "SENTINELS must be provided as a list of (host, port)."
_EXAMPLE: Final = "[('127.0.0.1', 26379)]"
_ELSEWHERE: Final = ("host", "port", "path", "db", "is_master")
_PORTS: Final = range(1, 2**16)


def addresses(given: object, faults: Faults) -> tuple[Address, ...]:
    """Return the addresses of the sentinels; add a fault for each wrong one."""
    if not given or not isinstance(given, list | tuple):
        faults.add(f"{_SHAPE} For example: {_EXAMPLE}", _KEY)
        return ()
    found: dict[Address, None] = {}
    for pair in given:
        match pair:
            case [str(host), int() | str() as port] if host and not set(host) & set("/@[], ") and host.count(":") != 1:
                number = int(port) if isinstance(port, int) or port.strip().isdecimal() else 0
                if isinstance(port, bool) or number not in _PORTS:
                    shown = repr(port) if isinstance(port, int) else "a str"
                    faults.add(f"port must be a number from 1 to 65535, not {shown}", _KEY)
                else:
                    found[host, number] = None
            case _:
                faults.add(f"{_SHAPE} Write each as in {_EXAMPLE}, without a scheme", _KEY)
    return tuple(found)


def arguments(given: Mapping[str, Any], read: Mapping[str, object], faults: Faults) -> dict[str, object]:
    """Return the arguments of valkey-py's `Sentinel`: those read of SENTINEL_KWARGS, and those of its own."""
    faults.extend(
        ConfigurationError(
            f"{name} has no effect on sentinels; write their addresses in SENTINELS", key=SENTINEL_KWARGS
        )
        for name in _ELSEWHERE
        if read.get(name)
    )
    if OF_SENTINEL not in given:
        return dict(read)
    count = given[OF_SENTINEL]
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        faults.add(f"{OF_SENTINEL} must be a whole number, 0 or more", SENTINEL_KWARGS)
    return {**read, OF_SENTINEL: count}


def misnamed(locations: Iterable[Location]) -> list[ConfigurationError]:
    """Return a fault for each URL that names no service."""
    wanted = "write the name of a service that the sentinels monitor, as in 'valkey://service_name/0'"
    found = []
    for each in locations:
        if each.scheme not in {"valkey", "valkeys"}:
            found.append(f"{each.scheme}:// cannot be reached through sentinels; {wanted}")
        elif not each.name:
            found.append(f"the URL names no service; {wanted}")
        elif each.port is not None or ":" in each.name or each.name.lower() == "localhost":
            found.append(f"the URL names a server, but Sentinel needs a service name; {wanted}, without a port")
    return [ConfigurationError(message, key="LOCATION") for message in found]
