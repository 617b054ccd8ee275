"""Who calls an alias synchronously: Django's sessions and its cache middleware, as its settings say."""

from collections.abc import Mapping
from typing import Any

from django_valkey import conf
from django_valkey.exceptions import ConfigurationError


def refuse(backend: type, location: object, params: Mapping[str, Any]) -> None:
    """Raise where Django would call an alias synchronously whose methods are coroutines, and never await them.

    Args:
        backend: the class of the alias's backend, whose methods are coroutines.
        location: the LOCATION of the alias.
        params: the rest of its entry.

    Raises:
        ConfigurationError: Django would.
    """
    for setting, alias in conf.sync_callers():
        if alias in conf.caches():
            path, *rest = conf.arguments(alias)
            if rest == [location, params] and conf.loaded(path) is backend:
                raise ConfigurationError(reason(backend, setting), alias=alias, key="BACKEND")


def reason(backend: type, setting: str) -> str:
    """Return why an alias of this backend cannot be what the setting names it for."""
    return (
        f"{backend.__name__} has coroutines only, and {setting} names this alias, which Django then calls without "
        "awaiting; write 'django_valkey.cache.ValkeyCache', which serves sync and async code"
    )
