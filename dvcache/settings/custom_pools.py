"""Pools from the user's own classes: pool, connection, parser or connection factory."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from dvcache.errors import ConfigurationError
from dvcache.pools.connect import parameters
from dvcache.pools.custom.sources import Classes, FromClasses, FromFactory
from dvcache.settings import classes as class_references
from dvcache.settings import counterparts
from dvcache.settings.location import Location
from dvcache.settings.option_names import is_foreign
from dvcache.settings.topology import Topology
from dvcache.types import Mode, PoolSource, Scheme

MakeDriver: TypeAlias = Callable[[Location], PoolSource | None]
"""Return the pool source for one URL of LOCATION; None selects the built-in pools."""

PACKERS: Final = frozenset({"command_packer", "encoder_class"})
CARRIERS: Final = PACKERS | {"connection_class", "parser_class"}
"""Arguments in CONNECTION_POOL_KWARGS that the built-in pools do not support."""

_POOL: Final = "OPTIONS['CONNECTION_POOL_CLASS']"
_KWARGS: Final = "OPTIONS['CONNECTION_POOL_KWARGS']"
_LIBVALKEY: Final = frozenset({"_LibvalkeyParser", "_AsyncLibvalkeyParser"})
_PLAIN_POOL: Final = "valkey.connection.ConnectionPool"
_SENTINEL_POOL: Final = "valkey.sentinel.SentinelConnectionPool"

_Named: TypeAlias = tuple[object, str]
"""A reference to a class, and the setting that holds it."""


def of_entry(options: Mapping[str, Any], wanted: Topology) -> MakeDriver:
    """Return the function that makes the pool source of each URL.

    Args:
        options: the OPTIONS, without None values.
        wanted: the topology of the entry.

    Raises:
        ConfigurationError: a class cannot be imported or created, or lacks a method.
    """
    if "BASE_CLIENT_CLASS" in options:  # not used here, but a wrong one must fail at start-up
        counterparts.named(options["BASE_CLIENT_CLASS"], "OPTIONS['BASE_CLIENT_CLASS']", "sync")
    if wanted.factory is not None and not wanted.cluster:
        made = _factory(wanted.factory, wanted.factory_key, options)
        return lambda location: made.at(_checked_url(location, wanted.factory_key))
    kwargs = options.get("CONNECTION_POOL_KWARGS", {})
    pool, connection = options.get("CONNECTION_POOL_CLASS"), kwargs.get("connection_class")
    parsers = _parsers(options, kwargs)
    packs = any(kwargs.get(name) for name in PACKERS)
    if not (_is_own_pool(pool) or connection or packs or any(map(_is_other_parser, parsers))):
        return lambda _location: None
    # The user's own pool class, or a connection that asks its pool for the address, does Sentinel discovery itself. Any
    # other class only connects to the addresses that dvcache discovers.
    discovers = wanted.sentinel and (_is_own_pool(pool) or _is_managed(connection))
    if wanted.sentinel and not _is_own_pool(pool):
        pool = _SENTINEL_POOL if discovers else _PLAIN_POOL  # with our own discovery each node has its own pool
    named = (pool or _PLAIN_POOL, _POOL), ((connection, _KWARGS) if connection else None), parsers
    driver = FromClasses(sync=_classes("sync", *named), aio=_classes("async", *named), discovers=discovers)

    def checked(location: Location) -> PoolSource:
        for classes in (driver.sync, driver.aio):
            _check_scheme(classes, location.scheme)
        return driver

    return checked


def is_own(options: Mapping[str, Any], wanted: Topology) -> bool:
    """Return True if one of the user's classes receives the connection arguments, and may accept others."""
    connection = options.get("CONNECTION_POOL_KWARGS", {}).get("connection_class")
    return wanted.factory is not None or _is_own_pool(options.get("CONNECTION_POOL_CLASS")) or connection is not None


def _is_own_pool(reference: object) -> bool:
    return reference is not None and is_foreign(class_references.load(reference, _POOL))


def _parsers(options: Mapping[str, Any], kwargs: Mapping[str, Any]) -> list[_Named]:
    named = [(options[name], f"OPTIONS[{name!r}]") for name in ("PARSER_CLASS", "PARSER_CLS") if name in options]
    return [(kwargs["parser_class"], _KWARGS)] if kwargs.get("parser_class") else named


def _is_other_parser(named: _Named) -> bool:
    return getattr(class_references.load(*named), "__name__", "") not in _LIBVALKEY


_NEEDED: Final[Mapping[str, tuple[str, str]]] = {
    "valkeys": ("ssl_cert_reqs", "SSLConnection"),
    "unix": ("path", "UnixDomainSocketConnection"),
    "embedded": ("path", "UnixDomainSocketConnection"),
}
"""Argument that a connection class must accept for a scheme, and the valkey-py class to inherit."""


def _check_scheme(classes: Classes | str, scheme: Scheme) -> None:
    """Raise for a connection class that does not fit the scheme: it could connect without TLS, for example."""
    argument, base = _NEEDED.get(scheme, ("host", "Connection"))
    own = None if isinstance(classes, str) else classes.connection
    if own is not None and argument not in parameters(own):
        message = f"{own.__qualname__} does not accept {argument!r}, which LOCATION {scheme}:// needs; inherit {base}"
        raise ConfigurationError(message, key=_KWARGS)


def _checked_url(location: Location, key: str) -> str:
    if location.scheme == "embedded":
        raise ConfigurationError(
            "embedded:// has no URL for a connection factory of your own; write the URL of a server", key=key
        )
    return location.url


def _is_managed(connection: object) -> bool:
    """Return True if connections get their address from the sentinels through their pool."""
    cls = class_references.load(connection, _KWARGS)
    return isinstance(cls, type) and any(base.__name__ == "SentinelManagedConnection" for base in cls.__mro__)


def _classes(mode: Mode, pool: _Named, connection: _Named | None, parsers: list[_Named]) -> Classes | str:
    """Return the classes of one mode, or the option that names a class of the other mode."""
    made: dict[str, type[Any] | None] = {}
    for part, methods, given in (
        ("pool", ("get_connection", "release"), [pool]),
        ("connection", ("read_response", "send_packed_command"), [connection] if connection else []),
        ("parser", ("read_response",), parsers),
    ):
        fitting = [cls for cls in (_checked(each, methods, mode) for each in given) if cls is not None]
        if given and not fitting:
            return given[0][1]
        made[part] = fitting[0] if fitting else None
    return Classes(**made)  # type: ignore[arg-type]  # the pool is always given


def _checked(named: _Named, methods: tuple[str, ...], mode: Mode) -> type[Any] | None:
    """Return the class for this mode, None if it supports only the other mode."""
    reference, key = named
    cls = counterparts.named(reference, key, mode)
    lacking = [method for method in methods if not callable(getattr(cls, method, None))]
    if lacking:
        raise ConfigurationError(f"{cls.__qualname__} lacks {' and '.join(lacking)}", key=key)
    return cls if counterparts.mode_of(cls, methods[0]) == mode else None


def _factory(cls: type[Any], key: str, options: Mapping[str, Any]) -> FromFactory:
    lacking = [name for name in ("connect", "disconnect") if not callable(getattr(cls, name, None))]
    if lacking:
        raise ConfigurationError(f"{cls.__qualname__} lacks {' and '.join(lacking)}", key=key)
    try:
        factory = cls(dict(options))
    except ConfigurationError as error:
        raise ConfigurationError(error.reason, key=error.key or key) from error
    except Exception as error:
        message = f"{cls.__module__}.{cls.__qualname__} cannot be created: {type(error).__name__}"
        raise ConfigurationError(message, key=key) from error
    mode = counterparts.mode_of(cls, "connect")
    return FromFactory(factory_class=cls, mode=mode, option=key, options=options, url="", factory=factory)
