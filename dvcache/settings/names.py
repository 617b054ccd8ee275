"""The names in a CACHES entry: what to say of one that is not known."""

import warnings
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from dvcache.errors import ConfigurationError, ConfigurationWarning
from dvcache.settings import misplaced
from dvcache.settings.kinds import CLASSES
from dvcache.settings.options import KEYS, KNOWN
from dvcache.settings.spelling import nearest


def check_names(entry: Mapping[str, object], options: Mapping[str, object], alias: str) -> None:
    """Raise for a near miss of a known key or option, and for a connection argument; warn of others.

    Nothing but connection arguments is looked for where a class of the user's is configured, which may read the others.
    Those in OPTIONS are refused where the connection factory is known.

    Args:
        entry: the CACHES entry.
        options: its OPTIONS.
        alias: its alias, for the warning.
    """
    misplaced.refuse_in_entry(_given(entry))
    if any(is_foreign(value) for name, value in options.items() if name in _CLASSES):
        return
    for name in _given(entry):
        _check_name(name, KEYS, KNOWN, alias, "{}", "OPTIONS")
    for name in _given(options):
        if not misplaced.cure(name):
            _check_name(name, KNOWN, KEYS, alias, "OPTIONS[{!r}]", "the entry itself")


def _given(mapping: Mapping[str, object]) -> list[str]:
    return [name for name, value in mapping.items() if value is not None]


_CLASSES: Final = CLASSES | {"SERIALIZER", "COMPRESSOR"}


def _check_name(name: object, known: AbstractSet[str], others: AbstractSet[str], alias: str, *words: str) -> None:
    form, elsewhere = words
    if name in known:
        return
    if not isinstance(name, str):
        raise ConfigurationError(f"every key must be text, not {type(name).__name__}", key="CACHES")
    if name not in others and (near := nearest(name, known)):
        raise ConfigurationError(f"there is no such key; did you mean {near}?", key=form.format(name))
    where = f"; it belongs in {elsewhere}" if name in others else ""
    message = f"CACHES[{alias!r}]: {form.format(name)} is not known and was ignored{where}"
    warnings.warn(message, ConfigurationWarning, stacklevel=5)


def is_foreign(value: object) -> bool:
    """Say whether a class or a dotted path is the user's own: neither ours nor valkey-py's."""
    path = value.__module__ if isinstance(value, type) else value
    if not isinstance(path, str):
        return False
    return path.strip().partition(".")[0] not in {"dvcache", "django_valkey", "valkey"}
