"""Base of the sync and async connection factories, which make valkey-py clients for raw access.

The cache itself uses its own connections. Only with a project's own factory class does it use the pools of the clients
that the factory connects.
"""

import asyncio
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from typing_extensions import override

from django_valkey._config import deprecated_names
from django_valkey._raw import connection_arguments, replaced_pools
from django_valkey._raw.freeze import frozen
from django_valkey._raw.pools import shared
from django_valkey.exceptions import ConfigurationError, improperly_configured
from dvcache import NotSupportedError
from dvcache.numeric_arguments import with_plain_numbers
from dvcache.pools.custom.sources import remapped, wrong_mode
from dvcache.provider_checks import CREDENTIALS
from dvcache.settings import classes, components
from dvcache.settings.class_paths import is_own
from dvcache.settings.connections import of_service
from dvcache.settings.schema import copied
from dvcache.types import Mode

Base = TypeVar("Base")
Pool = TypeVar("Pool")


class BaseConnectionFactory(Generic[Base, Pool]):
    """Makes valkey-py clients for URLs. Clients with equal factory class, options and URL share a pool.

    Args:
        options: the OPTIONS of an alias; they are copied and never changed.

    Raises:
        ConfigurationError: a class that the options name cannot be imported.
    """

    mode: ClassVar[Mode] = "sync"
    """The mode; in a subclass, that of its `connect`."""
    path_pool_cls: ClassVar[str]
    path_base_cls: ClassVar[str]
    path_parser_cls: ClassVar[str] = "valkey.connection.DefaultParser"
    _pools: ClassVar[dict[Hashable, Any]] = shared.pools
    """Pools of sync factories, by factory class, options and parameters."""

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.mode = classes.mode_of(cls, "connect")

    def __init__(self, options: Mapping[str, Any]) -> None:
        right, _ = deprecated_names.corrected(options)
        self.options: dict[str, Any] = {name: copied(each) for name, each in right.items() if each is not None}
        self.pool_cls: type[Any] = self._class("CONNECTION_POOL_CLASS", self.path_pool_cls)
        self.pool_cls_kwargs: dict[str, Any] = connection_arguments.connection(
            self.options.get("CONNECTION_POOL_KWARGS", {})
        )
        self.base_client_cls: type[Any] = self._class("BASE_CLIENT_CLASS", self.path_base_cls)
        self.base_client_cls_kwargs: dict[str, Any] = connection_arguments.connection(
            self.options.get("BASE_CLIENT_KWARGS", {})
        )

    def _class(self, option: str, default: str) -> type[Any]:
        return _configured(self.options.get(option, default), option, self.mode)

    def make_connection_params(self, url: str | None) -> dict[str, Any]:
        """Return the arguments of a pool: the URL, and connection arguments from the options. Timeouts are in seconds.

        Raises:
            ConfigurationError: a timeout is not a number.
            NotSupportedError: the URL is `memory://`, which has no server, or a test has replaced the pools.
        """
        replaced_pools.refuse_raw()
        params: dict[str, Any] = {"url": url and reachable(url), "parser_class": self.get_parser_cls()}
        for option, name in (
            ("SOCKET_TIMEOUT", "Socket timeout"),
            ("SOCKET_CONNECT_TIMEOUT", "Socket connect timeout"),
        ):
            if seconds := with_plain_numbers(self.options.get(option)):
                if not isinstance(seconds, int | float):
                    raise ConfigurationError(f"{name} should be float or integer", key=f"OPTIONS[{option!r}]")
                params[option.lower()] = seconds
        for option in ("USERNAME", "PASSWORD"):
            if self.options.get(option):
                params[option.lower()] = self.options[option]
        return params

    def _credentials(self) -> dict[str, Any]:
        """Return the credential provider, a new one for each pool if the options name a class."""
        provider, key = self.options.get("CREDENTIAL_PROVIDER"), "OPTIONS['CREDENTIAL_PROVIDER']"
        if provider is None:
            return {}
        with improperly_configured():
            return {"credential_provider": components.build(provider, self.options, key, CREDENTIALS)}

    def get_parser_cls(self) -> type[Any]:
        """Return the reply parser class: PARSER_CLASS, PARSER_CLS, or valkey-py's default."""
        option = "PARSER_CLASS" if "PARSER_CLASS" in self.options else "PARSER_CLS"
        return self._class(option, self.path_parser_cls)

    def get_connection_pool(self, params: Mapping[str, Any]) -> Any:
        """Return a new pool.

        Args:
            params: as `make_connection_params` returns them.
        """
        replaced_pools.refuse_raw("a valkey-py pool")
        given = {**params, **self._credentials(), **self.pool_cls_kwargs}
        url = connection_arguments.of_url(in_role(given["url"]))
        tls = urlsplit(url).scheme in {"valkeys", "rediss"} or bool(given.get("ssl"))
        return self.pool_cls.from_url(
            **{**given, **connection_arguments.checked_hosts(self.options, tls=tls), "url": url}
        )

    def get_or_create_connection_pool(self, params: Mapping[str, Any]) -> Any:
        """Return the shared pool of these parameters, created once for each factory class, options and event loop."""
        replaced_pools.refuse_raw("a valkey-py pool")
        key = type(self), frozen(self.options), frozen(params)
        with shared.lock:
            pools = shared.of(asyncio.get_running_loop() if self.mode == "async" else None)
            if key not in pools:
                pools[key] = self.get_connection_pool(params)
            return pools[key]

    def _client(self, params: Mapping[str, Any]) -> Any:
        pool = self.get_or_create_connection_pool(params)
        # With Sentinel the pool maps addresses, and a client of one server has no argument for it.
        known = {name: each for name, each in self.base_client_cls_kwargs.items() if name != "address_remap"}
        return self.base_client_cls(connection_pool=pool, **known)


class BaseSentinelConnectionFactory(BaseConnectionFactory[Base, Pool]):
    """Makes clients for the nodes of a Sentinel service: the host of the URL is the service name.

    `is_master` in the URL's query selects the primary (the default) or the replicas. `valkeys://` means TLS to the
    nodes.

    Args:
        options: the OPTIONS of an alias, including SENTINELS and SENTINEL_KWARGS.

    Raises:
        ConfigurationError: SENTINELS is missing, or the pool class does not support Sentinel.
    """

    path_sentinel_cls: ClassVar[str]

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        sentinels = self.options.get("SENTINELS")
        if not sentinels:
            raise ConfigurationError(
                "SENTINELS must be provided as a list of (host, port).", key="OPTIONS['SENTINELS']"
            )
        if not issubclass(self.pool_cls, _configured(self.path_pool_cls, "CONNECTION_POOL_CLASS", self.mode)):
            raise ConfigurationError(
                "Settings DJANGO_VALKEY_CONNECTION_FACTORY or CACHE[].OPTIONS.CONNECTION_POOL_CLASS is not configured "
                f"correctly. Write {self.path_pool_cls!r}, or leave it out",
                key="OPTIONS['CONNECTION_POOL_CLASS']",
            )
        self.sentinels: list[tuple[str, int]] = [(str(host), int(port)) for host, port in sentinels]

    @override
    def get_connection_pool(self, params: Mapping[str, Any]) -> Any:
        with improperly_configured():
            location = of_service(params["url"])
        url = _plain(params["url"])
        role = {"is_master": location.is_master is not False}
        security = {"ssl": True} if location.scheme == "valkeys" else {}
        named = {"service_name": location.name, "sentinel_manager": self._sentinel_of(params)}
        return super().get_connection_pool({**params, "url": url, **role, **security, **named})

    def _sentinel_of(self, params: Mapping[str, Any]) -> Any:
        """Return a valkey-py `Sentinel` for one pool, with connections of its own."""
        # Without SENTINEL_KWARGS valkey-py uses the timeouts of the nodes for the sentinels.
        given = self.options.get("SENTINEL_KWARGS")
        arguments = None if given is None else connection_arguments.connection(given)
        others = (arguments or {}).pop("min_other_sentinels", 0)
        if arguments is not None:
            arguments |= connection_arguments.checked_hosts(self.options, tls=bool(arguments.get("ssl")))
        connection = {name: each for name, each in {**params, **self.pool_cls_kwargs}.items() if name != "url"}
        cls = _configured(self.path_sentinel_cls, "SENTINELS", self.mode)
        sentinel = cls(self.sentinels, min_other_sentinels=others, sentinel_kwargs=arguments, **connection)
        if (mapped := connection_arguments.address_remap(self.options)) is not None:
            remapped(sentinel, mapped)
        return sentinel


def in_role(url: str, **role: str) -> str:
    """Return the URL with its role in the query replaced or removed."""
    split = urlsplit(url)
    if not role and "is_master" not in split.query:
        return url
    others = [each for each in parse_qsl(split.query, keep_blank_values=True) if each[0] != "is_master"]
    return split._replace(query=urlencode([*others, *role.items()])).geturl()


def reachable(url: str) -> str:
    """Return a URL that valkey-py supports; for `embedded://` that of the server's socket, starting it if necessary.

    Raises:
        NotSupportedError: the URL is `memory://`, which has no server.
    """
    split = urlsplit(url)
    if split.scheme == "memory":
        raise NotSupportedError("memory:// has no server for a valkey-py client; write embedded://")
    if split.scheme != "embedded":
        return url
    from dvcache.pools.embedded.shared import embedded_server  # noqa: PLC0415  # slow import

    db = split.path.strip("/")
    query = [*parse_qsl(split.query, keep_blank_values=True), *([("db", db)] if db else [])]
    return f"unix://{split.netloc}{embedded_server()}?{urlencode(query)}"


def _plain(url: str) -> str:
    """Return the URL without role and TLS."""
    # valkey-py would read the role as text, and for TLS replace the connection class that asks the sentinels.
    return urlsplit(in_role(url))._replace(scheme="valkey").geturl()


_TELLING: Final = {"CONNECTION_POOL_CLASS": "get_connection", "BASE_CLIENT_CLASS": "execute_command"}
"""Option of a class and the method that decides its mode; for parsers `read_response`."""


def _configured(reference: object, option: str, mode: Mode) -> type[Any]:
    key = f"OPTIONS[{option!r}]"
    with improperly_configured():
        cls = classes.named(reference, key, mode)
        if is_own(cls) and classes.mode_of(cls, _TELLING.get(option, "read_response")) != mode:
            raise wrong_mode(key, mode)
    return cls
