"""Base classes for a project's own backends, under django-valkey's names.

::

    class ShopCache(BaseValkeyCache[ShopClient, valkey.Valkey], BackendCommands):
        DEFAULT_CLIENT_CLASS = "shop.cache.ShopClient"
"""

from collections.abc import Generator
from typing import Any, ClassVar, Final, Generic, NoReturn, TypeVar

from django.core.cache import caches
from typing_extensions import override

from django_valkey._backend.backend import Backend as _Backend
from django_valkey._legacy.omit_exception import (
    ATTR_DOES_NOT_EXIST,
    CONNECTION_INTERRUPTED,
    decorate_all_methods,
    omit_exception,
    omit_exception_async,
)
from django_valkey._methods.methods import AsyncMethods, Coroutines, Methods
from dvcache import NotSupportedError

__all__ = [
    "ATTR_DOES_NOT_EXIST",
    "CONNECTION_INTERRUPTED",
    "AsyncBackendCommands",
    "BackendCommands",
    "BaseValkeyCache",
    "Done",
    "close_async_caches",
    "decorate_all_methods",
    "omit_exception",
    "omit_exception_async",
]

Client = TypeVar("Client")
Backend = TypeVar("Backend")


class BaseValkeyCache(Generic[Client, Backend]):
    """Names the client class of a backend. The methods come from a second base class.

    That is `BackendCommands`, `AsyncBackendCommands`, or a backend.
    """

    DEFAULT_CLIENT_CLASS: ClassVar[str]
    """Dotted path of the default client class."""


class BackendCommands(Methods, Coroutines, _Backend):  # type: ignore[misc]  # set, clear, delete_many: None in the stubs
    """Sync methods, and their `a*` counterparts, native coroutines. Arguments are those of `Backend`."""

    # Before those of the core's caches, which apply no hooks and no assigned attributes.
    make_key = _Backend.make_key  # pyright: ignore[reportAssignmentType]  # of the other base
    with_options = _Backend.with_options  # pyright: ignore[reportAssignmentType]  # as above

    def __init__(self, server: object, params: dict[str, Any]) -> None:
        _Backend.__init__(self, server, params)

    @override
    def close(self, **kwargs: object) -> None:
        """Keep the connections, or with CLOSE_CONNECTION only those in use. Django calls this after each request."""
        self._let_go()

    @override
    async def aclose(self, **kwargs: object) -> None:
        """Do the same as `close`."""
        self._let_go()


class Done:
    """An awaitable that is already done. Django does not await `close()`, and a coroutine would then warn."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


_DONE: Final = Done()


class AsyncBackendCommands(AsyncMethods, Coroutines, _Backend):  # type: ignore[misc]  # coroutines where the stubs are not
    """Coroutine methods, each under two names: `get` and `aget`. Arguments are those of `Backend`."""

    is_async = True
    mode = "async"
    DEFAULT_CLIENT_CLASS = "django_valkey.async_cache.client.AsyncDefaultClient"

    # Before those of the core's caches, which apply no hooks and no assigned attributes.
    make_key = _Backend.make_key  # pyright: ignore[reportAssignmentType]  # of the other base
    with_options = _Backend.with_options  # pyright: ignore[reportAssignmentType]  # as above

    def __init__(self, server: object, params: dict[str, Any]) -> None:
        _Backend.__init__(self, server, params)

    @override
    def close(self, **kwargs: object) -> Done:  # type: ignore[override]  # None in Django's stubs
        """Keep the connections, or with CLOSE_CONNECTION only those in use. Django calls this after each request."""
        self._let_go()
        return _DONE

    @override
    def aclose(self, **kwargs: object) -> Done:  # type: ignore[override]  # awaitable, though no coroutine
        """Do the same as `close`."""
        self._let_go()
        return _DONE

    @override
    def __contains__(self, key: object) -> NoReturn:
        raise NotSupportedError("'in' cannot be awaited; write: await cache.has_key(key)")


async def close_async_caches(**_: object) -> None:
    """Close every cache of this task. It is not connected to Django's signals; call it yourself."""
    for cache in caches.all(initialized_only=True):
        if getattr(cache, "is_async", False):
            await cache.aclose()
        else:
            cache.close()
