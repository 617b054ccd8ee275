"""OPTIONS['ADDRESS_REMAP']: map announced addresses to reachable ones, for nodes behind NAT or in containers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dvcache.errors import ConfigurationError, ConnectError
from dvcache.settings.components import load
from dvcache.settings.faults import Faults
from dvcache.types import Address

_KEY: Final = "OPTIONS['ADDRESS_REMAP']"
_CLIENT: Final = "OPTIONS['BASE_CLIENT_KWARGS']"
_SHAPE: Final = "write each address as ('10.0.0.1', 6379) or '10.0.0.1:6379'"
_PORTS: Final = 2**16


@dataclass(frozen=True, slots=True)
class AddressRemap:
    """Maps an announced address to the one to connect to.

    Args:
        function: takes the announced `(host, port)`, returns the reachable one.
    """

    function: Callable[[Address], Any] = field(repr=False)

    def __call__(self, address: Address, /) -> Address:
        """Return the reachable address for an announced one.

        Raises:
            ConnectError: the function raised, or returned no address.
        """
        try:
            host, port = self.function(address)
            if isinstance(host, str) and host and 0 < int(port) < _PORTS:
                return host, int(port)
            reason = "returned no host and port"
        except Exception as error:  # noqa: BLE001  # a user's function may raise anything
            reason = type(error).__name__
        raise ConnectError(f"the address {address[0]}:{address[1]} cannot be mapped: address_remap: {reason}")


@dataclass(frozen=True, slots=True)
class _Table:
    """Maps addresses by a table; unlisted addresses stay unchanged."""

    addresses: Mapping[Address, Address]

    def __call__(self, address: Address, /) -> Address:
        return self.addresses.get(address, address)


def remap(options: Mapping[str, Any], faults: Faults, *, is_used: bool = True) -> AddressRemap | None:
    """Return the map for announced addresses from ADDRESS_REMAP, else from `address_remap` in BASE_CLIENT_KWARGS.

    Args:
        options: the OPTIONS, without None values.
        faults: the faults of the entry; one is added if it is neither a function nor a mapping of addresses.
        is_used: whether the topology announces addresses.
    """
    given, key = options.get("ADDRESS_REMAP"), _KEY
    if given is None:
        given, key = options.get("BASE_CLIENT_KWARGS", {}).get("address_remap"), _CLIENT
    if given is None:
        return None
    try:
        found = load(given, key)
        if isinstance(found, Mapping):
            found = _Table({_address(old, key): _address(new, key) for old, new in found.items()})
    except ConfigurationError as error:
        faults.append(error)
        return None
    if not callable(found):
        faults.add(f"must be a function of (host, port), its dotted path or a mapping, not {type(found).__name__}", key)
        return None
    if key == _KEY and not is_used:
        faults.add("has no effect: only sentinels and clusters announce addresses; leave it out", _KEY)
    return AddressRemap(found) if is_used else None


def _address(written: object, key: str) -> Address:
    host, port = written.rpartition(":")[::2] if isinstance(written, str) else _pair(written, key)
    if isinstance(host, str) and host.strip("[]") and str(port).isdecimal() and 0 < int(port) < _PORTS:
        return host.strip("[]"), int(port)
    raise ConfigurationError(_SHAPE, key=key)


def _pair(written: object, key: str) -> tuple[Any, Any]:
    match written:
        case [host, int() | str() as port]:
            return host, port
    raise ConfigurationError(_SHAPE, key=key)
