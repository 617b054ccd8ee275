"""The names in a CACHES entry: what to say of one that is not known."""

import warnings
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from dvcache.errors import ConfigurationError, ConfigurationWarning
from dvcache.settings.arguments import accepted
from dvcache.settings.kinds import CLASSES
from dvcache.settings.options import KEYS, KNOWN
from dvcache.settings.spelling import nearest


def check_names(entry: Mapping[str, object], options: Mapping[str, object], alias: str) -> None:
    """Raise for a near miss of a known key or option, and warn of others.

    Nothing is said where a class of the user's is configured, which may read them.

    Args:
        entry: the CACHES entry.
        options: its OPTIONS.
        alias: its alias, for the warning.
    """
    if any(is_foreign(value) for name, value in options.items() if name in _CLASSES):
        return
    for name in entry:
        _check_name(name, KEYS, KNOWN, alias, "{}", "OPTIONS")
    for name in options:
        _check_name(name, KNOWN, KEYS, alias, "OPTIONS[{!r}]", "the entry itself")


_CLASSES: Final = CLASSES | {"SERIALIZER", "COMPRESSOR"}


def _check_name(name: object, known: AbstractSet[str], others: AbstractSet[str], alias: str, *words: str) -> None:
    form, elsewhere = words
    if name in known:
        return
    if not isinstance(name, str):
        raise ConfigurationError(f"every key must be text, not {type(name).__name__}", key="CACHES")
    if name not in others and (near := nearest(name, known)):
        raise ConfigurationError(f"there is no such key; did you mean {near}?", key=form.format(name))
    place = elsewhere if name in others else "OPTIONS['CONNECTION_POOL_KWARGS']" if name in accepted() else ""
    where = f"; it belongs in {place}" if place else ""
    message = f"CACHES[{alias!r}]: {form.format(name)} is not known and was ignored{where}"
    warnings.warn(message, ConfigurationWarning, stacklevel=5)


def is_foreign(value: object) -> bool:
    """Say whether a class or a dotted path is the user's own: neither ours nor valkey-py's."""
    path = value.__module__ if isinstance(value, type) else value
    if not isinstance(path, str):
        return False
    return path.strip().partition(".")[0] not in {"dvcache", "django_valkey", "valkey"}
