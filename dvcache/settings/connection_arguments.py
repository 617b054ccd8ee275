"""Connection arguments: names and types that valkey-py's connections accept, from a URL's query or a mapping."""

import inspect
import math
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, TypeAlias

import valkey.asyncio.connection as aio
import valkey.connection as sync

from dvcache.errors import ConfigurationError
from dvcache.settings.faults import Faults
from dvcache.settings.spelling import hint
from dvcache.settings.tls import requirement

_OF_POOLS: Final = frozenset({"max_connections", "timeout", "queue_class", "connection_class", "is_master", "ssl"})
_NONE_MEANS: Final = frozenset(
    {"socket_timeout", "socket_connect_timeout", "timeout", "lib_name", "lib_version", "ssl_cert_reqs"}
)
"""Arguments with a meaning for None; elsewhere None is the same as leaving the argument out."""

_WORDS: Final = {"1": True, "0": False} | {
    word: value
    for words, value in (("t true y yes on enabled", True), ("f false n no off disabled", False))
    for word in words.split()
}
_OCSP: Final = ("ssl_validate_ocsp", "ssl_validate_ocsp_stapled")
_IGNORED: Final = frozenset({"queue_class"})
_IN_KWARGS: Final = "is a class or an object; give it in OPTIONS['CONNECTION_POOL_KWARGS']"
_TRACKED: Final = "must stay off: dvcache has no client-side cache"
_REFUSED: Final = {
    "decode_responses": "must stay off: a cache reads bytes",
    "cache_enabled": _TRACKED,
    "client_cache": _TRACKED,
    "connection_class": f"{_IN_KWARGS}; for TLS write valkeys://",
    "parser_class": _IN_KWARGS,
    "command_packer": _IN_KWARGS,
    "encoder_class": _IN_KWARGS,
}
"""Arguments that no pool supports, or that do not belong in a URL or in these kwargs."""


@cache
def accepted() -> frozenset[str]:
    """Return the argument names of valkey-py's connections and pools, sync and async."""
    # Read from the signatures, so that arguments of a newer valkey-py are known as well.
    names = ("AbstractConnection", "Connection", "SSLConnection", "UnixDomainSocketConnection")
    classes = [getattr(module, name) for module in (sync, aio) for name in names]
    return _OF_POOLS.union(*(inspect.signature(cls).parameters for cls in classes)) - {"kwargs"}


def typed(arguments: Mapping[str, object], key: str, faults: Faults) -> dict[str, object]:
    """Return connection arguments converted to their types, also from text; add a fault for each wrong one."""
    read: dict[str, object] = {}
    for name, value in arguments.items():
        if name not in accepted():
            faults.add(f"{name!r} is not a connection argument{hint(str(name), accepted())}", key)
        elif (value is not None or name in _NONE_MEANS) and name not in _IGNORED:
            try:
                read[name] = _read(name, value, key)
            except ConfigurationError as error:
                faults.append(error)
    refused = [name for name in read if name in _REFUSED]
    faults.extend(ConfigurationError(f"{name} {_REFUSED[name]}", key=key) for name in refused if read[name])
    return {name: value for name, value in read.items() if name not in refused}


def contradictions(arguments: Mapping[str, object], key: str, *, tls: bool, cure: str = "") -> list[ConfigurationError]:
    """Return a fault for each pair of arguments of one connection that exclude each other.

    `tls` says whether the connection uses TLS, `cure` how to enable it.
    """
    found = []
    credentials = arguments.get("username") or arguments.get("password")
    if credentials and arguments.get("credential_provider") is not None:
        found.append("a credential provider and a username or password exclude each other; leave one out")
    secured = next((name for name in arguments if name.startswith("ssl_")), None)
    if secured is not None and not tls:
        found.append(f"{secured} needs TLS: {cure}")
    unverified = arguments.get("ssl_cert_reqs") == "none"
    found += [
        f"{name} contradicts ssl_cert_reqs 'none', which verifies no certificate; leave one of them out"
        for name in ("ssl_check_hostname", *_OCSP)
        if unverified and arguments.get(name)
    ]
    if all(arguments.get(name) for name in _OCSP):
        found.append(f"{' and '.join(_OCSP)} exclude each other; leave one of them out")
    if arguments.get("ssl_keyfile") and not arguments.get("ssl_certfile"):
        found.append("ssl_keyfile needs ssl_certfile, the certificate of that key")
    if arguments.get("socket_keepalive") is False and arguments.get("socket_keepalive_options"):
        found.append("socket_keepalive_options contradicts socket_keepalive=False; leave one of them out")
    return [ConfigurationError(message, key=key) for message in found]


def _read(name: str, value: object, key: str) -> object:
    if name not in _TYPES:
        if isinstance(value, str) and key == "LOCATION":
            raise ConfigurationError(
                f"{name} cannot be written in a URL; give it in OPTIONS['CONNECTION_POOL_KWARGS']", key=key
            )
        return value
    read, wanted = _TYPES[name]
    try:
        return read(value)
    except (TypeError, ValueError, OverflowError):
        shown = f"a {type(value).__name__}" if name in _SECRET else _shown(value)
        raise ConfigurationError(f"{name} must be {wanted}, not {shown}", key=key) from None


UNREADABLE: Final = (
    "cannot be read; in a password write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25, "
    "or give it as OPTIONS['PASSWORD']"
)


_SECRET: Final = frozenset({"username", "password", "ssl_password"})


def _shown(value: object) -> str:
    """Return numbers and flags as they are, and only the type of anything else: text may be a secret."""
    return repr(value) if isinstance(value, bool | int | float) else f"a {type(value).__name__}"


def _flag(value: object) -> bool:
    if isinstance(value, str):
        if value.lower() not in _WORDS:
            raise ValueError
        return _WORDS[value.lower()]
    if value not in (0, 1):  # True and False, too
        raise ValueError
    return bool(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    number = int(value)
    if number < 0:
        raise ValueError
    return number


def _port(value: object) -> int:
    number = _whole(value)
    if not 0 < number < 2**16:
        raise ValueError
    return number


def _protocol(value: object) -> int:
    if _whole(value) not in (2, 3):
        raise ValueError
    return _whole(value)


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def _interval(value: object) -> float | None:
    return 0.0 if value in (0, "0") and value is not False else _seconds(value)


def _text(value: object) -> str | bytes | None:
    if value is not None and not isinstance(value, str | bytes):
        raise TypeError
    return value


def _tls_version(value: object) -> ssl.TLSVersion:
    if isinstance(value, str):
        name = value.upper().removeprefix("TLSV").removeprefix("TLS").replace(".", "_")
        try:
            return ssl.TLSVersion[f"TLSv{name}"]
        except KeyError:
            raise ValueError from None
    if not isinstance(value, int):
        raise TypeError
    return ssl.TLSVersion(value)


_TEXTS: Final = (
    *("host", "path", "username", "password", "client_name", "lib_name", "lib_version", "encoding", "encoding_errors"),
    *("ssl_keyfile", "ssl_certfile", "ssl_ca_certs", "ssl_ca_path", "ssl_ca_data", "ssl_password", "ssl_ciphers"),
    "ssl_ocsp_expected_cert",
)
FLAGS: Final = (
    *("socket_keepalive", "retry_on_timeout", "decode_responses", "cache_enabled", "is_master", "ssl"),
    *("ssl_check_hostname", "ssl_validate_ocsp", "ssl_validate_ocsp_stapled"),
)
_WHOLES: Final = ("db", "max_connections", "socket_read_size", "socket_type", "cache_max_size", "cache_ttl")

_Kind: TypeAlias = tuple[Callable[[object], object], str]

_TYPES: Final[Mapping[str, _Kind]] = {
    **dict.fromkeys(_TEXTS, (_text, "text")),
    **dict.fromkeys(FLAGS, (_flag, "true or false")),
    **dict.fromkeys(_WHOLES, (_whole, "a whole number, 0 or more")),
    "port": (_port, "a number from 1 to 65535"),
    "protocol": (_protocol, "2 or 3"),
    "socket_timeout": (_seconds, "a positive number of seconds or None"),
    "socket_connect_timeout": (_seconds, "a positive number of seconds or None"),
    "timeout": (_interval, "a number of seconds or None"),
    "health_check_interval": (_interval, "a number of seconds"),
    "ssl_cert_reqs": (requirement, "'none', 'optional' or 'required'"),
    "ssl_min_version": (_tls_version, "a TLS version such as 'TLSv1.2'"),
}
"""Parser and description of each typed argument. Arguments missing here are objects, passed on unchanged."""
