"""Connection arguments of raw clients: TLS and address maps as for the cache's own connections."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from django_valkey.exceptions import ConfigurationError
from dvcache.settings.address_remap import AddressRemap, remap
from dvcache.settings.faults import Faults
from dvcache.settings.tls import requirement

_VERIFIED: Final = "ssl_cert_reqs"


def connection(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return connection arguments with `ssl_cert_reqs` normalized."""
    return {name: requirement(each) if name == _VERIFIED else each for name, each in kwargs.items()}


def of_url(url: str) -> str:
    """Return a URL with `ssl_cert_reqs` normalized."""
    split = urlsplit(url)
    if _VERIFIED not in split.query:
        return url
    query = connection(dict(parse_qsl(split.query, keep_blank_values=True)))
    return split._replace(query=urlencode(query)).geturl()


def checked_hosts(options: Mapping[str, Any], *, tls: bool) -> dict[str, Any]:
    """Return the argument for hostname verification, if OPTIONS['TLS_CHECK_HOSTNAME'] is set."""
    wanted = options.get("TLS_CHECK_HOSTNAME")
    # Only with TLS: a plain connection of valkey-py does not know the argument.
    return {"ssl_check_hostname": bool(wanted)} if tls and wanted is not None else {}


def of_cluster(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return `address_remap` for a `ValkeyCluster`, if the options map addresses."""
    mapped = address_remap(options)
    return {} if mapped is None else {"address_remap": mapped}


def address_remap(options: Mapping[str, Any]) -> AddressRemap | None:
    """Return the map for announced addresses that the options give.

    Raises:
        ConfigurationError: it is neither a function nor a mapping of addresses.
    """
    faults = Faults()
    mapped = remap(options, faults)
    if faults:
        raise ConfigurationError.joined(faults, "")
    return mapped
