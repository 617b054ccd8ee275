"""Check the names in a CACHES entry: errors for misspelt ones, warnings for other unknown ones."""

import warnings
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from dvcache.errors import ConfigurationError, ConfigurationWarning
from dvcache.settings import misplaced_arguments
from dvcache.settings.option_types import CLASSES
from dvcache.settings.schema import KEYS, KNOWN
from dvcache.settings.spelling import nearest


def check_names(entry: Mapping[str, object], options: Mapping[str, object], alias: str) -> None:
    """Raise for a misspelt key or option and for a misplaced connection argument; warn of other unknown names.

    Args:
        entry: the CACHES entry.
        options: its OPTIONS.
        alias: its alias, for the warning.
    """
    misplaced_arguments.refuse_in_entry(_given(entry))
    # A class of the user's own may read options unknown here. Connection arguments in OPTIONS are rejected later, when
    # the connection factory is known (`servers.of_entry`).
    if any(is_foreign(value) for name, value in options.items() if name in _CLASSES):
        return
    for name in _given(entry):
        _check_name(name, KEYS, KNOWN, alias, "{}", "OPTIONS")
    for name in _given(options):
        if not misplaced_arguments.cure(name):
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
    # A name from the other place (an option in the entry, say) is misplaced, not misspelt.
    if name not in others and (near := nearest(name, known)):
        raise ConfigurationError(f"there is no such key; did you mean {near}?", key=form.format(name))
    where = f"; it belongs in {elsewhere}" if name in others else ""
    message = f"CACHES[{alias!r}]: {form.format(name)} is not known and was ignored{where}"
    warnings.warn(message, ConfigurationWarning, stacklevel=5)


def is_foreign(value: object) -> bool:
    """Return True if a class or a dotted path belongs neither to dvcache nor to valkey-py."""
    path = value.__module__ if isinstance(value, type) else value
    if not isinstance(path, str):
        return False
    return path.strip().partition(".")[0] not in {"dvcache", "django_valkey", "valkey"}
