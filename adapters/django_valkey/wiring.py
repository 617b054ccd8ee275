"""The containers of this process, found by the settings object of the moment and by what Django gives a backend.

Django makes a backend object for each thread and each asynchronous task, so one must cost microseconds and own nothing.
What it works with lives here for as long as somebody uses it: a container is closed when Django's settings have changed
*and* no cache object uses the old ones any more, so that no thread loses a connection that it is using.
"""

import threading
import warnings
import weakref
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Unpack

from django.core.cache.backends.base import default_key_func

from django_valkey import callers, conf, neighbours, replaced, sessions
from django_valkey.exceptions import ConfigurationError, improperly_configured
from django_valkey.overrides.classes import is_built_in
from django_valkey.overrides.contexts import Contexts, contexts
from django_valkey.overrides.plans import plan
from dvcache import AsyncClient, Client, ConfigurationWarning, Container, Settings
from dvcache.container import Replacements
from dvcache.keys import PrefixedKeys
from dvcache.operations.context import Context
from dvcache.pools.forking import renewed_after_fork
from dvcache.replacements import check
from dvcache.settings import twins
from dvcache.settings.options import copied


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """What a container is made of: a backend's class and arguments, global settings, replaced providers."""

    backend: type
    location: object = field(repr=False)
    params: Mapping[str, Any] = field(repr=False)
    globals: Mapping[str, object] = field(repr=False)
    replacements: Replacements

    def is_of(self, backend: type, location: object, params: Mapping[str, Any]) -> bool:
        """Say whether these are the backend's class and arguments."""
        return self.backend is backend and self.params == params and self.location == location

    def is_under(self, given: Mapping[str, object], replacements: Replacements) -> bool:
        """Say whether these are the global settings and the replaced providers."""
        return self.globals == given and self.replacements == replacements


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Wired:
    """A container, and what a cache object takes from it. Whoever holds this keeps the connections open."""

    source: Source
    container: Container
    context: Context
    client: Client
    async_client: AsyncClient
    params: dict[str, Any] = field(repr=False)
    """What `BaseCache` takes, checked."""
    own: Contexts | None = None
    """The contexts of classes that the project made."""
    others: dict[type, Contexts | None] = field(default_factory=dict)
    """Those with other classes of clients, for backends whose `get_client_class` the project overrides."""

    of: "Wired | None" = None
    """The parts of this, for a cache object whose key_prefix, version, default_timeout or key_func was assigned."""

    def reassigned(self, assigned: Mapping[str, Any]) -> "Wired":
        """Return the same with other keys and another timeout, by the names of Django's attributes of a cache."""
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
        """Return the contexts with another class of client. Errors are those of `plan`."""
        if client not in self.others:
            self.others[client] = _own(self.source, self.context, self.container.settings.alias, client)
        return self.others[client]


class Registry:
    """What is wired in this process. Used from any thread."""

    def __init__(self) -> None:
        self._current: tuple[object, tuple[Wired, ...]] = (None, ())
        """A settings object, and what is wired under it; replaced as a whole, so that it is read without the lock."""
        self._living: weakref.WeakSet[Wired] = weakref.WeakSet()
        self._replacements: Replacements = {}
        self.renew()

    def renew(self) -> None:
        """Take a new lock: in a forked child the old one may be held by a thread that is not there."""
        self._lock = threading.RLock()

    def wired(self, backend: type, location: object, params: Mapping[str, Any]) -> Wired:
        """Return what belongs to a backend's class and arguments, made once.

        Raises:
            ConfigurationError: a setting is wrong; names the alias, the key and the cure.
        """
        settings, known = self._current
        if settings is conf.current():
            for each in known:
                if each.source.is_of(backend, location, params):
                    return each
        return self._enrolled(backend, location, params)

    def _enrolled(self, backend: type, location: object, params: Mapping[str, Any]) -> Wired:
        """Wire under the settings of this moment, with what is known under them or still used from equal ones."""
        with self._lock:
            settings, given = conf.snapshot()
            known = self._current[1] if self._current[0] is settings else ()
            living = (each for each in self._living if each.source.is_under(given, self._replacements))
            wired = next((each for each in (*known, *living) if each.source.is_of(backend, location, params)), None)
            if wired is None:
                # Copied: what a project changes in its dictionaries later shall be seen as a change.
                source = Source(
                    backend=backend,
                    location=copied(location),
                    params=copied(params),
                    globals=given,
                    replacements=self._replacements,
                )
                wired = _wire(source)
                self._living.add(wired)
            if getattr(backend, "colour", "") == "async":
                callers.refuse(backend, location, params)
            if wired not in known:
                _warn_unchecked(wired, known)
                self._current = settings, (*known, wired)
            return wired

    def is_current(self, wired: Wired) -> bool:
        """Say whether this is what the settings of the moment ask for."""
        settings, known = self._current
        return settings is conf.current() and (wired.of or wired) in known

    @contextmanager
    def replacing(self, replacements: Replacements) -> Iterator[None]:
        """Have containers made with these replacements within the block, and forgotten after it."""
        outer, self._replacements = self._replacements, replacements
        self._current = None, ()
        try:
            with replaced.replacing(replacements):
                yield
        finally:
            self._replacements = outer
            self._current = None, ()


def _wire(source: Source) -> Wired:
    alias = conf.alias_of(source.backend, source.location, source.params)
    client = getattr(source.backend, "DEFAULT_CLIENT_CLASS", None)
    settings = conf.parsed({**source.params, "LOCATION": source.location}, alias, source.globals, client)
    container = Container(settings, **source.replacements)
    client, async_client = container.client(), container.async_client()
    context = _context(container)
    weakref.finalize(container, _close, client, async_client)
    return Wired(
        source=source,
        container=container,
        context=context,
        client=client,
        async_client=async_client,
        params=_of_base_cache(source.params, settings),
        own=_own(source, context, alias),
    )


def _own(source: Source, context: Context, alias: str, named: object = None) -> Contexts | None:
    backend: Any = source.backend
    named = named or (source.params.get("OPTIONS") or {}).get("CLIENT_CLASS") or backend.DEFAULT_CLIENT_CLASS
    client: Any = None if is_built_in(named) else twins.named(named, "OPTIONS['CLIENT_CLASS']", backend.colour)
    with improperly_configured(alias):
        found = plan(backend, client)
    return contexts(found, context) if found else None


def _warn_unchecked(wired: Wired, known: Collection[Wired]) -> None:
    """Say what `manage.py check` would say of global settings and of neighbours, where it does not look."""
    if conf.is_installed():
        return
    for said in conf.unknown_settings():
        warnings.warn(said, ConfigurationWarning, stacklevel=4)
    new = wired.container.settings
    olds = [each.container.settings for each in known]
    for one, others in ((new, olds), *((old, [new]) for old in olds)):
        if wiped := neighbours.wipes(one, others):
            warnings.warn(f"CACHES[{one.alias!r}]: {wiped}", ConfigurationWarning, stacklevel=4)


def _context(container: Container) -> Context:
    context, settings = container.context(), container.settings
    if (len(settings.endpoints) == 1 and not settings.cluster) or settings.read_only or settings.shards:
        return context
    return replace(context, policy=sessions.read_from_primary(context.policy))


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


def of_alias(alias: str) -> Wired:
    """Return what `caches[alias]` works with.

    Raises:
        ConfigurationError: there is no such alias, it is another backend's, or its settings are wrong.
    """
    from django_valkey.backend import Backend  # noqa: PLC0415  # a backend is made of what is wired here

    path, location, params = conf.arguments(alias)
    backend = conf.loaded(path)
    if not isinstance(backend, type) or not issubclass(backend, Backend):
        raise ConfigurationError(f"{path!r} is no backend of django_valkey", alias=alias, key="BACKEND")
    return wired(backend, location, params)


@contextmanager
def use(**replacements: Unpack[Replacements]) -> Iterator[None]:
    """Replace providers of every alias's container within the block: for a project's tests, with its own settings.

    `caches` starts afresh on entry and again on exit, as with `django.test.override_settings`::

        with wiring.use(pool_factory=MemoryPoolFactory()):
            ...  # no socket is opened; each alias keeps its prefix, version, serializer and timeouts

    Args:
        replacements: objects by the name of their provider, as `dvcache.Container` takes them.

    Raises:
        ConfigurationError: there is no such provider, or its object does not fit.
    """
    with improperly_configured():
        check(replacements)
    from django.test.utils import override_settings  # noqa: PLC0415  # loads much of Django, and only tests come here

    with _registry.replacing(replacements), override_settings(CACHES=conf.caches()):
        yield
