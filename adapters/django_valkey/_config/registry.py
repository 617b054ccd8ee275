"""The containers of this process, by the current settings object and the arguments that Django passes to a backend.

Django creates a backend object for each thread and each async task, so it must be cheap and own nothing. Containers
live here: one is closed when Django's settings have changed *and* no cache object uses the old ones any more, so that
no thread loses a connection in use.
"""

import threading
import warnings
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias, Unpack

from django.core.cache.backends.base import default_key_func

from django_valkey._config import alias_rules, django_settings, session_reads
from django_valkey._overrides.discovery import is_built_in
from django_valkey._overrides.own_contexts import Contexts, contexts, plan
from django_valkey._raw import replaced_pools
from django_valkey.exceptions import improperly_configured
from dvcache import AsyncClient, Client, ConfigurationWarning, Container, Settings
from dvcache.container import Replacements
from dvcache.context import Context
from dvcache.keys import PrefixedKeys
from dvcache.process.fork import renewed_after_fork
from dvcache.provider_checks import check
from dvcache.settings import classes
from dvcache.settings.schema import copied

MakeContainer: TypeAlias = Callable[[Settings, Replacements], Container]


def _made(settings: Settings, replacements: Replacements) -> Container:
    return Container(settings, **replacements)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """The inputs of a container: a backend's class and arguments, global settings, replaced providers."""

    backend: type
    location: object = field(repr=False)
    params: Mapping[str, Any] = field(repr=False)
    globals: Mapping[str, object] = field(repr=False)
    replacements: Replacements
    make: "MakeContainer"

    def is_of(self, backend: type, location: object, params: Mapping[str, Any]) -> bool:
        """Return True if the backend's class and arguments are these."""
        return self.backend is backend and self.params == params and self.location == location

    def is_under(self, given: Mapping[str, object], replacements: Replacements, make: "MakeContainer") -> bool:
        """Return True if the global settings, the replaced providers and the maker of containers are these."""
        return self.globals == given and self.replacements == replacements and self.make is make


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Wired:
    """A container, and the parts of it that a cache object uses. Its connections stay open while this is referenced."""

    source: Source
    container: Container
    context: Context
    client: Client
    async_client: AsyncClient
    params: dict[str, Any] = field(repr=False)
    """Validated arguments of `BaseCache`."""
    own: Contexts | None = None
    """The contexts for the project's own classes, if it has any."""
    others: dict[type, Contexts | None] = field(default_factory=dict)
    """Contexts by client class, for a backend that overrides `get_client_class`."""

    of: "Wired | None" = None
    """The original of a copy from `reassigned`."""

    def reassigned(self, assigned: Mapping[str, Any]) -> "Wired":
        """Return a copy with other keys and timeout, for a cache object with assigned attributes.

        Args:
            assigned: values by the names of Django's attributes: key_prefix, version, default_timeout, key_func.
        """
        given = self.container.settings
        prefix = str(assigned.get("key_prefix", given.key_prefix))
        version = assigned.get("version", self.context.version)
        function = assigned.get("key_func", given.key_function)
        timeout = assigned.get("default_timeout", self.context.timeout)
        own_function = None if function is default_key_func else function
        keys = PrefixedKeys(prefix, version, own_function, given.reverse_key_function)
        context = replace(self.context, keys=keys, version=version, timeout=timeout)
        own = None if self.own is None else contexts(self.own.plan, context)
        return replace(self, context=context, own=own, others={}, of=self.of or self)

    def own_with(self, client: type) -> Contexts | None:
        """Return the contexts for another client class. Errors are those of `plan`."""
        if client not in self.others:
            self.others[client] = _own(self.source, self.context, self.container.settings.alias, client)
        return self.others[client]


class Registry:
    """The containers of this process. Thread-safe."""

    def __init__(self) -> None:
        self._current: tuple[object, tuple[Wired, ...]] = (None, ())
        """A settings object and its containers. Replaced as a whole, so that readers need no lock."""
        self._living: weakref.WeakSet[Wired] = weakref.WeakSet()
        self._replacements: Replacements = {}
        self._make: MakeContainer = _made
        self.renew()

    def renew(self) -> None:
        """Create a new lock: after a fork, a thread that exists only in the parent may hold the old one."""
        self._lock = threading.RLock()

    def wired(self, backend: type, location: object, params: Mapping[str, Any]) -> Wired:
        """Return the container and its parts for a backend's class and arguments, created once.

        Raises:
            ConfigurationError: a setting is wrong; the message names the alias, the key and the cure.
        """
        # Without the lock, since Django creates a backend for every thread and task.
        settings, known = self._current
        if settings is django_settings.current():
            for each in known:
                if each.source.is_of(backend, location, params):
                    return each
        return self._enrolled(backend, location, params)

    def _enrolled(self, backend: type, location: object, params: Mapping[str, Any]) -> Wired:
        """Return the container under the current settings: known, in use from equal settings, or new."""
        with self._lock:
            settings, given = django_settings.snapshot()
            # override_settings in tests changes the settings object often. Containers in use from equal settings are
            # reused, so that their connections survive.
            known = self._current[1] if self._current[0] is settings else ()
            living = (each for each in self._living if each.source.is_under(given, self._replacements, self._make))
            wired = next((each for each in (*known, *living) if each.source.is_of(backend, location, params)), None)
            if wired is None:
                # Copies, so that a later change in the project's dictionaries is noticed as one.
                source = Source(
                    backend=backend,
                    location=copied(location),
                    params=copied(params),
                    globals=given,
                    replacements=self._replacements,
                    make=self._make,
                )
                wired = _wire(source)
                self._living.add(wired)
            if getattr(backend, "mode", "") == "async":
                alias_rules.refuse(backend, location, params)
            if wired not in known:
                _warn_unchecked(wired, known)
                self._current = settings, (*known, wired)
            return wired

    def is_current(self, wired: Wired) -> bool:
        """Return True if this belongs to the current settings."""
        settings, known = self._current
        return settings is django_settings.current() and (wired.of or wired) in known

    @contextmanager
    def replacing(self, replacements: Replacements) -> Iterator[None]:
        """Create containers with these replacements within the block, and forget them after it."""
        outer, self._replacements = self._replacements, replacements
        self._current = None, ()
        try:
            with replaced_pools.replacing(replacements):
                yield
        finally:
            self._replacements = outer
            self._current = None, ()

    @contextmanager
    def making(self, make: MakeContainer) -> Iterator[None]:
        """Create containers with this function within the block, and forget them after it."""
        outer, self._make = self._make, make
        self._current = None, ()
        try:
            yield
        finally:
            self._make = outer
            self._current = None, ()


def _wire(source: Source) -> Wired:
    alias = django_settings.alias_of(source.backend, source.location, source.params)
    client = getattr(source.backend, "DEFAULT_CLIENT_CLASS", None)
    settings = django_settings.parsed({**source.params, "LOCATION": source.location}, alias, source.globals, client)
    container = source.make(settings, source.replacements)
    client, async_client = container.client(), container.async_client()
    context = _context(container)
    # finalize() keeps its arguments alive, so they must not refer to the container.
    weakref.finalize(container, _close, client, async_client)
    return Wired(
        source=source,
        container=container,
        context=context,
        client=client,
        async_client=async_client,
        params=_of_base_cache(source.params, container.settings),
        own=_own(source, context, alias),
    )


def _own(source: Source, context: Context, alias: str, named: object = None) -> Contexts | None:
    backend: Any = source.backend
    named = named or (source.params.get("OPTIONS") or {}).get("CLIENT_CLASS") or backend.DEFAULT_CLIENT_CLASS
    client: Any = None if is_built_in(named) else classes.named(named, "OPTIONS['CLIENT_CLASS']", backend.mode)
    with improperly_configured(alias):
        found = plan(backend, client)
    return contexts(found, context) if found else None


def _warn_unchecked(wired: Wired, known: Collection[Wired]) -> None:
    """Warn of global settings and of aliases that share a database, if `manage.py check` does not check them."""
    if django_settings.is_installed():
        return
    for said in django_settings.unknown_settings():
        warnings.warn(said, ConfigurationWarning, stacklevel=4)
    new = wired.container.settings
    olds = [each.container.settings for each in known]
    for one, others in ((new, olds), *((old, [new]) for old in olds)):
        if wiped := alias_rules.wipes(one, others):
            warnings.warn(f"CACHES[{one.alias!r}]: {wiped}", ConfigurationWarning, stacklevel=4)


def _context(container: Container) -> Context:
    context, settings = container.context(), container.settings
    if (len(settings.endpoints) == 1 and not settings.cluster) or settings.read_only or settings.shards:
        return context
    return replace(context, policy=session_reads.read_from_primary(context.policy))


def _of_base_cache(params: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    return {
        **params,
        "OPTIONS": params.get("OPTIONS") or {},
        "KEY_PREFIX": settings.key_prefix,
        "VERSION": settings.version,
        "KEY_FUNCTION": settings.key_function,
    }


def _close(client: Client, async_client: AsyncClient) -> None:
    client.close()
    async_client.close()


_registry: Final = Registry()
renewed_after_fork(_registry)
wired: Final = _registry.wired
is_current: Final = _registry.is_current
making: Final = _registry.making
replacing: Final = _registry.replacing


@contextmanager
def use(**replacements: Unpack[Replacements]) -> Iterator[None]:
    """Replace providers of every alias's container within the block, for a project's tests.

    `caches` is reset on entry and on exit, as by `django.test.override_settings`::

        with wiring.use(pool_factory=MemoryPoolFactory()):
            ...  # no socket is opened; each alias keeps its prefix, version, serializer and timeouts

    Args:
        replacements: objects by the name of their provider, as for `dvcache.Container`.

    Raises:
        ConfigurationError: there is no such provider, or an object does not have its methods.
    """
    with improperly_configured():
        check(replacements)
    from django.test.utils import override_settings  # noqa: PLC0415  # a large import that only tests need

    with _registry.replacing(replacements), override_settings(CACHES=django_settings.caches()):
        yield
