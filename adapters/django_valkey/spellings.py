"""Names that only django-valkey's documentation had: taken for the right ones, with a warning that says those."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

from dvcache.errors import ConfigurationWarning

SETTINGS: Final[Mapping[str, str]] = {
    "DJANGO_VALKEY_IGNORE_EXCEPTION": "DJANGO_VALKEY_IGNORE_EXCEPTIONS",
    "DJANGO_VALKEY_LOG_EXCEPTION": "DJANGO_VALKEY_LOG_IGNORED_EXCEPTIONS",
    "DJANGO_VALKEY_LOG_IGNORED_EXCEPTION": "DJANGO_VALKEY_LOG_IGNORED_EXCEPTIONS",
    "CACHE_COMPRESS_MIN_LEVEL": "CACHE_COMPRESS_MIN_LENGTH",
    "compress_zlib_wbits": "COMPRESS_ZLIB_WBITS",
    "DECOMPERSS_LZMA_FILTERS": "DECOMPRESS_LZMA_FILTERS",
    "COMPRESSION_ZSTD_OPTIONS": "COMPRESS_ZSTD_OPTIONS",
}
"""Django settings."""

OPTIONS: Final[Mapping[str, str]] = {
    "LOG_IGNORED_EXCEPTIONS": "LOG_IGNORE_EXCEPTIONS",
    **{name: SETTINGS[name] for name in ("compress_zlib_wbits", "DECOMPERSS_LZMA_FILTERS", "COMPRESSION_ZSTD_OPTIONS")},
}
POOL_ARGUMENTS: Final[Mapping[str, str]] = {"max_connection": "max_connections"}
"""Of OPTIONS["CONNECTION_POOL_KWARGS"]."""
PACKAGES: Final[Mapping[str, str]] = {"django_valkey.serializer.": "django_valkey.serializers."}
"""How dotted paths begin."""

BACKENDS: Final[Mapping[str, str]] = {
    "django_valkey.async_cache.caches.AsyncValkeyCache": "django_valkey.async_cache.cache.AsyncValkeyCache"
}

_POOL_KWARGS: Final = "CONNECTION_POOL_KWARGS"


def settings(given: Callable[[str], object]) -> dict[str, object]:
    """Return the settings that are written as in the documentation, by their right names, with a warning for each.

    Args:
        given: returns a setting of the project by its name, None where it has none.
    """
    found = {name: value for name in SETTINGS if (value := given(name)) is not None}
    for name in found:
        warn(name, SETTINGS[name])
    return {SETTINGS[name]: value for name, value in found.items()}


def options(given: Mapping[str, Any], alias: str) -> dict[str, Any]:
    """Return the OPTIONS of an alias with the right names and dotted paths, with a warning for each that is not.

    Args:
        given: the OPTIONS.
        alias: the alias, for the warnings.
    """
    where = f"CACHES[{alias!r}]: OPTIONS"
    right = {name: _path(value, f"{where}[{name!r}]") for name, value in _named(given, OPTIONS, where).items()}
    pool = right.get(_POOL_KWARGS)
    if isinstance(pool, Mapping):
        right[_POOL_KWARGS] = _named(pool, POOL_ARGUMENTS, f"{where}[{_POOL_KWARGS!r}]")
    return right


def _named(given: Mapping[str, Any], names: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return a mapping by its right names; what was there by the right name prevails."""
    wrong = names.keys() & given.keys()
    for name in wrong:
        warn(f"{where}[{name!r}]", names[name])
    return {names[name]: given[name] for name in wrong} | {
        name: value for name, value in given.items() if name not in wrong
    }


def _path(value: object, where: str) -> object:
    if isinstance(value, str):
        for wrong, right in PACKAGES.items():
            if value.startswith(wrong):
                path = right + value.removeprefix(wrong)
                warn(f"{where}: {value!r}", repr(path))
                return path
    return value


def warn(written: str, right: str) -> None:
    """Say what is the right name of what was written."""
    warnings.warn(message(written, right), ConfigurationWarning, stacklevel=4)


def message(written: str, right: str) -> str:
    """Return what is said of a name that is taken for the right one."""
    return f"{written} is taken for {right}; write that"
