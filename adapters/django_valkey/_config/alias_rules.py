"""Reject an async backend for aliases that Django calls synchronously: sessions and the cache middleware."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final

from django_valkey._config import django_settings
from django_valkey.exceptions import ConfigurationError
from dvcache import Endpoint, Settings
from dvcache.globs import glob
from dvcache.keys import PrefixedKeys


def refuse(backend: type, location: object, params: Mapping[str, Any]) -> None:
    """Raise if Django's settings use an alias with an async backend synchronously.

    Args:
        backend: the async backend class of the alias.
        location: the LOCATION of the alias.
        params: the rest of its entry.

    Raises:
        ConfigurationError: a setting names this alias.
    """
    for setting, alias in django_settings.sync_callers():
        if alias in django_settings.caches():
            path, *rest = django_settings.arguments(alias)
            if rest == [location, params] and django_settings.loaded(path) is backend:
                raise ConfigurationError(reason(backend, setting), alias=alias, key="BACKEND")


def reason(backend: type, setting: str) -> str:
    """Return the error message for an async backend behind this setting."""
    return (
        f"{backend.__name__} has only coroutines, but {setting} names this alias, and Django calls it without "
        "awaiting; write 'django_valkey.cache.ValkeyCache', which is for both sync and async code"
    )


_BY_DATABASE: Final = "set OPTIONS['CLEAR_SCOPE'] = 'prefix', or give each alias a database of its own"


_BY_PREFIX: Final = "give each alias a KEY_PREFIX that is not the beginning of another's, or a database of its own"


def wipes(one: Settings, others: Iterable[Settings]) -> str:
    """Return a warning if `clear()` of one alias removes entries of others, else an empty string.

    Args:
        one: the settings of the alias to clear.
        others: the settings of the other aliases.
    """
    if one.read_only:
        return ""
    by_prefix = one.clear_scope == "prefix"
    cleared = {_database(each): each.name for each in (one.endpoints if one.shards else one.endpoints[:1])}
    places = {other.alias: _common(cleared, other) for other in others if not by_prefix or _contains(one, other)}
    emptied = [f"CACHES[{alias!r}] (on {place})" for alias, place in places.items() if place]
    if not emptied:
        return ""
    return f"clear() empties {', '.join(emptied)} too; {_BY_PREFIX if by_prefix else _BY_DATABASE}"


def _contains(one: Settings, other: Settings) -> bool:
    """Return True if `clear()` of one prefix removes keys of the other."""
    if (one.key_prefix, one.key_function) == (other.key_prefix, other.key_function):
        return False  # both aliases are for the same entries
    # Match a stored key of the other prefix against the glob that clear() uses.
    try:
        return glob(_keys(one).everything())(_keys(other).key("dvcache-probe"))
    except Exception:  # noqa: BLE001  # the user's KEY_FUNCTION may fail for this key
        return False


def _keys(settings: Settings) -> PrefixedKeys:
    return PrefixedKeys(settings.key_prefix, settings.version, settings.key_function, settings.reverse_key_function)


def _common(cleared: Mapping[Hashable, str], other: Settings) -> str | None:
    """Return the name of a cleared database that the other alias uses too, or None."""
    return next((cleared[each] for each in map(_database, other.endpoints) if each in cleared), None)


def _database(endpoint: Endpoint) -> Hashable:
    host = "127.0.0.1" if endpoint.host == "localhost" else endpoint.host
    secured = endpoint.scheme.removesuffix("s")
    where = (endpoint.service, frozenset(endpoint.sentinels)) if endpoint.service else (host, endpoint.port)
    return secured, *where, endpoint.path, endpoint.db
