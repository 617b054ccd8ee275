"""The classes that a CACHES entry names, each resolved once to a record.

Only this module judges classes; of dotted paths, it imports those of classes, and `components` the others.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from dvcache.errors import ConfigurationError
from dvcache.settings import other_libraries
from dvcache.settings.class_paths import (
    NONE,
    VALKEY,
    WITHOUT_CLASSES,
    BuiltInClass,
    ClassPaths,
    Part,
    adapter_of,
    is_own,
    of_package,
)
from dvcache.settings.components import check_methods, load
from dvcache.settings.faults import Faults
from dvcache.settings.schema import CLASSES
from dvcache.settings.spelling import hint
from dvcache.types import Mode

GLOBAL_FACTORY: Final = "connection_factory"
"""Key in errors for the global connection factory."""
_CLIENT: Final = "OPTIONS['CLIENT_CLASS']"
_FACTORY: Final = "OPTIONS['CONNECTION_FACTORY']"
_POOL: Final = "OPTIONS['CONNECTION_POOL_CLASS']"
_KWARGS: Final = "OPTIONS['CONNECTION_POOL_KWARGS']"
_READERS: Final = (*CLASSES, "SERIALIZER", "COMPRESSOR")
"""Options whose class may read further options."""
_PARTS: Final[Mapping[Part, tuple[Part, ...]]] = {"client": ("client", "base"), "factory": ("factory", "client")}
"""The parts of the classes that a setting may name, or its class inherit, where they are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRecord:
    """A class that a setting names."""

    path: str
    key: str
    """The setting that names it."""
    is_own: bool
    """True for the user's own class, False for one of dvcache, valkey-py or an adapter."""
    known: tuple[BuiltInClass, ...]
    """The built-in classes among it and its ancestors, the nearest first."""
    cls: type[Any] | None
    """The class; None for an adapter's, which is known by its path and not imported."""

    def in_mode(self, mode: Mode, *methods: str) -> type[Any] | None:
        """Return the class for a mode, a built-in one's counterpart; None if it supports only the other mode.

        Args:
            mode: the mode.
            methods: the methods that the class must have; the first one decides its mode.

        Raises:
            ConfigurationError: a method is missing.
        """
        cls = named(self.cls or self.path, self.key, mode)
        check_methods(cls, methods, self.key)
        return cls if mode_of(cls, methods[0]) == mode else None


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """The classes of an entry."""

    adapter: ClassPaths = NONE
    """The classes of the adapter that the entry names classes of."""
    client: ClassRecord | None = None
    default_client: ClassRecord | None = None
    factory: ClassRecord | None = None
    """The connection factory that is named, for this alias or for all."""
    used_factory: ClassRecord | None = None
    """The connection factory in effect: that of a client if a client or none is named."""
    pool: ClassRecord | None = None
    connection: ClassRecord | None = None
    parsers: tuple[ClassRecord, ...] = ()
    own_factory: ClassRecord | None = None
    """The connection factory in effect, if it is the user's own class."""
    own_pool: ClassRecord | None = None
    is_misplaced: bool = False
    """True if a client is named as the connection factory."""
    reads_options: bool = False
    """True if a class of the user's own may read options unknown here."""
    is_complete: bool = True
    """False if a class that selects the topology could not be resolved."""


def references(
    options: Mapping[str, Any], connection_factory: object, client_class: object, faults: Faults
) -> References:
    """Return the classes that the options name, else the global factory and the default client."""
    client, factory, key = options.get("CLIENT_CLASS"), options.get("CONNECTION_FACTORY"), _FACTORY
    if factory is None:
        factory, key = connection_factory, GLOBAL_FACTORY
    pool, base = options.get("CONNECTION_POOL_CLASS"), options.get("BASE_CLIENT_CLASS")
    kwargs = options.get("CONNECTION_POOL_KWARGS", {})
    parsers = {f"OPTIONS[{name!r}]": options[name] for name in ("PARSER_CLASS", "PARSER_CLS") if name in options}
    if kwargs.get("parser_class"):
        parsers = {_KWARGS: kwargs["parser_class"]}
    readers = [name for name in _READERS if isinstance(options.get(name), str | type)]
    if not (readers or client_class or factory or parsers or kwargs.get("connection_class")):
        return References()
    paths = [path_of(each) for each in (client, client_class, factory) if each]
    own = [name for name in readers if is_own(options[name])]
    adapter = adapter_of(paths)

    def resolved(reference: object, key: str, part: Part) -> ClassRecord | None:
        try:
            return resolve(reference, key, part, adapter) if reference else None
        except ConfigurationError as error:
            faults.append(error)
            return None

    found = References(
        client=resolved(client, _CLIENT, "client"),
        default_client=resolved(client_class, _CLIENT, "client"),
        factory=resolved(factory, key, "factory"),
        pool=resolved(pool, _POOL, "pool"),
        connection=resolved(kwargs.get("connection_class"), _KWARGS, "other"),
        parsers=tuple([each for name, parser in parsers.items() if (each := resolved(parser, name, "other"))]),
    )
    resolved(base, "OPTIONS['BASE_CLIENT_CLASS']", "other")  # not used here, but a wrong one must fail at start-up
    mros = [each.cls.__mro__ for each in (found.client, found.default_client, found.factory) if each and each.cls]
    if adapter is NONE and mros:
        adapter = adapter_of([path_of(cls) for mro in mros for cls in mro])
    if found.client is not None and not found.client.known:
        faults.append(_without_ancestor(found.client, adapter))
    is_misplaced = found.factory is not None and "client" in [each.part for each in found.factory.known]
    used, of_client, used_key = found.factory, found.client, _CLIENT
    if is_misplaced:
        of_client, used_key = found.factory, key
    if (is_misplaced or factory is None) and of_client is not None and of_client.is_own:
        used = resolved(getattr(of_client.cls, "CONNECTION_FACTORY_PATH", None), used_key, "factory")
    wrong = {fault.key for fault in faults}
    return replace(
        found,
        adapter=adapter,
        used_factory=used,
        own_factory=used if used is not None and used.is_own else None,
        own_pool=found.pool if found.pool is not None and found.pool.is_own else None,
        is_misplaced=is_misplaced,
        reads_options=any(f"OPTIONS[{name!r}]" not in wrong for name in own),
        is_complete=wrong.isdisjoint({_CLIENT, _POOL, key}),
    )


def _without_ancestor(client: ClassRecord, adapter: ClassPaths) -> ConfigurationError:
    bases = {path.rpartition(".")[2] for path, each in adapter.by_path.items() if each.part in _PARTS["client"]}
    other = f"a client of an adapter, such as DefaultClient; {WITHOUT_CLASSES}"
    return ConfigurationError(f"{client.path!r} must inherit {' or '.join(sorted(bases)) or other}", key=_CLIENT)


def path_of(reference: object) -> str:
    """Return the dotted path of a class, or the path itself."""
    if isinstance(reference, type):
        return f"{reference.__module__}.{reference.__qualname__}"
    return str(reference).strip()


def resolve(reference: object, key: str, part: Part, adapter: ClassPaths = NONE) -> ClassRecord:
    """Return the record of a class.

    Args:
        reference: a dotted path or a class.
        key: the setting that names it, for the error.
        part: what the class is for.
        adapter: the adapter's classes, to suggest for a misspelt path.

    Raises:
        ConfigurationError: the path names no class, or a class of another library.
    """
    if not isinstance(reference, str | type):
        raise ConfigurationError(f"must be a dotted path or a class, not {type(reference).__name__}", key=key)
    path, parts = path_of(reference), _PARTS.get(part, (part,))
    known = adapter.by_path.get(path)
    # An adapter's classes are known by path: an import would need its framework.
    if known is not None and known.part in parts:
        cls = reference if isinstance(reference, type) else None
        return ClassRecord(path=path, key=key, is_own=False, known=(known,), cls=cls)
    try:
        cls = _class(reference, key)
    except ConfigurationError as error:
        paths = {**VALKEY.by_path, **adapter.by_path}
        near = hint(path, [name for name, each in paths.items() if each.part in parts])
        # A suggestion for the whole path beats one for a name in the module.
        reason = f"{error.reason.partition('; did you mean')[0]}{near}" if near else error.reason
        if adapter is NONE and part in _PARTS:
            reason = f"{reason}; {WITHOUT_CLASSES}"
        raise ConfigurationError(reason, key=key) from error
    own = is_own(cls)
    if own:
        other_libraries.refuse_in("CONNECTION_FACTORY" if part == "factory" else "CLIENT_CLASS", cls, key, adapter)
    ancestors = [(of_package(each) or NONE).by_path.get(each) for each in map(path_of, cls.__mro__)]
    lineage = tuple([each for each in ancestors if each is not None and each.part in parts])
    return ClassRecord(path=path, key=key, is_own=own, known=lineage, cls=cls)


def _class(reference: object, key: str) -> type[Any]:
    found = load(reference, key)
    if not isinstance(found, type):
        raise ConfigurationError(f"must name a class, not {type(found).__name__}", key=key)
    return found


def named(reference: object, key: str, mode: Mode) -> type[Any]:
    """Return the class that a setting names, in the required mode.

    Args:
        reference: a dotted path, or the class itself. A class of the user's own is returned unchanged.
        key: the setting, for the error.
        mode: the mode, "sync" or "async".

    Raises:
        ConfigurationError: the path names no class.
    """
    found = _class(reference, key)
    path = path_of(found)
    other_libraries.refuse_in("CLIENT_CLASS", found, key, adapter_of((path,)))
    counterpart = (of_package(path) or NONE).counterpart(path, mode)
    return found if counterpart is None else named(counterpart, key, mode)


def mode_of(cls: type, method: str) -> Mode:
    """Return the mode of a user's class.

    Args:
        cls: the class.
        method: the name of a method that does I/O. The mode is "async" if it, or a method that it overrides, is a
            coroutine function.
    """
    own = (vars(each).get(method) for each in cls.__mro__)
    return "async" if any(map(inspect.iscoroutinefunction, own)) else "sync"
