"""Pools from the user's own classes: pool, connection, parser or connection factory."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dvcache.errors import ConfigurationError
from dvcache.pools.connect import parameters
from dvcache.pools.custom.sources import Classes, FromClasses, FromFactory
from dvcache.settings.class_paths import TopologyKind
from dvcache.settings.classes import ClassRecord, References, mode_of, resolve
from dvcache.settings.components import check_methods
from dvcache.settings.faults import Faults
from dvcache.settings.location import Url
from dvcache.types import Mode, PoolSource, Scheme

PACKERS: Final = frozenset({"command_packer", "encoder_class"})
CARRIERS: Final = PACKERS | {"connection_class", "parser_class"}
"""Arguments in CONNECTION_POOL_KWARGS that the built-in pools do not support."""

_KWARGS: Final = "OPTIONS['CONNECTION_POOL_KWARGS']"
_LIBVALKEY: Final = frozenset({"_LibvalkeyParser", "_AsyncLibvalkeyParser"})


def source(
    options: Mapping[str, Any], classes: References, faults: Faults, *, kind: TopologyKind
) -> FromClasses | FromFactory | None:
    """Return the pool source of an entry, None for the built-in pools; add a fault for a class that cannot be used."""
    try:
        if classes.own_factory is not None and kind != "cluster":
            return _factory(classes.own_factory, options)
        return _of_classes(options, classes, on_sentinels=kind == "sentinel")
    except ConfigurationError as error:
        faults.append(error)
        return None


def of_urls(made: FromClasses | FromFactory | None, read: Sequence[Url], faults: Faults) -> list[PoolSource | None]:
    """Return the pool source of each URL; add a fault for each class that does not fit its scheme."""
    if isinstance(made, FromFactory):
        message = "embedded:// has no URL for a connection factory of your own; write the URL of a server"
        faults.extend(ConfigurationError(message, key=made.option) for each in read if each.scheme == "embedded")
        return [made.at(each.url) for each in read]
    for classes in () if made is None else (made.sync, made.aio):
        for each in read:
            faults.extend(_misfits(classes, each.scheme))
    return [made for _ in read]


def _of_classes(options: Mapping[str, Any], classes: References, *, on_sentinels: bool) -> FromClasses | None:
    kwargs = options.get("CONNECTION_POOL_KWARGS", {})
    parses = any(each.cls is not None and each.cls.__name__ not in _LIBVALKEY for each in classes.parsers)
    if not (classes.own_pool or classes.connection or parses or any(kwargs.get(name) for name in PACKERS)):
        return None
    # The user's own pool class, or a connection that asks its pool for the address, does Sentinel discovery itself. Any
    # other class only connects to the addresses that dvcache discovers.
    discovers = on_sentinels and bool(classes.own_pool or _is_managed(classes.connection))
    pool = classes.pool
    if pool is None or (on_sentinels and not classes.own_pool):  # with our own discovery each node has its own pool
        path = "valkey.sentinel.SentinelConnectionPool" if discovers else "valkey.connection.ConnectionPool"
        pool = resolve(path, "OPTIONS['CONNECTION_POOL_CLASS']", "pool")
    sync, aio = (_classes(mode, pool, classes) for mode in ("sync", "async"))
    return FromClasses(sync=sync, aio=aio, discovers=discovers)


_NEEDED: Final[Mapping[str, tuple[str, str]]] = {
    "valkeys": ("ssl_cert_reqs", "SSLConnection"),
    "unix": ("path", "UnixDomainSocketConnection"),
    "embedded": ("path", "UnixDomainSocketConnection"),
}
"""Argument that a connection class must accept for a scheme, and the valkey-py class to inherit."""


def _misfits(classes: Classes | str, scheme: Scheme) -> list[ConfigurationError]:
    """Return a fault for a connection class that does not fit the scheme: it could connect without TLS, for example."""
    argument, base = _NEEDED.get(scheme, ("host", "Connection"))
    own = None if isinstance(classes, str) else classes.connection
    if own is None or argument in parameters(own):
        return []
    message = f"{own.__qualname__} does not accept {argument!r}, which LOCATION {scheme}:// needs; inherit {base}"
    return [ConfigurationError(message, key=_KWARGS)]


def _is_managed(connection: ClassRecord | None) -> bool:
    """Return True if connections get their address from the sentinels through their pool."""
    cls = None if connection is None else connection.cls
    return cls is not None and any(base.__name__ == "SentinelManagedConnection" for base in cls.__mro__)


def _classes(mode: Mode, pool: ClassRecord, classes: References) -> Classes | str:
    """Return the classes of one mode, or the option that names a class of the other mode."""
    made: dict[str, type[Any] | None] = {}
    for part, methods, given in (
        ("pool", ("get_connection", "release"), [pool]),
        ("connection", ("read_response", "send_packed_command"), [classes.connection] if classes.connection else []),
        ("parser", ("read_response",), classes.parsers),
    ):
        fitting = [cls for each in given if (cls := each.in_mode(mode, *methods)) is not None]
        if given and not fitting:
            return given[0].key
        made[part] = fitting[0] if fitting else None
    return Classes(**made)  # type: ignore[arg-type]  # the pool is always given


def _factory(record: ClassRecord, options: Mapping[str, Any]) -> FromFactory:
    cls: Any = record.cls
    key = record.key
    check_methods(cls, ("connect", "disconnect"), key)
    try:
        factory = cls(dict(options))
    except ConfigurationError as error:
        raise ConfigurationError(error.reason, key=error.key or key) from error
    except Exception as error:
        message = f"{cls.__module__}.{cls.__qualname__} cannot be created: {type(error).__name__}"
        raise ConfigurationError(message, key=key) from error
    mode = mode_of(cls, "connect")
    return FromFactory(factory_class=cls, mode=mode, option=key, options=options, url="", factory=factory)
