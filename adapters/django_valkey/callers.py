"""Reject an async backend for aliases that Django calls synchronously: sessions and the cache middleware."""

from collections.abc import Mapping
from typing import Any

from django_valkey import conf
from django_valkey.exceptions import ConfigurationError


def refuse(backend: type, location: object, params: Mapping[str, Any]) -> None:
    """Raise if Django's settings use an alias with an async backend synchronously.

    Args:
        backend: the async backend class of the alias.
        location: the LOCATION of the alias.
        params: the rest of its entry.

    Raises:
        ConfigurationError: a setting names this alias.
    """
    for setting, alias in conf.sync_callers():
        if alias in conf.caches():
            path, *rest = conf.arguments(alias)
            if rest == [location, params] and conf.loaded(path) is backend:
                raise ConfigurationError(reason(backend, setting), alias=alias, key="BACKEND")


def reason(backend: type, setting: str) -> str:
    """Return the error message for an async backend behind this setting."""
    return (
        f"{backend.__name__} has only coroutines, but {setting} names this alias, and Django calls it without "
        "awaiting; write 'django_valkey.cache.ValkeyCache', which is for both sync and async code"
    )
