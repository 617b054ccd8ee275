"""Check the names in a CACHES entry: misspelt, misplaced and unknown ones.

Ignoring a connection argument could mean another server or database, or a connection without TLS.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from dvcache.settings.classes import References
from dvcache.settings.connection_arguments import accepted
from dvcache.settings.faults import Faults
from dvcache.settings.schema import KEYS, KNOWN, OF_CONNECTIONS
from dvcache.settings.spelling import nearest

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
_OPTIONS: Final[Mapping[str, str]] = {name.lower(): name for name in OF_CONNECTIONS}


def check(entry: Mapping[Any, object], options: Mapping[Any, object], faults: Faults, classes: References) -> list[str]:
    """Add a fault for each misspelt name and misplaced argument; return a warning for each other unknown name.

    Args:
        entry: the CACHES entry.
        options: its OPTIONS.
        faults: the faults of the entry.
        classes: its classes; the user's own may read options unknown here, a factory also connection arguments.
    """
    warned: list[str] = []
    known: AbstractSet[str]
    for mapping, known, others, form, elsewhere in (
        (entry, KEYS, KNOWN, "{}", "OPTIONS"),
        (options, KNOWN, KEYS, "OPTIONS[{!r}]", "the entry itself"),
    ):
        for name in [name for name, value in mapping.items() if value is not None and name not in known]:
            where = place(name, among_options=mapping is options)
            if where and not (classes.own_factory and mapping is options):
                faults.add(f"has no effect here; {where}", form.format(name))
            elif where or classes.reads_options:
                continue
            elif not isinstance(name, str):
                faults.add(f"every key must be text, not {type(name).__name__}")
            # A name from the other place (an option in the entry, say) is misplaced, not misspelt.
            elif name not in others and (near := nearest(name, known)):
                faults.add(f"there is no such key; did you mean {near}?", form.format(name))
            else:
                hint = f"; it belongs in {elsewhere}" if name in others else ""
                warned.append(f"{form.format(name)} is not known and was ignored{hint}")
    return warned


def place(name: object, *, among_options: bool) -> str:
    """Return where a connection argument belongs, as a part of an error; an empty string for other names."""
    if not isinstance(name, str):
        return ""
    folded = name.strip().lower()
    if among_options and folded == "location":
        return "it belongs in the entry itself"
    if folded in _OPTIONS:
        return f"did you mean {_OPTIONS[folded]}?" if among_options else f"it belongs in OPTIONS[{_OPTIONS[folded]!r}]"
    if folded in _PLACES:
        return _PLACES[folded]
    return f"it belongs in {_POOL_KWARGS}" if folded in accepted() - {"timeout"} else ""
