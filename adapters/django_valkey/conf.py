"""Django's settings as this backend reads them. The only reader of `django.conf.settings`."""

import dataclasses
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any, Final

from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from typing_extensions import override

from django_valkey import spellings
from django_valkey.envelopes import unwrapped
from django_valkey.exceptions import ConfigurationError
from dvcache import Settings, errors
from dvcache.settings import frozen
from dvcache.settings.spelling import hint, nearest
from dvcache.settings.topology import GLOBAL_FACTORY

_AS_OPTIONS: Final = (
    *("COMPRESS_BROTLI_MODE", "COMPRESS_BROTLI_LGWIN", "COMPRESS_BROTLI_LGBLOCK"),
    *("COMPRESS_LZ4_BLOCK_SIZE", "COMPRESS_LZ4_CONTENT_CHECKSUM", "COMPRESS_LZ4_BLOCK_LINKED"),
    *("COMPRESS_LZ4_STORE_SIZE", "COMPRESS_LZMA_FORMAT", "COMPRESS_LZMA_CHECK", "COMPRESS_LZMA_FILTERS"),
    *("DECOMPRESS_LZMA_MEMLIMIT", "DECOMPRESS_LZMA_FORMAT", "DECOMPRESS_LZMA_FILTERS", "COMPRESS_ZLIB_WBITS"),
    *("COMPRESS_ZSTD_OPTIONS", "COMPRESS_ZSTD_DICT", "DECOMPRESS_ZSTD_OPTIONS", "DECOMPRESS_ZSTD_DICT"),
)
"""Global settings that are named as their options."""

FACTORY: Final = "DJANGO_VALKEY_CONNECTION_FACTORY"
GLOBALS: Final[Mapping[str, str]] = {
    FACTORY: "CONNECTION_FACTORY",
    "DJANGO_VALKEY_IGNORE_EXCEPTIONS": "IGNORE_EXCEPTIONS",
    "DJANGO_VALKEY_LOG_IGNORED_EXCEPTIONS": "LOG_IGNORE_EXCEPTIONS",
    "DJANGO_VALKEY_LOGGER": "LOGGER",
    "DJANGO_VALKEY_SCAN_ITERSIZE": "SCAN_COUNT",
    "DJANGO_VALKEY_CLOSE_CONNECTION": "CLOSE_CONNECTION",
    "CACHE_HERD_TIMEOUT": "HERD_TIMEOUT",
    "CACHE_COMPRESS_MIN_LENGTH": "COMPRESS_MIN_LENGTH",
    "CACHE_COMPRESS_LEVEL": "COMPRESS_LEVEL",
    **{name: name for name in _AS_OPTIONS},
}
"""The global settings, each with the option of an alias that it is the default of."""

_SECRET: Final = "SECRET_KEY"  # noqa: S105  # the name of the setting
"""With SECRET_KEY_FALLBACKS, the keys that sign where an alias has no SIGNING_KEYS."""
_LOGGER: Final = {"LOGGER": "django_valkey.base"}
"""Where ignored exceptions are logged if nothing is said."""
_MEANS_NOTHING: Final[Mapping[str, object]] = {"CACHE_COMPRESS_LEVEL": 0}
"""Values as which a global setting is as if it were left out; as an option they mean what they say."""

frozen.name(DEFAULT_TIMEOUT, "django.core.cache.backends.base", "DEFAULT_TIMEOUT")

_PREFIX: Final = "DJANGO_VALKEY_"
_SESSIONS: Final = frozenset({"django.contrib.sessions.backends.cache", "django.contrib.sessions.backends.cached_db"})
_MIDDLEWARE: Final = frozenset(
    f"django.middleware.cache.{name}"
    for name in ("UpdateCacheMiddleware", "FetchFromCacheMiddleware", "CacheMiddleware")
)

_PLAIN: Final = frozenset(
    {None, "django_valkey.client.DefaultClient", "django_valkey.async_cache.client.AsyncDefaultClient"}
)
"""The clients of backends that are of servers without more, and none."""


def current() -> object:
    """Return the settings object of this moment: another one as soon as `override_settings` takes effect or ends."""
    return object.__getattribute__(settings, "_wrapped")


def snapshot() -> tuple[object, dict[str, object]]:
    """Return the settings object of this moment, loaded, and the global settings in it."""
    caches()
    return current(), defaults()


def defaults() -> dict[str, object]:
    """Return the global settings of this backend that the project has, by their right names."""
    given = spellings.settings(_setting) | {name: _setting(name) for name in GLOBALS if _setting(name) is not None}
    chosen = {name: value for name, value in given.items() if value != _MEANS_NOTHING.get(name)}
    return chosen | {_SECRET: _secrets()}


def _setting(name: str) -> object:
    found = getattr(settings, name, None)
    if found is None and not name.isupper():  # Django leaves such names in their module
        found = getattr(sys.modules.get(os.environ.get(ENVIRONMENT_VARIABLE, "")), name, None)
    return found


class _Secrets(tuple[str | bytes, ...]):
    """Keys that no traceback and no report of an error shows."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return f"<{len(self)} secrets>"


def _secrets() -> _Secrets:
    """Return what signs, and then what signed once; nothing where the project has no secret."""
    try:
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    except ImproperlyConfigured:
        return _Secrets()
    return _Secrets(key for key in keys if isinstance(key, str | bytes))


def is_installed() -> bool:
    """Say whether this package is among INSTALLED_APPS, so that `manage.py check` looks at CACHES."""
    return any(name.partition(".")[0] == "django_valkey" for name in settings.INSTALLED_APPS)


def unknown_settings() -> dict[str, bool]:
    """Return what is said of each setting that begins as this backend's do and that nobody reads.

    Each with whether it is a near miss of a known one.
    """
    known = {*GLOBALS, *spellings.SETTINGS}
    unknown = sorted(name for name in dir(settings) if name.startswith(_PREFIX) and name not in known)
    near = {name: hint(name, GLOBALS) for name in unknown}
    told = {f"the setting {name} is not known and was ignored{meant}": bool(meant) for name, meant in near.items()}
    left = {f"the setting {name} was ignored; ours is {ours}": False for name, ours in _left_over().items()}
    return told | left


def _left_over() -> dict[str, str]:
    """Return the settings of another library that no alias uses, each with the one of ours that is not set."""
    backends = {str(entry.get("BACKEND", "")).partition(".")[0] for entry in caches().values()}
    found = {}
    for prefix in (prefix for prefix, package in spellings.LIBRARIES.items() if package not in backends):
        for name in sorted(name for name in dir(settings) if name.startswith(prefix)):
            ours = nearest(_PREFIX + name.removeprefix(prefix), GLOBALS)
            if ours is not None and _setting(ours) is None:
                found[name] = ours
    return found


def sync_callers() -> list[tuple[str, str]]:
    """Return the settings by which Django itself calls an alias synchronously, each with that alias."""
    sessions, middleware = settings.SESSION_ENGINE in _SESSIONS, not _MIDDLEWARE.isdisjoint(settings.MIDDLEWARE)
    named = {"SESSION_CACHE_ALIAS": sessions, "CACHE_MIDDLEWARE_ALIAS": middleware}
    return [(name, getattr(settings, name)) for name, is_used in named.items() if is_used]


def session_alias() -> str | None:
    """Return the alias in which sessions are and nowhere else; None where they are not in a cache."""
    try:
        store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        alone = issubclass(store, import_string("django.contrib.sessions.backends.cache.SessionStore"))
    except (ImportError, ImproperlyConfigured, TypeError):
        return None
    return settings.SESSION_CACHE_ALIAS if alone else None


def connection_factory() -> object:
    """Return the connection factory for every alias that names none itself; None if there is none."""
    return _setting(FACTORY)


def entry(alias: str) -> dict[str, Any]:
    """Return a shallow copy of an alias's entry in CACHES.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return dict(caches()[alias])
    except KeyError:
        known = ", ".join(sorted(caches()))
        raise ConfigurationError(f"there is no such alias; CACHES has {known}", alias=alias) from None


def settings_for(alias: str = "default") -> Settings:
    """Return the core's settings of an alias: its entry in CACHES, over the global settings.

    Raises:
        ConfigurationError: a setting is wrong; names the alias, the key and the cure.
    """
    wanted = entry(alias)
    with warnings.catch_warnings(action="ignore"):  # who makes the cache is told of a BACKEND by another name
        backend = loaded(str(wanted.get("BACKEND", "")))
    return parsed(wanted, alias, defaults(), getattr(backend, "DEFAULT_CLIENT_CLASS", None))


def parsed(wanted: Mapping[str, Any], alias: str, given: Mapping[str, object], client_class: object = None) -> Settings:
    """Return the core's settings of an entry, over the global settings `given`.

    `client_class` is the backend's own client, which an entry has that names none.

    Raises:
        ConfigurationError: a setting is wrong; names the alias, the key and the cure.
    """
    inherited = _LOGGER | {option: given[name] for name, option in GLOBALS.items() if name in given and name != FACTORY}
    inherited["SIGNING_KEYS"] = given.get(_SECRET, ())
    options = wanted.get("OPTIONS") or {}
    try:
        if isinstance(options, Mapping):
            own = {name: value for name, value in spellings.options(options, alias).items() if value is not None}
            if "CLIENT_CLASS" not in own and client_class in _PLAIN:
                inherited["PREFIX_HASHES"] = False  # as django-valkey's default client names them
            elif "CLIENT_CLASS" not in own:
                inherited["CLIENT_CLASS"] = client_class
            wanted = {**wanted, "OPTIONS": {**inherited, **own}}
        else:
            own = {}
        factory = given.get(FACTORY)
        made = Settings.parse(
            wanted,
            alias=alias,
            default_marker=DEFAULT_TIMEOUT,
            connection_factory=factory,
            client_class=client_class,
        )
    except errors.ConfigurationError as error:
        raise ConfigurationError(error.reason, alias=alias, key=_written(error.key, own)) from error
    return dataclasses.replace(made, unwrap=unwrapped)


def _written(key: str, own: Mapping[str, object]) -> str:
    """Return the setting that a wrong option was written as, where the alias has it from a global one."""
    options = {**GLOBALS, _SECRET: "SIGNING_KEYS"}
    names = {f"OPTIONS[{option!r}]": name for name, option in options.items() if option not in own}
    return {**names, GLOBAL_FACTORY: FACTORY}.get(key, key)


def alias_of(backend: type, location: object, params: Mapping[str, object]) -> str:
    """Return the alias that a backend was made for, empty if there is none: Django does not tell its backends.

    Of aliases whose entries are equal, the first: they share its container.
    """
    for alias in caches():
        path, *rest = arguments(alias)
        if rest == [location, params] and loaded(path) is backend:
            return alias
    return ""


def arguments(alias: str) -> tuple[str, object, dict[str, Any]]:
    """Return what Django makes the backend of an alias of: BACKEND, LOCATION and the rest of the entry.

    Raises:
        ConfigurationError: there is no such alias.
    """
    params = entry(alias)
    return str(params.pop("BACKEND", "")), params.pop("LOCATION", ""), params


def loaded(path: str) -> object:
    """Return what a BACKEND names, None if it names nothing."""
    try:
        return import_string(path)
    except ImportError:
        return None


def caches() -> dict[str, dict[str, Any]]:
    """Return CACHES."""
    entries: dict[str, dict[str, Any]] = settings.CACHES
    return entries
