"""System checks of CACHES, run before anything is served. They open no connection.

Each message has a section of the docs, which `python -m dvcache docs E001` prints.
"""

import itertools
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from django.core import checks
from django.core.checks import CheckMessage

from django_valkey._backend import aliases as alias_backends
from django_valkey._backend.backend import Backend
from django_valkey._config import alias_rules, deprecated_names, django_settings
from django_valkey.exceptions import ConfigurationError
from django_valkey.serializers.pickle import PickleSerializer
from dvcache import ConfigurationWarning, Endpoint, Settings, serializers
from dvcache.settings.schema import KEYS, KNOWN
from dvcache.settings.spelling import hint
from dvcache.types import Scheme

BACKENDS: Final = (
    "django_valkey.cache.ValkeyCache",
    "django_valkey.async_cache.cache.AsyncValkeyCache",
    "django_valkey.cluster_cache.cache.ClusterValkeyCache",
)
_PICKLES: Final = (PickleSerializer, serializers.PickleSerializer)


_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def check_caches(**_: object) -> list[CheckMessage]:
    """Return all errors and warnings for all aliases of this backend."""
    found = list(itertools.chain.from_iterable(_read(alias) for alias in _aliases()))
    settings = [each for each in found if isinstance(each, Settings)]
    messages = [each for each in found if isinstance(each, CheckMessage)]
    everything = [*messages, *_unknown_settings(), *_called_synchronously(), *_shared(settings), *_sessions(settings)]
    return list({each.msg: each for each in everything}.values())  # a wrong global setting is found once for each alias


def check_deployment(**_: object) -> list[CheckMessage]:
    """Return warnings for production: unsigned pickles, development servers, unverified certificates."""
    found = itertools.chain.from_iterable(_read(alias) for alias in _aliases())
    settings = [each for each in found if isinstance(each, Settings)]
    pickles = [
        _warning(3, f"CACHES[{each.alias!r}]: unsigned pickles are read from a server that is reached {how}")
        for each in settings
        if _reads_pickles(each) and (how := _exposed(each.endpoints))
    ]
    return [*pickles, *_for_development(settings), *_unverified(settings)]


def _error(number: int, message: str) -> CheckMessage:
    return checks.Error(message, hint=_see(f"E{number:03}"), id=f"django_valkey.E{number:03}")


def _warning(number: int, message: str) -> CheckMessage:
    return checks.Warning(message, hint=_see(f"W{number:03}"), id=f"django_valkey.W{number:03}")


def _see(number: str) -> str:
    return f"Run: python -m dvcache docs {number}"


def _aliases() -> list[str]:
    """Return the aliases whose BACKEND is, or looks like, one of this package."""
    paths = {alias: django_settings.arguments(alias)[0] for alias in django_settings.caches()}
    return [
        alias
        for alias, path in paths.items()
        if path.replace("-", "_").startswith("django_valkey.") or _backend(path) is not None
    ]


def _backend(path: str) -> type[Backend] | None:
    found = django_settings.loaded(path)
    return found if isinstance(found, type) and issubclass(found, Backend) else None


def _read(alias: str) -> Iterator[Settings | CheckMessage]:
    """Yield the settings of an alias if they are valid, and its errors and warnings."""
    path, *_ = django_settings.arguments(alias)
    where = f"CACHES[{alias!r}]: BACKEND"
    is_there = _backend(path) is not None
    if not is_there:
        yield _error(4, f"{where}: {path!r} is not a backend of django_valkey{hint(path, BACKENDS)}")
    if path in deprecated_names.BACKENDS:
        yield _warning(1, deprecated_names.message(f"{where}: {path!r}", repr(deprecated_names.BACKENDS[path])))
    found: list[Settings | CheckMessage] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found.append(django_settings.settings_for(alias))
            if is_there:
                alias_backends.of_alias(alias)
        except ConfigurationError as error:
            found.extend(_error(_number(fault), str(fault)) for fault in error.faults)
    yield from found
    for each in caught:
        # Warnings from importing a BACKEND name no alias, and are reported above.
        if issubclass(each.category, ConfigurationWarning) and not str(each.message).startswith("BACKEND: "):
            yield _warning(1, str(each.message))


def _number(error: ConfigurationError) -> int:
    if "pip install" in error.reason:
        return 3
    name = error.key.removeprefix("OPTIONS['").removesuffix("']")
    return 2 if name in {*KEYS, *KNOWN, *django_settings.GLOBALS} else 1


def _unknown_settings() -> list[CheckMessage]:
    return [(_error if is_near else _warning)(1, said) for said, is_near in django_settings.unknown_settings().items()]


def _called_synchronously() -> Iterable[CheckMessage]:
    aliases = _aliases()
    for setting, alias in django_settings.sync_callers():
        backend = _backend(django_settings.arguments(alias)[0]) if alias in aliases else None
        if backend is not None and backend.mode == "async":
            yield _error(_CALLERS[setting], f"CACHES[{alias!r}]: BACKEND: {alias_rules.reason(backend, setting)}")


_CALLERS: Final = {"SESSION_CACHE_ALIAS": 5, "CACHE_MIDDLEWARE_ALIAS": 6}


def _shared(settings: Collection[Settings]) -> Iterable[CheckMessage]:
    for one in settings:
        if wiped := alias_rules.wipes(one, (each for each in settings if each is not one)):
            yield _warning(2, f"CACHES[{one.alias!r}]: {wiped}")


def _for_development(settings: Iterable[Settings]) -> Iterable[CheckMessage]:
    for one in settings:
        schemes = {each.scheme for each in one.endpoints}
        for scheme, meaning in sorted(_DEVELOPMENT.items()):
            if scheme in schemes:
                yield _warning(4, f"CACHES[{one.alias!r}]: LOCATION is {scheme}://: {meaning}")


_DEVELOPMENT: Final[Mapping[Scheme, str]] = {
    "embedded": "each process starts its own server, so workers share neither entries nor sessions",
    "memory": "each process has its own entries, so workers share neither entries nor sessions",
}
"""Schemes for tests and development, and the reason not to use them in production."""


def _sessions(settings: Iterable[Settings]) -> Iterable[CheckMessage]:
    alias = django_settings.session_alias()
    for one in settings:
        if one.alias == alias and one.ignore_exceptions:
            yield _warning(
                5,
                f"CACHES[{alias!r}]: sessions are in this alias (SESSION_CACHE_ALIAS), and IGNORE_EXCEPTIONS is set: "
                "while the server is down, each login tries 10,000 keys and fails; use another alias for sessions, "
                "or set SESSION_ENGINE = 'django.contrib.sessions.backends.cached_db'",
            )


def _unverified(settings: Iterable[Settings]) -> Iterable[CheckMessage]:
    """Yield a warning for each alias that accepts certificates of another host, or any certificate."""
    for each in settings:
        servers = [endpoint.options for endpoint in each.endpoints if endpoint.scheme == "valkeys"]
        sentinels = [endpoint.sentinel_options for endpoint in each.endpoints if endpoint.sentinel_options.get("ssl")]
        for name, secured in (("servers", servers), ("sentinels", sentinels)):
            where = f"CACHES[{each.alias!r}]: the certificates of {name}"
            if any(options.get("ssl_cert_reqs") == "none" for options in secured):
                yield _warning(7, f"{where} are not verified: ssl_cert_reqs is 'none'")
            elif not all(options.get("ssl_check_hostname") for options in secured):
                yield _warning(6, f"{where} may name another host; set OPTIONS['TLS_CHECK_HOSTNAME'] = True")


def _reads_pickles(settings: Settings) -> bool:
    return any(isinstance(each, _PICKLES) for each in (settings.serializer, *settings.serializer_fallbacks))


def _exposed(endpoints: Iterable[Endpoint]) -> str:
    """Return how others could write to the server, such as "without TLS"; an empty string if they cannot."""
    remote = [each for each in endpoints if each.scheme in {"valkey", "valkeys"}]
    open_to_all = any(not _SECRETS & each.options.keys() for each in remote)
    in_clear = any(each.scheme == "valkey" and each.host not in _LOOPBACK for each in remote)
    faults = [fault for fault, is_so in (("without a password", open_to_all), ("without TLS", in_clear)) if is_so]
    return " and ".join(faults)


_SECRETS: Final = frozenset({"password", "credential_provider", "ssl_certfile"})
"""Connection arguments that authenticate the client."""
