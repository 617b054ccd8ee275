"""Connection arguments of raw clients, as valkey-py takes them: TLS and announced addresses as the cache has them."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from dvcache.settings.remaps import remap
from dvcache.settings.tls import requirement

_VERIFIED: Final = "ssl_cert_reqs"


def connection(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of a connection with what is required of a certificate in one spelling."""
    return {name: requirement(each) if name == _VERIFIED else each for name, each in kwargs.items()}


def of_url(url: str) -> str:
    """Return a URL with what is required of a certificate in one spelling."""
    split = urlsplit(url)
    if _VERIFIED not in split.query:
        return url
    query = connection(dict(parse_qsl(split.query, keep_blank_values=True)))
    return split._replace(query=urlencode(query)).geturl()


def checked_hosts(options: Mapping[str, Any], *, tls: bool) -> dict[str, Any]:
    """Return the argument by which certificates must name the host, where OPTIONS['TLS_CHECK_HOSTNAME'] says so."""
    wanted = options.get("TLS_CHECK_HOSTNAME")
    return {"ssl_check_hostname": bool(wanted)} if tls and wanted is not None else {}


def of_cluster(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the argument of a `ValkeyCluster` that maps announced addresses, where the options have one."""
    mapped = remap(options)
    return {} if mapped is None else {"address_remap": mapped}
