"""TLS: verification of certificates, and contradictory arguments.

OPTIONS['TLS_CHECK_HOSTNAME'] sets hostname verification for every server of an alias, including sentinels and cluster
nodes.
"""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dvcache.errors import ConfigurationError
from dvcache.settings.pickling import Arguments
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
    """Return the verification mode of certificates: "none", "optional" or "required".

    Args:
        value: such a word, or an `ssl.VerifyMode`, its name or its number; None and False mean "none".

    Raises:
        TypeError: the value has another type.
        ValueError: there is no such mode.
    """
    if value is None or value is False:  # as in valkey-py
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
    """Raise for TLS arguments that exclude each other.

    Args:
        arguments: the arguments of one connection, by name, in their types.
        key: the setting that holds them, for the error.
    """
    unverified = arguments.get("ssl_cert_reqs") == "none"
    for name in ("ssl_check_hostname", *_OCSP):
        if unverified and arguments.get(name):
            message = f"{name} contradicts ssl_cert_reqs 'none', which verifies no certificate; leave one of them out"
            raise ConfigurationError(message, key=key)
    if all(arguments.get(name) for name in _OCSP):
        raise ConfigurationError(f"{' and '.join(_OCSP)} exclude each other; leave one of them out", key=key)
    if arguments.get("ssl_keyfile") and not arguments.get("ssl_certfile"):
        raise ConfigurationError("ssl_keyfile needs ssl_certfile, the certificate of that key", key=key)


def checked_hosts(endpoint: Endpoint, *, wanted: bool | None) -> Endpoint:
    """Return the endpoint with hostname verification set, also for its sentinels and cluster nodes.

    Args:
        endpoint: the endpoint without TLS_CHECK_HOSTNAME.
        wanted: OPTIONS['TLS_CHECK_HOSTNAME']; None keeps `ssl_check_hostname` of each connection.

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
