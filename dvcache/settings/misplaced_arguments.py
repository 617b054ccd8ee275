"""Reject connection arguments in the wrong place, with an error that names the right place.

Ignoring one could mean another server or database, or a connection without TLS.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from dvcache.errors import ConfigurationError
from dvcache.settings.connection_arguments import accepted
from dvcache.settings.schema import KEYS, KNOWN

_POOL_KWARGS: Final = "OPTIONS['CONNECTION_POOL_KWARGS']"
_HOST: Final = "write it in the URL of LOCATION, as in 'valkey://host:6379/0'"
_DATABASE: Final = "write it in the URL of LOCATION, as in 'valkey://host:6379/3'"
_SOCKET: Final = "write it as the URL of LOCATION: 'unix:///run/valkey.sock?db=0'"
_TLS: Final = "write valkeys:// instead of valkey:// in LOCATION"

_PLACES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("db", "database", "db_number", "dbname"), _DATABASE),
    **dict.fromkeys(("host", "hostname", "port", "server", "url", "address", "master_cache"), _HOST),
    **dict.fromkeys(("path", "unix_socket_path"), _SOCKET),
    **dict.fromkeys(("ssl", "tls", "use_ssl", "use_tls", "secure"), _TLS),
    **dict.fromkeys(("user", "login"), "it belongs in OPTIONS['USERNAME']"),
    **dict.fromkeys(("pass", "passwd", "auth"), "it belongs in OPTIONS['PASSWORD']"),
    "is_master": "write it in the query of a URL of LOCATION",
    "pool_class": "it belongs in OPTIONS['CONNECTION_POOL_CLASS']",
    "connection_pool_class_kwargs": f"it belongs in {_POOL_KWARGS}",
    "redis_client_class": "it belongs in OPTIONS['BASE_CLIENT_CLASS']",
    "redis_client_kwargs": "it belongs in OPTIONS['BASE_CLIENT_KWARGS']",
}
"""Place of each argument without an option of its name, in lower case; includes names that other libraries use."""

_OPTIONS: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in (
        *("USERNAME", "PASSWORD", "CREDENTIAL_PROVIDER", "SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT", "DEADLINE"),
        *("CONNECTION_POOL_KWARGS", "CONNECTION_POOL_CLASS", "CONNECTION_FACTORY", "BASE_CLIENT_KWARGS"),
        *("PARSER_CLASS", "PARSER_CLS", "CLIENT_CLASS", "SENTINELS", "SENTINEL_KWARGS", "READ_FROM"),
        *("CLUSTER", "SHARDED", "TLS_CHECK_HOSTNAME", "ADDRESS_REMAP"),
    )
}
"""Options that define servers and connections, by lower-case name."""


def refuse_in_options(options: Iterable[object]) -> None:
    """Raise for a connection argument among the names of OPTIONS.

    Args:
        options: the names, in any case.

    Raises:
        ConfigurationError: there is one; the message names the right place.
    """
    for name in options:
        if advice := cure(name):
            raise ConfigurationError(f"has no effect here; {advice}", key=f"OPTIONS[{name!r}]")


def refuse_in_entry(entry: Iterable[object]) -> None:
    """Raise for a connection argument among the keys of a CACHES entry. Errors as for `refuse_in_options`."""
    for name in entry:
        if name not in KEYS and (advice := _cure(name, among_options=False)):
            raise ConfigurationError(f"has no effect here; {advice}", key=str(name))


def refuse_case(arguments: Iterable[object], key: str) -> None:
    """Raise for a connection argument that is not in lower case.

    Args:
        arguments: names of arguments; unknown ones are left to the user's own class.
        key: the setting that holds them, for the error.
    """
    for name in arguments:
        if isinstance(name, str) and name not in accepted() and name.lower() in accepted():
            raise ConfigurationError(f"there is no argument {name!r}; did you mean {name.lower()}?", key=key)


def cure(name: object) -> str:
    """Return where a connection argument in OPTIONS belongs; an empty string for known options and other names."""
    if isinstance(name, str) and name.upper() == "LOCATION":
        return "it belongs in the entry itself"
    return "" if name in KNOWN else _cure(name, among_options=True)


def _cure(name: object, *, among_options: bool) -> str:
    if not isinstance(name, str):
        return ""
    folded = name.strip().lower()
    if folded in _OPTIONS:
        return f"did you mean {_OPTIONS[folded]}?" if among_options else f"it belongs in OPTIONS[{_OPTIONS[folded]!r}]"
    if folded in _PLACES:
        return _PLACES[folded]
    return f"it belongs in {_POOL_KWARGS}" if folded in accepted() - {"timeout"} else ""
