"""Sources of pools of valkey-py's kind: from the user's classes, or from a user's connection factory."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import valkey.asyncio.connection as aio
import valkey.asyncio.sentinel
import valkey.connection as sync
import valkey.sentinel
from typing_extensions import override

from dvcache.errors import ConfigurationError
from dvcache.pools.connect import (
    GREETING,
    aread_replica,
    greeting,
    kept_alive,
    located,
    parameters,
    push_parser,
    read_replica,
)
from dvcache.pools.connecting.bounded_classes import bound_pool, bounded
from dvcache.pools.custom.idle import aend_idle, end_idle
from dvcache.types import Address, Endpoint, Mode, SourcedPool

_OTHERS: Final[Mapping[Mode, str]] = {"sync": "asynchronous", "async": "synchronous"}
_CURES: Final[Mapping[Mode, str]] = {
    "sync": "call the asynchronous methods (aget, aset …), or name a class of synchronous code",
    "async": "call the synchronous methods, or name a class of asynchronous code",
}


def wrong_mode(option: str, wanted: Mode, alias: str = "", where: str = "") -> ConfigurationError:
    """Return the error for a user's class of the other mode.

    Args:
        option: the setting that names the class.
        wanted: the mode of the caller.
        alias: the alias in use.
        where: the name of its settings in messages.
    """
    message = f"names a class of {_OTHERS[wanted]} code, which cannot serve this call; {_CURES[wanted]}"
    return ConfigurationError(message, alias=alias, key=option, where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The classes of one mode."""

    pool: type[Any]
    connection: type[Any] | None = None
    """Connection class; None selects valkey-py's class for the endpoint's scheme."""
    parser: type[Any] | None = None
    """Parser class; None selects valkey-py's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromClasses:
    """Makes pools from the user's pool, connection or parser class; the others are valkey-py's.

    A mode that the user's class does not serve has the name of its option in place of the classes.
    """

    sync: Classes | str
    aio: Classes | str
    discovers: bool = False

    def make(self, endpoint: Endpoint, /) -> SourcedPool:
        """Return a pool (see `types.PoolSource`)."""
        if isinstance(self.sync, str):
            raise wrong_mode(self.sync, "sync", endpoint.alias, endpoint.where)
        pool = _pool(self.sync, located(endpoint), sync, valkey.sentinel.Sentinel, greeting(endpoint, read_replica))
        return SourcedPool(pool, partial(end_idle, pool))

    async def amake(self, endpoint: Endpoint, /) -> SourcedPool:
        """Return a pool for the running event loop (see `types.PoolSource`)."""
        if isinstance(self.aio, str):
            raise wrong_mode(self.aio, "async", endpoint.alias, endpoint.where)
        if endpoint.scheme == "embedded":
            endpoint = await asyncio.to_thread(located, endpoint)
        pool = _pool(self.aio, endpoint, aio, valkey.asyncio.sentinel.Sentinel, greeting(endpoint, aread_replica))
        return SourcedPool(pool, partial(aend_idle, pool))


def _pool(classes: Classes, endpoint: Endpoint, module: Any, sentinel: type[Any], more: Mapping[str, Any]) -> Any:
    own = {"valkeys": module.SSLConnection, "unix": module.UnixDomainSocketConnection}
    connection = classes.connection or own.get(endpoint.scheme, module.Connection)
    if more and GREETING not in parameters(connection):
        message = f"{connection.__qualname__} takes no {GREETING!r}, which makes replicas of a cluster serve reads"
        cure = "inherit Connection, or leave READ_FROM at 'primary'"
        named = {"alias": endpoint.alias, "where": endpoint.where}
        raise ConfigurationError(f"{message}; {cure}", **named, key="OPTIONS['CONNECTION_POOL_KWARGS']")
    arguments = _arguments(classes, connection, endpoint) | dict(more)
    if endpoint.service:
        arguments |= _discovery(endpoint, sentinel, arguments)
        return classes.pool.from_url(f"valkey://{quote(endpoint.service)}/{endpoint.db}", **arguments)
    if classes.connection is not None or endpoint.scheme == "unix":
        # Not by URL: from_url would choose the connection class itself.
        where = {"path": endpoint.path} if endpoint.scheme == "unix" else {"host": endpoint.host, "port": endpoint.port}
        return classes.pool(connection_class=connection, db=endpoint.db, **where, **arguments)
    host = f"[{endpoint.host}]" if ":" in endpoint.host else quote(endpoint.host)
    return classes.pool.from_url(f"{endpoint.scheme}://{host}:{endpoint.port}/{endpoint.db}", **arguments)


def _arguments(classes: Classes, connection: type[Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the arguments of a pool and its connections, without those that only the other mode supports."""
    accepted = parameters(bounded(connection))
    known = _known()
    given = kept_alive(endpoint.options)
    arguments = {name: value for name, value in given.items() if name in accepted or name not in known}
    if "timeout" in endpoint.options and "timeout" in parameters(classes.pool):
        arguments["timeout"] = endpoint.options["timeout"]
    if endpoint.max_connections is not None:
        arguments["max_connections"] = endpoint.max_connections
    if classes.parser is not None:
        arguments["parser_class"] = classes.parser
    else:
        arguments = push_parser(connection, endpoint) | arguments
    if endpoint.service and classes.connection is not None:
        arguments["connection_class"] = classes.connection
    return {**arguments, "socket_timeout": endpoint.timeout, "socket_connect_timeout": endpoint.connect_timeout}


def _known() -> frozenset[str]:
    names = ("Connection", "SSLConnection", "UnixDomainSocketConnection", "BlockingConnectionPool")
    return frozenset().union(*(parameters(getattr(module, name)) for module in (sync, aio) for name in names))


def _discovery(endpoint: Endpoint, sentinel: type[Any], connection: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(endpoint.sentinel_options)
    peers = given.pop("min_other_sentinels", 0)
    given.setdefault("socket_timeout", endpoint.connect_timeout)
    manager = sentinel(endpoint.sentinels, min_other_sentinels=peers, sentinel_kwargs=given, **connection)
    for each in manager.sentinels:
        bound_pool(each.connection_pool)
    if endpoint.remap is not None:
        remapped(manager, endpoint.remap)
    security = {"ssl": True} if endpoint.scheme == "valkeys" else {}
    return {
        "service_name": endpoint.service,
        "sentinel_manager": manager,
        "is_master": endpoint.role == "primary",
        **security,
    }


def remapped(manager: Any, remap: Callable[[Address], Address]) -> None:
    """Make valkey-py's `Sentinel` return remapped addresses, where announced ones cannot be reached."""
    discover_primary, discover_replicas = manager.discover_master, manager.discover_slaves
    if inspect.iscoroutinefunction(discover_primary):

        async def primary(service: str) -> Address:
            return remap(await discover_primary(service))

        async def replicas(service: str) -> list[Address]:
            return [remap(each) for each in await discover_replicas(service)]

        manager.discover_master, manager.discover_slaves = primary, replicas
    else:
        manager.discover_master = lambda service: remap(discover_primary(service))
        manager.discover_slaves = lambda service: [remap(each) for each in discover_replicas(service)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FromFactory:
    """Makes pools by a connection factory of the user's, in that factory's mode."""

    factory_class: type[Any]
    mode: Mode
    option: str
    """Setting that names the factory."""
    options: Mapping[str, Any] = field(repr=False)
    """OPTIONS that the factory was made with."""
    url: str = field(repr=False)
    factory: Any = field(repr=False, compare=False)
    discovers: bool = True

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return _remade, (self.factory_class, self.mode, self.option, dict(self.options), self.url)

    def __deepcopy__(self, _: object) -> "FromFactory":
        return self

    def at(self, url: str) -> "FromFactory":
        """Return the source for another URL, with the same factory."""
        return replace(self, url=url)

    def make(self, endpoint: Endpoint, /) -> SourcedPool:
        """Return the pool of the factory's client for the URL (see `types.PoolSource`)."""
        if self.mode != "sync":
            raise wrong_mode(self.option, "sync", endpoint.alias, endpoint.where)
        client = self.factory.connect(self._url(endpoint))
        return SourcedPool(client.connection_pool, partial(self.factory.disconnect, client))

    async def amake(self, endpoint: Endpoint, /) -> SourcedPool:
        """Return the pool of the factory's client for the URL on the running loop (see `types.PoolSource`)."""
        if self.mode != "async":
            raise wrong_mode(self.option, "async", endpoint.alias, endpoint.where)
        client = await self.factory.connect(self._url(endpoint))
        return SourcedPool(client.connection_pool, partial(self.factory.disconnect, client))

    def _url(self, endpoint: Endpoint) -> str:
        """Return the URL; for a service, with the role in its query, the only form that valkey-py supports."""
        split = urlsplit(self.url)
        query = [each for each in parse_qsl(split.query, keep_blank_values=True) if each[0] != "is_master"]
        if endpoint.service:
            query.append(("is_master", "1" if endpoint.role == "primary" else "0"))
        return split._replace(query=urlencode(query)).geturl()


def _remade(cls: type[Any], mode: Mode, option: str, options: Mapping[str, Any], url: str) -> FromFactory:
    """Rebuild the source in another process, with a new factory: pools cannot cross processes."""
    factory = cls(dict(options))
    return FromFactory(factory_class=cls, mode=mode, option=option, options=options, url=url, factory=factory)
