"""TLS: how certificates are verified, and what contradicts it.

OPTIONS['TLS_CHECK_HOSTNAME'] says for every server of an alias, sentinels and nodes of a cluster too, that its
certificate must name the host.
"""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dvcache.errors import ConfigurationError
from dvcache.settings.frozen import Arguments
from dvcache.types import Endpoint

_KEY: Final = "OPTIONS['TLS_CHECK_HOSTNAME']"
_WORDS: Final[Mapping[object, str]] = {
    **dict.fromkeys(("none", "0", "false", "no", "off"), "none"),
    **dict.fromkeys(("optional", "1"), "optional"),
    **dict.fromkeys(("required", "2", "true", "yes", "on"), "required"),
}
_NUMBERS: Final = {each.value: each.name.removeprefix("CERT_").lower() for each in ssl.VerifyMode}
_OCSP: Final = ("ssl_validate_ocsp", "ssl_validate_ocsp_stapled")


def requirement(value: object) -> str:
    """Return what is required of a certificate: "none", "optional" or "required".

    Args:
        value: such a word, a `ssl.VerifyMode` or its name or number; None and False require nothing.

    Raises:
        TypeError, ValueError: it is none of these.
    """
    if value is None or value is False:
        return "none"
    if value is True:
        return "required"
    if isinstance(value, str):
        return _WORDS[value] if value in _WORDS else _word(value)
    if not isinstance(value, int):
        raise TypeError
    if value not in _NUMBERS:
        raise ValueError
    return _NUMBERS[value]


def _word(value: str) -> str:
    found = _WORDS.get(value.strip().lower().removeprefix("ssl.").removeprefix("cert_"))
    if found is None:
        raise ValueError
    return found


def refuse_contradictions(arguments: Mapping[str, object], key: str) -> None:
    """Raise for arguments of TLS that exclude each other.

    Args:
        arguments: of one connection, by name, in their types.
        key: the setting that holds them, for the error.
    """
    unverified = arguments.get("ssl_cert_reqs") == "none"
    for name in ("ssl_check_hostname", *_OCSP):
        if unverified and arguments.get(name):
            message = f"{name} contradicts ssl_cert_reqs 'none', which looks at no certificate; leave one of them out"
            raise ConfigurationError(message, key=key)
    if all(arguments.get(name) for name in _OCSP):
        raise ConfigurationError(f"exclude each other: {' and '.join(_OCSP)}", key=key)
    if arguments.get("ssl_keyfile") and not arguments.get("ssl_certfile"):
        raise ConfigurationError("ssl_keyfile needs ssl_certfile: a key alone shows no certificate", key=key)


def checked_hosts(endpoint: Endpoint, *, wanted: bool | None) -> Endpoint:
    """Return an endpoint whose certificates must name its host, its sentinels' and its cluster's nodes' too.

    Args:
        endpoint: as the other settings make it.
        wanted: OPTIONS['TLS_CHECK_HOSTNAME']; None leaves it to `ssl_check_hostname` of each connection.

    Raises:
        ConfigurationError: another setting contradicts it, or there is no TLS.
    """
    if wanted is None:
        return endpoint
    nodes, sentinels = endpoint.scheme == "valkeys", bool(endpoint.sentinel_options.get("ssl"))
    if wanted and not (nodes or sentinels):
        raise ConfigurationError("needs TLS: write valkeys:// instead of valkey:// in LOCATION", key=_KEY)
    return replace(
        endpoint,
        options=_checked(endpoint.options, wanted=wanted) if nodes else endpoint.options,
        sentinel_options=_checked(endpoint.sentinel_options, wanted=wanted) if sentinels else endpoint.sentinel_options,
    )


def _checked(options: Mapping[str, object], *, wanted: bool) -> Mapping[str, object]:
    if bool(options.get("ssl_check_hostname", wanted)) is not wanted:
        raise ConfigurationError("contradicts ssl_check_hostname; leave that out", key=_KEY)
    found = {**options, "ssl_check_hostname": wanted}
    refuse_contradictions(found, _KEY)
    return Arguments(found)
