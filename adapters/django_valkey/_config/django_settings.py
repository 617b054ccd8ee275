"""Read Django's settings. The only module that reads `django.conf.settings`."""

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

from django_valkey._config import deprecated_names
from django_valkey._legacy.herd_envelope import unwrapped
from django_valkey.exceptions import ConfigurationError
from dvcache import Settings, errors
from dvcache.settings import pickling
from dvcache.settings.classes import GLOBAL_FACTORY
from dvcache.settings.schema import SETTINGS
from dvcache.settings.spelling import hint, nearest

FACTORY: Final = "DJANGO_VALKEY_CONNECTION_FACTORY"
GLOBALS: Final = SETTINGS
"""Global settings, and the option for which each is the default."""

_SECRET: Final = "SECRET_KEY"  # noqa: S105  # the name of the setting
"""With SECRET_KEY_FALLBACKS the default of SIGNING_KEYS."""
_LOGGER: Final = {"LOGGER": "django_valkey.base"}
"""Default logger of ignored exceptions."""
_MEANS_NOTHING: Final[Mapping[str, object]] = {"CACHE_COMPRESS_LEVEL": 0}
"""Values of global settings that count as not set. As an option the same value takes effect."""

pickling.name(DEFAULT_TIMEOUT, "django.core.cache.backends.base", "DEFAULT_TIMEOUT")

_PREFIX: Final = "DJANGO_VALKEY_"
_SESSIONS: Final = frozenset({"django.contrib.sessions.backends.cache", "django.contrib.sessions.backends.cached_db"})
_MIDDLEWARE: Final = frozenset(
    f"django.middleware.cache.{name}"
    for name in ("UpdateCacheMiddleware", "FetchFromCacheMiddleware", "CacheMiddleware")
)

_PLAIN: Final = frozenset(
    {None, "django_valkey.client.DefaultClient", "django_valkey.async_cache.client.AsyncDefaultClient"}
)
"""Default clients of backends for single servers, and None."""


def current() -> object:
    """Return the current settings object. It changes when `override_settings` starts or ends."""
    return object.__getattribute__(settings, "_wrapped")


def snapshot() -> tuple[object, dict[str, object]]:
    """Return the current settings object, loaded, and the global settings in it."""
    caches()
    return current(), defaults()


def defaults() -> dict[str, object]:
    """Return the global settings that the project has set, by their correct names."""
    given = deprecated_names.settings(_setting) | {
        name: _setting(name) for name in GLOBALS if _setting(name) is not None
    }
    chosen = {name: value for name, value in given.items() if value != _MEANS_NOTHING.get(name)}
    return chosen | {_SECRET: _secrets()}


def _setting(name: str) -> object:
    found = getattr(settings, name, None)
    if found is None and not name.isupper():  # Django reads only upper-case names from the module
        found = getattr(sys.modules.get(os.environ.get(ENVIRONMENT_VARIABLE, "")), name, None)
    return found


class _Secrets(tuple[str | bytes, ...]):
    """Keys with a `repr` that hides them from tracebacks and error reports."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return f"<{len(self)} secrets>"


def _secrets() -> _Secrets:
    """Return SECRET_KEY and SECRET_KEY_FALLBACKS; empty if the project has no SECRET_KEY."""
    try:
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    except ImproperlyConfigured:
        return _Secrets()
    return _Secrets(key for key in keys if isinstance(key, str | bytes))


def project() -> dict[str, object]:
    """Return the settings that the project defines, by name; those without a value are left out."""
    # Django warns when a deprecated setting is read, so its defaults are not.
    names = [name for name in dir(settings) if name.isupper() or name in deprecated_names.SETTINGS]
    own = [name for name in names if settings.is_overridden(name)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: value for name in own if (value := _setting(name)) is not None}


def is_installed() -> bool:
    """Return True if this package is in INSTALLED_APPS, so that `manage.py check` checks CACHES."""
    return any(name.partition(".")[0] == "django_valkey" for name in settings.INSTALLED_APPS)


def unknown_settings() -> dict[str, bool]:
    """Return a message for each unknown setting with this backend's prefix, or left over from another library.

    The value is True if the name is close to a known one.
    """
    known = {*GLOBALS, *deprecated_names.SETTINGS}
    unknown = sorted(name for name in dir(settings) if name.startswith(_PREFIX) and name not in known)
    near = {name: hint(name, GLOBALS) for name in unknown}
    messages = {f"the setting {name} is not known and was ignored{meant}": bool(meant) for name, meant in near.items()}
    left = {f"the setting {name} was ignored; write {ours}": False for name, ours in _left_over().items()}
    return messages | left


def _left_over() -> dict[str, str]:
    """Return settings of libraries that no alias uses, each with its counterpart here, if that is not set."""
    backends = {str(entry.get("BACKEND", "")).partition(".")[0] for entry in caches().values()}
    found = {}
    for prefix in (prefix for prefix, package in deprecated_names.LIBRARIES.items() if package not in backends):
        for name in sorted(name for name in dir(settings) if name.startswith(prefix)):
            ours = nearest(_PREFIX + name.removeprefix(prefix), GLOBALS)
            if ours is not None and _setting(ours) is None:
                found[name] = ours
    return found


def sync_callers() -> list[tuple[str, str]]:
    """Return the settings through which Django calls an alias synchronously, each with that alias."""
    sessions, middleware = settings.SESSION_ENGINE in _SESSIONS, not _MIDDLEWARE.isdisjoint(settings.MIDDLEWARE)
    named = {"SESSION_CACHE_ALIAS": sessions, "CACHE_MIDDLEWARE_ALIAS": middleware}
    return [(name, getattr(settings, name)) for name, is_used in named.items() if is_used]


def session_alias() -> str | None:
    """Return the alias that alone stores the sessions; None if they are stored elsewhere or in a database too."""
    try:
        store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        alone = issubclass(store, import_string("django.contrib.sessions.backends.cache.SessionStore"))
    except (ImportError, ImproperlyConfigured, TypeError):
        return None
    return settings.SESSION_CACHE_ALIAS if alone else None


def connection_factory() -> object:
    """Return the global connection factory, or None."""
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
    """Return the parsed settings of an alias: its entry in CACHES, with the global settings as defaults.

    Raises:
        ConfigurationError: a setting is wrong; the message names the alias, the key and the cure.
    """
    wanted = entry(alias)
    with warnings.catch_warnings(action="ignore"):  # a deprecated BACKEND path warns when the cache is created
        backend = loaded(str(wanted.get("BACKEND", "")))
    return parsed(wanted, alias, defaults(), getattr(backend, "DEFAULT_CLIENT_CLASS", None))


def parsed(wanted: Mapping[str, Any], alias: str, given: Mapping[str, object], client_class: object = None) -> Settings:
    """Return the parsed settings of an entry, with the global settings `given` as defaults.

    `client_class` is the backend's default client.

    Raises:
        ConfigurationError: a setting is wrong; the message names the alias, the key and the cure.
    """
    inherited = _LOGGER | {option: given[name] for name, option in GLOBALS.items() if name in given and name != FACTORY}
    inherited["SIGNING_KEYS"] = given.get(_SECRET, ())
    options = wanted.get("OPTIONS") or {}
    own: dict[str, object] = {}
    try:
        if isinstance(options, Mapping):
            own = {name: value for name, value in deprecated_names.options(options, alias).items() if value is not None}
            if "CLIENT_CLASS" not in own and client_class in _PLAIN:
                inherited["PREFIX_HASHES"] = False  # as in django-valkey's default client
            elif "CLIENT_CLASS" not in own:
                inherited["CLIENT_CLASS"] = client_class
            wanted = {**wanted, "OPTIONS": {**inherited, **own}}
        factory = given.get(FACTORY)
        made = Settings.parse(
            wanted,
            alias=alias,
            default_marker=DEFAULT_TIMEOUT,
            connection_factory=factory,
            client_class=client_class,
            where=f"CACHES[{alias!r}]" if alias else "",
        )
    except errors.ConfigurationError as error:
        faults = [errors.ConfigurationError(each.reason, key=_written(each.key, own)) for each in error.faults]
        raise ConfigurationError.joined(faults, alias) from error
    return dataclasses.replace(made, unwrap=unwrapped)


def _written(key: str, own: Mapping[str, object]) -> str:
    """Return the name of the global setting that an option comes from, else the option's key."""
    options = {**GLOBALS, _SECRET: "SIGNING_KEYS"}
    names = {f"OPTIONS[{option!r}]": name for name, option in options.items() if option not in own}
    return {**names, GLOBAL_FACTORY: FACTORY}.get(key, key)


def alias_of(backend: type, location: object, params: Mapping[str, object]) -> str:
    """Return the alias that a backend was created for, or an empty string."""
    # Django does not pass the alias to a backend. Aliases with equal entries share the container of the first one.
    for alias in caches():
        path, *rest = arguments(alias)
        if rest == [location, params] and loaded(path) is backend:
            return alias
    return ""


def arguments(alias: str) -> tuple[str, object, dict[str, Any]]:
    """Return the arguments from which Django creates a backend: BACKEND, LOCATION and the rest of the entry.

    Raises:
        ConfigurationError: there is no such alias.
    """
    params = entry(alias)
    return str(params.pop("BACKEND", "")), params.pop("LOCATION", ""), params


def loaded(path: str) -> object:
    """Return the object that a BACKEND names, None if it cannot be imported."""
    try:
        return import_string(path)
    except ImportError:
        return None


def caches() -> dict[str, dict[str, Any]]:
    """Return CACHES."""
    entries: dict[str, dict[str, Any]] = settings.CACHES
    return entries
