"""Base of the sync and async clients: the object `cache.client`."""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from random import randint
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

import valkey.exceptions
from django.core.cache.backends.base import DEFAULT_TIMEOUT

from django_valkey._backend.backend import Backend
from django_valkey._backend.client_methods import AsyncClientCommands, ClientCommands
from django_valkey._config import django_settings
from django_valkey._config.registry import Wired
from django_valkey._legacy.herd_envelope import Marker, unwrapped
from django_valkey._overrides.hooks import decoded, encoded, text
from django_valkey._raw import replaced_pools
from django_valkey.base_pool import BaseSentinelConnectionFactory, in_role
from django_valkey.compressors.identity import IdentityCompressor
from django_valkey.exceptions import improperly_configured
from django_valkey.util import glob_escape
from dvcache import Compressor, Serializer, ServerError, TransportError, compressors
from dvcache.context import Context
from dvcache.pools.custom.sources import FromFactory, wrong_mode
from dvcache.settings import classes, location
from dvcache.settings.faults import Faults
from dvcache.types import Key, Mode


class HerdCommonMethods:
    """Packs values into envelopes, and unpacks them. `HerdClient` does not use it.

    Args:
        args: arguments of the client that is inherited besides.
        kwargs: the same.
    """

    if TYPE_CHECKING:
        _backend: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._marker: Final = Marker()
        self._herd_timeout: Any = django_settings.defaults().get("CACHE_HERD_TIMEOUT", 60)
        super().__init__(*args, **kwargs)

    def _pack(self, value: object, timeout: float | None) -> tuple[Marker, object, int]:
        """Return an envelope that goes stale `timeout` seconds from now."""
        return self._marker, value, int((timeout or self._backend.default_timeout) + int(time.time()))

    def _unpack(self, value: object) -> tuple[object, bool]:
        """Return the value in an envelope, and whether to recompute it: more likely the longer it has been stale."""
        if unwrapped(value) is value or not isinstance(value, tuple):
            return value, False
        # Each caller decides at random, so several may recompute at the same time; `HerdClient` avoids that.
        stale = time.time() - value[2]
        return value[1], stale > 0 and stale + randint(1, self._herd_timeout) >= self._herd_timeout  # noqa: S311  # no secret


__all__ = [
    "DEFAULT_TIMEOUT",
    "AsyncClientCommands",
    "BaseClient",
    "ClientCommands",
    "HerdCommonMethods",
    "Marker",
    "glob_escape",
    "pair",
]


Raw = TypeVar("Raw")


_main_exceptions: Final = (
    *(valkey.exceptions.ConnectionError, valkey.exceptions.TimeoutError, valkey.exceptions.ResponseError),
    *(TimeoutError, TransportError, ServerError),
)
"""Errors of a failed command, from valkey-py's client or from an operation."""


class BaseClient(Generic[Raw]):
    """Gives valkey-py clients for the servers of an alias.

    Args:
        server: LOCATION.
        params: the rest of the alias's entry in CACHES.
        backend: the cache whose keys, codec and connections the operations use.
    """

    mode: ClassVar[Mode]
    CONNECTION_FACTORY_PATH: ClassVar[str]

    def __init__(self, server: object, params: Mapping[str, Any], backend: Backend) -> None:
        self._params: Final = params
        self._backend: Final = backend
        self._options: Final[Mapping[str, Any]] = params.get("OPTIONS") or {}
        with improperly_configured():
            self._server: Sequence[str] = list(self._urls(server))
        self._clients: list[Any] = [None] * len(self._server)
        self._process = os.getpid()

    def _urls(self, server: object) -> Sequence[str]:
        """Return the URLs of LOCATION, the primary first."""
        faults = Faults()
        urls = location.urls(server, faults)
        if faults:
            raise faults[0]
        return urls

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name in {"_context", "_async_context"}:
                return self._bound()
            if name in {"_client", "_async_client"}:
                return getattr(self._backend, name)
            if self.mode == "async" and name.startswith("a") and hasattr(type(self), name[1:]):
                return getattr(self, name[1:])
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def _wired(self) -> Wired:
        return self._backend._wired  # noqa: SLF001  # a client belongs to its cache

    def _bound(self) -> Context:
        """Return the current context: the alias's, or one that calls what this class overrides."""
        wired, own = self._wired, self._backend._own  # noqa: SLF001  # as above
        if own is None:
            return wired.context
        # The container changes with Django's settings, so contexts are kept only for the current one.
        kept = self.__dict__.get("_kept")
        if kept is None or kept[0] is not wired:
            kept = self.__dict__["_kept"] = wired, own.of(self, self._backend)
        return kept[1]

    def make_key(self, key: Key, version: int | None = None, prefix: str | None = None) -> str:
        """Return the stored key. Every operation calls an override of this."""
        return text(self._wired.context.keys.key(key, version, prefix))

    def make_pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> str:
        """Return the glob over stored keys. Every operation calls an override of this."""
        return text(self._wired.context.keys.pattern(pattern, version, prefix))

    def encode(self, value: object) -> bytes | float:
        """Return the stored form of a value: an int or a float unchanged, anything else as bytes."""
        return encoded(self._wired.context.codec, value)

    def decode(self, value: bytes) -> object:
        """Return the value of stored bytes.

        Raises:
            DecodeError: the bytes cannot be read.
        """
        return decoded(self._wired.context.codec, value)

    def _decode_iterable_result(self, result: Any, convert_to_set: bool = True) -> Any:
        if not isinstance(result, list):
            return None if result is None else self.decode(result)
        values = [self.decode(value) for value in result]
        return set(values) if convert_to_set else values

    def client_in(self, mode: Mode) -> Any:
        """Return this client, or its counterpart of the other mode."""
        return self if mode == self.mode else self._backend.client_in(mode)

    @cached_property
    def connection_factory(self) -> Any:
        """The factory in OPTIONS, else DJANGO_VALKEY_CONNECTION_FACTORY, else the client's own.

        The path of a client selects that client's factory. With Sentinel or a cluster, a built-in factory is replaced
        by the one for that topology. A project's own factory is the same object whose pools the cache uses.
        """
        source = self._backend.driver
        if isinstance(source, FromFactory):
            if source.mode != self.mode:
                with improperly_configured():
                    raise wrong_mode(source.option, self.mode)
            replaced_pools.refuse_raw("the project's connection factory")
            return source.factory
        reference = (
            self._options.get("CONNECTION_FACTORY")
            or django_settings.connection_factory()
            or self.CONNECTION_FACTORY_PATH
        )
        with improperly_configured():
            cls: Any = classes.named(reference, "OPTIONS['CONNECTION_FACTORY']", self.mode)
            if issubclass(cls, BaseClient):
                cls = classes.named(cls.CONNECTION_FACTORY_PATH, "CONNECTION_FACTORY_PATH", self.mode)
            if self._backend.is_on_sentinels and not issubclass(cls, BaseSentinelConnectionFactory):
                cls = classes.named("django_valkey.pool.SentinelConnectionFactory", "CLIENT_CLASS", self.mode)
            if self._backend.is_on_cluster and "cluster_cache" not in cls.__module__:
                cls = classes.named("django_valkey.cluster_cache.pool.ClusterConnectionFactory", "CLUSTER", self.mode)
        return cls(self._options)

    def get_next_client_index(self, write: bool = True, tried: Sequence[int] | None = None) -> int:
        """Return the index of the URL to use: 0 for writes, a random other one for reads if there is one.

        Args:
            write: whether to select the primary.
            tried: for reads, the indexes that failed; others are preferred.
        """
        if write or len(self._server) == 1:
            return 0
        others = [index for index in range(len(self._server)) if index not in tried] if tried else []
        return random.choice(others or range(1, len(self._server)))  # noqa: S311  # a replica, not a secret

    @property
    def reverse_key(self) -> Callable[[str], str]:
        """Function that returns the caller's key for a stored key."""
        return self._backend.reverse_key

    @property
    def _serializer(self) -> Serializer:
        return self._wired.container.settings.serializer

    @property
    def _compressor(self) -> Compressor:
        return self._wired.container.settings.compressor

    @property
    def _replica_read_only(self) -> bool:
        return not self._wired.container.settings.write_anywhere

    def _has_compression_enabled(self) -> bool:
        return not isinstance(self._compressor, IdentityCompressor | compressors.IdentityCompressor)


def pair(url: str) -> tuple[str, str]:
    """Return two URLs of a Sentinel service: of its primary and of its replicas."""
    return in_role(url, is_master="1"), in_role(url, is_master="0")
