"""Wrong names from django-valkey's documentation: accepted, with a warning that names the correct one."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

from dvcache.errors import ConfigurationWarning
from dvcache.settings import renames

SETTINGS: Final = renames.MISSPELT_SETTINGS
OPTIONS: Final = renames.MISSPELT_OPTIONS
POOL_ARGUMENTS: Final = renames.MISSPELT_POOL_ARGUMENTS
PACKAGES: Final = renames.PACKAGES
LIBRARIES: Final = renames.LIBRARIES

BACKENDS: Final[Mapping[str, str]] = {
    name: renames.PATHS[name].new for name in ("django_valkey.async_cache.caches.AsyncValkeyCache",)
}
"""Paths of backends."""

_POOL_KWARGS: Final = "CONNECTION_POOL_KWARGS"


def settings(given: Callable[[str], object]) -> dict[str, object]:
    """Return the settings that are written as in the documentation, by their right names, with a warning for each.

    Args:
        given: returns a setting of the project by its name, None if it is not set.
    """
    found = {name: value for name in SETTINGS if (value := given(name)) is not None}
    for name in found:
        warn(name, SETTINGS[name])
    return {SETTINGS[name]: value for name, value in found.items()}


def options(given: Mapping[str, Any], alias: str) -> dict[str, Any]:
    """Return the OPTIONS of an alias with correct names and dotted paths; warn of each wrong one.

    Args:
        given: the OPTIONS.
        alias: the alias, for the warnings.
    """
    right, wrong = corrected(given)
    for written, meant in wrong.items():
        warn(f"CACHES[{alias!r}]: {written}", meant)
    return right


def corrected(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return OPTIONS with correct names and dotted paths, and the correct name of each wrong one."""
    wrong: dict[str, str] = {}
    right = {name: _path(value, name, wrong) for name, value in _named(given, OPTIONS, "OPTIONS", wrong).items()}
    pool = right.get(_POOL_KWARGS)
    if isinstance(pool, Mapping):
        right[_POOL_KWARGS] = _named(pool, POOL_ARGUMENTS, f"OPTIONS[{_POOL_KWARGS!r}]", wrong)
    return right, wrong


def _named(given: Mapping[str, Any], names: Mapping[str, str], where: str, wrong: dict[str, str]) -> dict[str, Any]:
    """Return a mapping with correct names; a value under the correct name takes precedence."""
    misspelt = names.keys() & given.keys()
    wrong.update({f"{where}[{name!r}]": names[name] for name in misspelt})
    others = {name: value for name, value in given.items() if name not in misspelt}
    return {names[name]: given[name] for name in misspelt} | others


def _path(value: object, name: str, wrong: dict[str, str]) -> object:
    found = next((start for start in PACKAGES if isinstance(value, str) and value.startswith(start)), None)
    if found is None:
        return value
    path = PACKAGES[found] + str(value).removeprefix(found)
    wrong[f"OPTIONS[{name!r}]: {value!r}"] = repr(path)
    return path


def warn(written: str, right: str) -> None:
    """Warn of a wrong name."""
    warnings.warn(message(written, right), ConfigurationWarning, stacklevel=4)


def message(written: str, right: str) -> str:
    """Return the warning for a wrong name."""
    return f"{written} was read as {right}; write that"
